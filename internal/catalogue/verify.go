package catalogue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Audited is what the audit log of an organisation, or of the shared catalogue, says about its rules, for Verify. Hand every entry to Audit,
// in order.
type Audited struct {
	created, deactivated map[version]ledger.AuditEntry
}

type version struct {
	code   firemode.RuleCode
	number string
}

func (v version) String() string { return string(v.code) + " " + v.number }

// NewAudited returns an Audited of no entries.
func NewAudited() *Audited {
	return &Audited{created: map[version]ledger.AuditEntry{}, deactivated: map[version]ledger.AuditEntry{}}
}

// told is what the entries about rules hold.
type told struct {
	Version     string `json:"version"`
	Fingerprint []byte `json:"fingerprint"`
}

// Audit takes note of an entry if it is about a rule.
func (a *Audited) Audit(e ledger.AuditEntry) {
	var t told
	if e.Action != ActionCreate && e.Action != ActionDeactivate || json.Unmarshal(e.Data, &t) != nil {
		return
	}
	if v := (version{firemode.RuleCode(e.Subject), t.Version}); e.Action == ActionCreate {
		a.created[v] = e
	} else {
		a.deactivated[v] = e
	}
}

// Verify calls report for every rule version of org, and every deactivation, that is not what it was when it was made: by its own
// fingerprint, by the audit log and, in the shared catalogue, which is org "", by what this binary ships. It returns how many versions org
// sees.
//
// The audit log is to be read in the same transaction.
func (a *Audited) Verify(ctx context.Context, tx store.ReadTx, org firemode.OrgID, report func(where, what string)) (int, error) {
	tx = store.As[store.ExactReader](tx).Exactly()
	seen, err := store.As[store.RuleReader](tx).Rules(ctx, org)
	if err != nil {
		return 0, err
	}
	off, err := store.As[store.RuleReader](tx).Deactivations(ctx, org)
	if err != nil {
		return 0, err
	}
	if err := verifyRules(org, seen, a, report); err != nil {
		return 0, err
	}
	verifyDeactivations(off, a, report)
	return len(seen), nil
}

func verifyRules(org firemode.OrgID, seen []firemode.Rule, audited *Audited, report func(where, what string)) error {
	shipped, err := rules.Catalogue()
	if err != nil {
		return err
	}
	ours := map[version][]byte{}
	for _, r := range shipped {
		ours[version{r.Code, r.Version}] = rules.Fingerprint(r)
	}
	// A shared catalogue that no binary has opened since there are logs of it has none: when its versions were made is told by nothing.
	unlogged := org == "" && len(audited.created) == 0
	missing := maps.Clone(audited.created)
	for _, r := range seen {
		if r.Org != org {
			continue
		}
		v := version{r.Code, r.Version}
		where, now := "rules "+v.String(), rules.Fingerprint(r)
		if !bytes.Equal(now, r.Creation) {
			report(where, "its fingerprint is not the one that was stored when it was made")
		}
		if known, ok := ours[v]; org == "" && (ok && !bytes.Equal(now, known) || r.CreatedBy != "") {
			report(where, "it is not the rule that this version of FireMode ships")
		}
		if unlogged {
			continue
		}
		e, ok := missing[v]
		delete(missing, v)
		if !ok || !bytes.Equal(fingerprint(e), now) || e.User != r.CreatedBy || !e.At.Equal(r.CreatedAt) {
			report(where, fmt.Sprintf("it is not what the audit log tells of, made by %q at %s", e.User, e.At))
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(missing), compareVersions) {
		report("rules "+v.String(), "it is missing: the audit log tells that it was made")
	}
	return nil
}

func verifyDeactivations(off []store.Deactivation, audited *Audited, report func(where, what string)) {
	missing := maps.Clone(audited.deactivated)
	for _, d := range off {
		v := version{d.Code, d.Version}
		e, ok := missing[v]
		delete(missing, v)
		if !ok || e.User != d.By || !e.At.Equal(d.At) {
			report("rule_deactivations "+v.String(), fmt.Sprintf("by %q at %s; the audit log tells of %q at %s", d.By, d.At, e.User, e.At))
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(missing), compareVersions) {
		report("rule_deactivations "+v.String(), "it is missing: the audit log tells of it")
	}
}

func fingerprint(e ledger.AuditEntry) []byte {
	var t told
	if json.Unmarshal(e.Data, &t) != nil {
		return nil
	}
	return t.Fingerprint
}

func compareVersions(a, b version) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) }
