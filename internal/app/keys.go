package app

import (
	"errors"
	"fmt"

	"firemode/internal/keys"
	"firemode/internal/record/ledger"
)

// HistoryKey returns the public key that checks what this installation has signed. Keys that do not exist are an error, and are not made.
func HistoryKey(c Storage) (string, error) {
	if found, err := keys.Files(c.KeysDir()); err != nil || len(found) == 0 {
		return "", errors.Join(fmt.Errorf("there are no keys in %s", c.KeysDir()), err)
	}
	k, err := keys.Open(c.KeysDir())
	if err != nil {
		return "", err
	}
	return ledger.PublicKey(k.History()), nil
}
