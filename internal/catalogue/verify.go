package catalogue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/record/verify"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Recomputer compares rule versions and their deactivations with their fingerprints and with the
// audit log, and the shared ones also with what this binary ships.
type Recomputer struct{}

var _ verify.Recomputer = Recomputer{}

// Recompute begins the verification of one organisation, "" for the shared catalogue.
func (Recomputer) Recompute(org firemode.OrgID) verify.Recomputation {
	return &recomputation{
		org: org, created: map[version]ledger.AuditEntry{}, deactivated: map[version]ledger.AuditEntry{},
	}
}

// recomputation is what the audit log of an organisation says about its rules.
type recomputation struct {
	org                  firemode.OrgID
	created, deactivated map[version]ledger.AuditEntry
}

// version identifies a rule version.
type version struct {
	code   firemode.RuleCode
	number string
}

func (v version) String() string { return string(v.code) + " " + v.number }

func compareVersions(a, b version) int { return cmp.Compare(a.String(), b.String()) }

// Audit notes e if it is about a rule.
func (r *recomputation) Audit(e ledger.AuditEntry) {
	var data audited
	if e.Action != actionCreate && e.Action != actionDeactivate || json.Unmarshal(e.Data, &data) != nil {
		return
	}
	if v := (version{firemode.RuleCode(e.Subject), data.Version}); e.Action == actionCreate {
		r.created[v] = e
	} else {
		r.deactivated[v] = e
	}
}

// Organisation reports every rule version of the organisation, and every deactivation, that differs
// from its fingerprint, from the audit log or, in the shared catalogue, from what this binary
// ships.
func (r *recomputation) Organisation(
	ctx context.Context, tx store.ReadTx, report verify.Report,
) (string, error) {
	reader := store.As[store.RuleReader](store.As[store.ExactReader](tx).Exactly())
	seen, err := reader.Rules(ctx, r.org)
	if err != nil {
		return "", err
	}
	off, err := reader.Deactivations(ctx, r.org)
	if err != nil {
		return "", err
	}
	if err := r.compareRules(seen, report); err != nil {
		return "", err
	}
	r.compareDeactivations(off, report)
	return fmt.Sprintf("%d rule versions", len(seen)), nil
}

// Session compares nothing: sessions refer to versions, and have none of their own.
func (*recomputation) Session(verify.SessionScope) verify.SessionRecomputation { return nil }

// compareRules compares those of seen that belong to the organisation.
func (r *recomputation) compareRules(seen []firemode.Rule, report verify.Report) error {
	shipped, err := shippedFingerprints()
	if err != nil {
		return err
	}
	// A shared catalogue that only releases without its audit log have opened has none, so nothing
	// says how its versions were created.
	unlogged := r.org == "" && len(r.created) == 0
	missing := maps.Clone(r.created)
	for _, rule := range seen {
		if rule.Org != r.org {
			continue
		}
		v := version{rule.Code, rule.Version}
		where, now := "rules "+v.String(), rules.Fingerprint(rule)
		if !bytes.Equal(now, rule.Creation) {
			report(where, "its fingerprint differs from the one that was stored at its creation")
		}
		if known, ok := shipped[v]; r.org == "" && (ok && !bytes.Equal(now, known) || rule.CreatedBy != "") {
			report(where, "it differs from the rule that this version of FireMode ships")
		}
		if unlogged {
			continue
		}
		e, ok := missing[v]
		delete(missing, v)
		if !ok || !bytes.Equal(fingerprint(e), now) || e.User != rule.CreatedBy || !e.At.Equal(rule.CreatedAt) {
			report(where, fmt.Sprintf("it differs from its audit entry, created by %q at %s", e.User, e.At))
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(missing), compareVersions) {
		report("rules "+v.String(), "it is missing: the audit log says that it was created")
	}
	return nil
}

// compareDeactivations compares the deactivations of the organisation.
func (r *recomputation) compareDeactivations(off []store.Deactivation, report verify.Report) {
	missing := maps.Clone(r.deactivated)
	for _, d := range off {
		v := version{d.Code, d.Version}
		e, ok := missing[v]
		delete(missing, v)
		if !ok || e.User != d.By || !e.At.Equal(d.At) {
			report("rule_deactivations "+v.String(),
				fmt.Sprintf("by %q at %s; the audit log says by %q at %s", d.By, d.At, e.User, e.At))
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(missing), compareVersions) {
		report("rule_deactivations "+v.String(), "it is missing: the audit log has it")
	}
}

// shippedFingerprints returns the fingerprints of the rules that this binary ships.
func shippedFingerprints() (map[version][]byte, error) {
	shipped, err := rules.Catalogue()
	if err != nil {
		return nil, err
	}
	fingerprints := make(map[version][]byte, len(shipped))
	for _, r := range shipped {
		fingerprints[version{r.Code, r.Version}] = rules.Fingerprint(r)
	}
	return fingerprints, nil
}

// fingerprint returns the fingerprint in an audit entry about a rule, nil if it has none.
func fingerprint(e ledger.AuditEntry) []byte {
	var data audited
	if json.Unmarshal(e.Data, &data) != nil {
		return nil
	}
	return data.Fingerprint
}
