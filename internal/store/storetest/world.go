package storetest

import (
	"context"
	"errors"

	"firemode"
	"firemode/internal/record/ledger"
	"firemode/internal/store"
)

// world is one of everything in an organisation. Two worlds share their ids and differ in every
// other word.
type world struct {
	org      firemode.Organisation
	user     firemode.User
	token    firemode.RefreshToken
	rule     firemode.Rule
	building firemode.Building
	asset    firemode.Asset
	session  firemode.Session
	head     ledger.Head
	item     firemode.Item
	last     map[firemode.ItemID]firemode.LastResult
	defect   firemode.Defect
	audit    ledger.AuditEntry
}

func ptr[T any](v T) *T { return &v }

// newWorld returns the world of org. Every field that can be told from its zero value is.
func newWorld(org firemode.OrgID) world {
	w := string(org) + " " + awkward
	last := firemode.LastResult{
		Session: "s0", CompletedAt: day(1), Outcome: "pass",
		Measurements: map[string]string{"flow_lps": "12.50", w: "1e3"},
	}
	baselines := []firemode.Baseline{{
		Measurement: "flow_lps", Value: "12.50", Unit: "L/s", Source: w,
		Date: "2020-02-29",
	}}
	return world{
		org:  firemode.Organisation{ID: org, Name: w, CreatedAt: day(0)},
		user: newUser(org, "u1"),
		token: firemode.RefreshToken{
			Hash: []byte("hash of " + string(org)), Org: org, User: "u1", Family: "f-" + string(org), IssuedAt: day(1),
			ExpiresAt: day(31),
			UsedAt:    day(2), RetryKey: w, RetryAnswer: []byte{0, 1, 255},
		},
		rule: newRule(org, "AS1851-2012-FE-01", "1.2.0"),
		building: firemode.Building{
			Org: org, ID: "b1", Name: w, Address: "1 " + w, Metadata: map[string]any{"lifts": 4.0, w: []any{
				"x", nil,
				true,
			}},
			Owners: []firemode.UserID{"owner1", "owner2"}, Status: firemode.BuildingActive, Version: 1,
			CreatedAt: day(2), Creation: []byte(w),
		},
		asset: firemode.Asset{
			Org: org, Building: "b1", ID: "FE-001", Type: "extinguisher_powder", Description: w, System: "FE",
			Level: "L05", Location: "at " + w,
			Make: "M", Model: "Mo", Serial: "S", Manufactured: "2019-01-01", Installed: "2019-02-01",
			LastPressureTest: "2024-02-29",
			Barcode:          "BC-" + string(org), Status: firemode.AssetInService, Notes: "n " + w,
			Baselines: baselines,
			Version:   1, CreatedAt: day(3), UpdatedAt: day(4),
		},
		session: firemode.Session{
			Org: org, ID: "s1", Building: "b1", Name: w, Frequency: firemode.SixMonthly,
			Status: firemode.SessionReopened, Reason: "r " + w,
			Technicians: []firemode.UserID{"tech2", "tech1"}, ItemCount: 302, CheckCount: 1968, Version: 3,
			CreatedAt: day(5),
			CreatedBy: "u1", CompletedAt: day(6), Creation: []byte{1, 2, 3}, Format: 7,
		},
		head: ledger.Head{
			Seq: 7, Hash: []byte(w), Epoch: 2, Key: []byte{9, 8}, ChangedAt: day(6), ChangedSeq: 6, Done: 5,
			Conflicts: 4, Gaps: 3, Tallied: 7,
			Batches: 2, Late: 1, Frontier: []byte("frontier"), Checkpoint: "checkpoint",
		},
		item: firemode.Item{
			ID: "FE-001", Kind: firemode.KindAsset, Type: "extinguisher_powder", Name: w, System: "FE", Level: "L05",
			Location: []string{"Harbour Tower", "L05", w}, Position: 12, Listed: true,
			Checks: []firemode.Check{{Rule: "AS1851-2012-FE-01", Version: "1.2.0"}}, Baselines: baselines, Last: &last,
			State: firemode.ItemIncomplete, Outcome: "fail", Missing: []string{w}, Conflicts: 3,
		},
		last: map[firemode.ItemID]firemode.LastResult{"FE-001": last},
		defect: firemode.Defect{
			Org: org, ID: "d1", Session: "s1", Building: "b1", Item: "FE-001", Rule: "AS1851-2012-FE-01",
			Version: "1.2.0", Condition: w,
			Count: "2", Status: firemode.DefectOpen, Class: firemode.ClassCritical,
			Classifications: []firemode.Classification{{
				Class: firemode.ClassCritical, Default: firemode.ClassNonCritical, Rule: "AS1851-2012-FE-01",
				Version: "1.2.0",
				Basis:   "escalated", Reason: w, At: day(6), Audit: "a1",
			}},
			FoundBy: "tech1", FoundAt: day(6), Note: w, Revision: 1, UpdatedAt: day(7),
		},
		audit: ledger.AuditEntry{
			Org: org, ID: "a1", At: day(8), User: "u1", Action: "classify", Subject: w,
			Data: []byte(`{"a": "` + string(org) + `"}`),
		},
	}
}

