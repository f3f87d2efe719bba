package client

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Defect is a defect that a visit found.
type Defect struct {
	ID              firemode.DefectID     `json:"defect_id"`
	Session         firemode.SessionID    `json:"session_id"`
	Building        firemode.BuildingID   `json:"building_id"`
	Item            firemode.ItemID       `json:"item_id"`
	Rule            firemode.RuleCode     `json:"rule_code"`
	Version         string                `json:"version"` // of the rule that classified it
	Condition       string                `json:"condition"`
	Count           jsontext.Value        `json:"count"`
	Status          firemode.DefectStatus `json:"status"`
	Class           firemode.Class        `json:"classification"`
	Classifications []Classification      `json:"classifications"` // oldest first; the last one counts
	FoundBy         firemode.UserID       `json:"found_by"`
	FoundAt         time.Time             `json:"found_at"`
	Note            string                `json:"note"`
	UpdatedAt       time.Time             `json:"updated_at"`
	ETag            string                `json:"-"`
}

// Classification is one classification of a defect.
type Classification struct {
	Class   firemode.Class    `json:"classification"`
	Default firemode.Class    `json:"default_classification"`
	Rule    firemode.RuleCode `json:"rule_applied"`
	Version string            `json:"version_applied"`
	Basis   string            `json:"basis"` // "default", "escalated" or "override"
	Reason  string            `json:"reason"`
	At      time.Time         `json:"at"`
	Audit   firemode.AuditID  `json:"audit_log_id"`
}

// DefectFilter narrows a list of defects; an empty field matches everything.
type DefectFilter struct {
	Building firemode.BuildingID
	Session  firemode.SessionID
	Statuses []firemode.DefectStatus
	Classes  []firemode.Class
}

// DefectPatch changes a defect; an empty Status and a nil Note stay as they are.
type DefectPatch struct {
	Status firemode.DefectStatus `json:"status,omitzero"`
	Note   *string               `json:"note,omitzero"`
}

// Defects lists defects, oldest first.
func (c *Client) Defects(ctx context.Context, f DefectFilter) iter.Seq2[Defect, error] {
	query := values("building_id", string(f.Building), "session_id", string(f.Session))
	query = addAll(addAll(query, "status", f.Statuses), "classification", f.Classes)
	return list[Defect](ctx, c, path("defects"), query)
}

// Defect returns one defect.
func (c *Client) Defect(ctx context.Context, id firemode.DefectID) (d Defect, err error) {
	err = c.fetch(ctx, get(path("defects", string(id)), nil), &d, &d.ETag)
	return d, err
}

// PatchDefect changes a defect. If the version of the defect is not etag, the error has status 412;
// "" accepts any version.
func (c *Client) PatchDefect(
	ctx context.Context, id firemode.DefectID, etag string, p DefectPatch,
) (d Defect, err error) {
	err = c.fetch(ctx, patch(path("defects", string(id)), etag, p), &d, &d.ETag)
	return d, err
}
