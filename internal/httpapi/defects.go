package httpapi

import (
	"context"
	"time"

	"firemode"
	"firemode/internal/defects"
	"firemode/internal/httpkit"
	"firemode/internal/store"
)

type defectBody struct {
	ID              firemode.DefectID     `json:"defect_id"`
	Session         firemode.SessionID    `json:"session_id"`
	Building        firemode.BuildingID   `json:"building_id"`
	Item            firemode.ItemID       `json:"item_id"`
	Rule            firemode.RuleCode     `json:"rule_code"`
	Version         string                `json:"version" doc:"Of the rule that judged it"`
	Condition       string                `json:"condition"`
	Count           decimal               `json:"count"`
	Status          firemode.DefectStatus `json:"status" enum:"open,notified,rectified,closed,withdrawn"`
	Class           firemode.Class        `json:"classification"`
	Classifications []classificationBody  `json:"classifications" doc:"Every judgement, oldest first"`
	FoundBy         firemode.UserID       `json:"found_by"`
	FoundAt         time.Time             `json:"found_at"`
	Note            string                `json:"note"`
	UpdatedAt       time.Time             `json:"updated_at"`
}

type classificationBody struct {
	Class   firemode.Class    `json:"classification"`
	Default firemode.Class    `json:"default_classification"`
	Rule    firemode.RuleCode `json:"rule_applied"`
	Version string            `json:"version_applied"`
	Basis   string            `json:"basis" enum:"default,escalated,override"`
	Reason  string            `json:"reason,omitempty"`
	At      time.Time         `json:"at"`
	Audit   firemode.AuditID  `json:"audit_log_id"`
}

func defectOf(d firemode.Defect) defectBody {
	b := defectBody{
		ID: d.ID, Session: d.Session, Building: d.Building, Item: d.Item, Rule: d.Rule, Version: d.Version,
		Condition: d.Condition,
		Count:     decimal(d.Count), Status: d.Status, Class: d.Class, FoundBy: d.FoundBy, FoundAt: d.FoundAt.UTC(),
		Note: d.Note, UpdatedAt: d.UpdatedAt.UTC(),
	}
	for _, c := range d.Classifications {
		b.Classifications = append(b.Classifications, classificationBody{
			c.Class, c.Default, c.Rule, c.Version, c.Basis, c.Reason, c.At.UTC(), c.Audit,
		})
	}
	return b
}

// DefectPath is the path of one defect.
type DefectPath struct {
	ID firemode.DefectID `path:"id" pattern:"^[A-Za-z0-9_-]{1,64}$" doc:"defect_id"`
}

type listDefectsInput struct {
	Paging
	Building firemode.BuildingID     `query:"building_id"`
	Session  firemode.SessionID      `query:"session_id"`
	Statuses []firemode.DefectStatus `query:"status,explode" enum:"open,notified,rectified,closed,withdrawn" doc:"Any of them; repeat for several"`
	Classes  []firemode.Class        `query:"classification,explode" enum:"critical_defect,non_critical_defect,non_conformance,not_tested,recommendation"`
}

type patchDefectInput struct {
	DefectPath
	httpkit.Versioned
	Body struct {
		Status *firemode.DefectStatus `json:"status,omitempty" enum:"open,notified,rectified,closed"`
		Note   *string                `json:"note,omitempty" maxLength:"4000"`
	}
}

func defectReply(d firemode.Defect, err error) (*httpkit.Reply[defectBody], error) {
	if err != nil {
		return nil, err
	}
	return &httpkit.Reply[defectBody]{ETag: httpkit.ETag(d.Revision), Body: defectOf(d)}, nil
}

func (a *API) listDefects(ctx context.Context, in *listDefectsInput) (*httpkit.Reply[list[defectBody]], error) {
	page, err := a.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	f := store.DefectFilter{Building: in.Building, Session: in.Session, Statuses: in.Statuses, Classes: in.Classes}
	rows, err := a.Services.Defects.List(ctx, f, page)
	return listed(ctx, a, in.Paging, rows, defectOf), err
}

func (a *API) getDefect(ctx context.Context, in *DefectPath) (*httpkit.Reply[defectBody], error) {
	return defectReply(a.Services.Defects.Get(ctx, in.ID))
}

func (a *API) patchDefect(ctx context.Context, in *patchDefectInput) (*httpkit.Reply[defectBody], error) {
	revision, err := in.Version()
	if err != nil {
		return nil, err
	}
	return defectReply(a.Services.Defects.Patch(ctx, in.ID, revision, defects.Patch(in.Body)))
}