func newUser(org firemode.OrgID, id firemode.UserID) firemode.User {
	return firemode.User{
		Org: org, ID: id, Username: string(id) + "@" + string(org) + " " + awkward, FullName: "Name of " + string(org),
		Role:         firemode.RoleEngineer,
		PasswordHash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", Disabled: true, Generation: 4, Version: 1,
		CreatedAt: day(1), Creation: []byte{1},
	}
}

func newRule(org firemode.OrgID, code firemode.RuleCode, version string) firemode.Rule {
	return firemode.Rule{
		Org: org, Code: code, Version: version, Name: "Name of " + string(org), Description: awkward, System: "FE",
		Standard: "AS1851-2012",
		Section:  "10", Frequencies: []firemode.Frequency{firemode.SixMonthly, firemode.AfterUse},
		Schema: firemode.RuleSchema{
			Classifications: map[string]firemode.Class{"pressure_low": firemode.ClassNonCritical},
			Escalations: map[string]firemode.Escalation{"pressure_low": {
				To:     firemode.ClassCritical,
				When:   []firemode.ScopeTest{{Input: "only_unit_in_area", Is: ptr(true)}},
				Unless: []firemode.ScopeTest{{Input: "fraction", AtLeast: ptr(0.1)}},
			}},
			Limits: []firemode.Limit{{
				Measurement: "pressure_kpa", Unit: "kPa", Min: "1000.50",
				Condition: "pressure_low",
			}},
		},
		Note: awkward, CreatedAt: day(1), CreatedBy: "u1", Creation: []byte{2},
	}
}

// create writes all of w. It sets w.audit to the sealed entry.
func (w *world) create(ctx context.Context, tx store.Tx) error {
	seq, hash, err := store.As[store.AuditWriter](tx).LockAudit(ctx, w.org.ID)
	w.audit = w.audit.Seal(seq+1, hash)
	return errors.Join(
		err,
		store.As[store.OrganisationWriter](tx).CreateOrganisation(ctx, w.org),
		store.As[store.UserWriter](tx).CreateUser(ctx, w.user),
		store.As[store.TokenWriter](tx).CreateRefreshToken(ctx, w.token),
		store.As[store.RuleWriter](tx).CreateRules(ctx, []firemode.Rule{w.rule}),
		store.As[store.BuildingWriter](tx).CreateBuilding(ctx, w.building),
		store.As[store.AssetWriter](tx).CreateAssets(ctx, []firemode.Asset{w.asset}),
		store.As[store.SessionWriter](tx).CreateSession(ctx, w.session, w.head),
		store.As[store.ItemWriter](tx).CreateItems(ctx, w.org.ID, w.session.ID, []firemode.Item{w.item}),
		store.As[store.SessionWriter](tx).SaveLastResults(ctx, w.org.ID, w.building.ID, w.last),
		store.As[store.DefectWriter](tx).SaveDefects(ctx, []firemode.Defect{w.defect}),
		store.As[store.AuditWriter](tx).InsertAudit(ctx, []ledger.AuditEntry{w.audit}),
	)
}
