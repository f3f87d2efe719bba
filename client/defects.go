package client

import (
	"context"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"firemode"
)

// Defect is something that was found in a visit.
type Defect struct {
	ID              firemode.DefectID     `json:"defect_id"`
	Session         firemode.SessionID    `json:"session_id"`
	Building        firemode.BuildingID   `json:"building_id"`
	Item            firemode.ItemID       `json:"item_id"`
	Rule            firemode.RuleCode     `json:"rule_code"`
	Version         string                `json:"version"` // of the rule that judged it
	Condition       string                `json:"condition"`
	Count           jsontext.Value        `json:"count"`
	Status          firemode.DefectStatus `json:"status"`
	Class           firemode.Class        `json:"classification"`
	Classifications []Classification      `json:"classifications"` // every judgement, oldest first
	FoundBy         firemode.UserID       `json:"found_by"`
	FoundAt         time.Time             `json:"found_at"`
	Note            string                `json:"note"`
	UpdatedAt       time.Time             `json:"updated_at"`
	ETag            string                `json:"-"`
}

// Classification is one judgement of a defect.
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

// DefectFilter narrows a list of defects; what is empty is any.
type DefectFilter struct {
	Building firemode.BuildingID
	Session  firemode.SessionID
	Statuses []firemode.DefectStatus
	Classes  []firemode.Class
}

// DefectPatch moves a defect on; nil fields stay as they are.
type DefectPatch struct {
	Status firemode.DefectStatus `json:"status,omitzero"` // "" to leave it
	Note   *string               `json:"note,omitzero"`
}

// Defects lists defects, oldest first.
func (c *Client) Defects(ctx context.Context, f DefectFilter) iter.Seq2[Defect, error] {
	query := values("building_id", string(f.Building), "session_id", string(f.Session))
	return walk[Defect](ctx, c, path("defects"), addAll(addAll(query, "status", f.Statuses), "classification", f.Classes))
}

// Defect returns one defect.
func (c *Client) Defect(ctx context.Context, id firemode.DefectID) (d Defect, err error) {
	err = c.fetch(ctx, get(path("defects", string(id)), nil), &d, &d.ETag)
	return d, err
}

// PatchDefect moves a defect on; etag "" is any version.
func (c *Client) PatchDefect(ctx context.Context, id firemode.DefectID, etag string, p DefectPatch) (d Defect, err error) {
	err = c.fetch(ctx, patch(path("defects", string(id)), etag, p), &d, &d.ETag)
	return d, err
}
