package catalogue

import (
	"context"
	"encoding/json"
	"fmt"

	"firemode"
	"firemode/internal/groupcommit"
	"firemode/internal/record/ledger"
	"firemode/internal/rules"
	"firemode/internal/store"
)

// Request asks to classify a finding by the rule Code.
type Request struct {
	Code firemode.RuleCode
	rules.Finding
}

// Answer is a classification, with the rule version that made it and its audit entry.
type Answer struct {
	rules.Classification
	Code    firemode.RuleCode
	Version string
	AuditID firemode.AuditID
}

// Classify classifies q by the version in force for the caller's organisation. When it returns nil,
// the audit entry is durable. With an Idempotency-Key in ctx it keeps the promise of store.Once. An
// unknown code is CodeNotFound; what the rule cannot classify is CodeInvalid, see rules.Classify.
//
// Concurrent calls share commits. If ctx ends before Classify returns, the audit entry may be
// written nevertheless.
func (s *Service) Classify(ctx context.Context, q Request) (Answer, error) {
	ctx, span := s.tracer.Start(ctx, "classify")
	defer span.End()
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Answer{}, err
	}
	one := &pending{org: p.Org}
	claim := store.IdempotencyFrom(ctx)
	if claim != nil {
		own := *claim // the recorder may use it after the caller has left
		one.claim = &own
	}
	one.err = s.classify(ctx, p, q, one)
	if one.err != nil && claim == nil {
		return Answer{}, one.err
	}
	one.ticket = s.waiting.Join()
	err = s.recorder.Do(ctx, one)
	one.ticket.Leave()
	if err != nil {
		return Answer{}, fmt.Errorf("classify by rule %s: %w", firemode.Clip(string(q.Code)), err)
	}
	if claim != nil {
		claim.Replayed = one.claim.Replayed
	}
	return one.answer, nil
}

// particulars are the data of the audit entry of a classification.
type particulars struct {
	Version      string         `json:"version"`
	Condition    string         `json:"condition,omitempty"`
	Measurement  string         `json:"measurement,omitempty"`
	Value        string         `json:"value,omitempty"`
	Unit         string         `json:"unit,omitempty"`
	Scope        rules.Scope    `json:"scope,omitempty"`
	Class        firemode.Class `json:"classification,omitempty"`
	Default      firemode.Class `json:"default_classification,omitempty"`
	Basis        string         `json:"basis,omitempty"`
	Reason       string         `json:"reason,omitempty"`
	WithinLimits bool           `json:"within_limits,omitempty"`
}

// classify sets the answer and the audit entry of one.
func (s *Service) classify(ctx context.Context, p firemode.Principal, q Request, one *pending) error {
	set, err := s.RuleSet(ctx, p.Org)
	if err != nil {
		return err
	}
	r, err := inForce(set, q.Code)
	if err != nil {
		return err
	}
	c, err := rules.Classify(r, q.Finding)
	if err != nil {
		return err
	}
	id := firemode.AuditID(s.newID())
	one.answer = Answer{Classification: c, Code: r.Code, Version: r.Version, AuditID: id}
	action := store.Action{ID: id, Name: ledger.ActionClassify, Subject: string(r.Code), Data: particulars{
		Version: r.Version, Condition: c.Condition, Measurement: q.Measurement, Value: q.Value, Unit: q.Unit,
		Scope: q.Scope, Class: c.Class, Default: c.Default, Basis: c.Basis, Reason: c.Reason,
		WithinLimits: c.WithinLimits,
	}}
	if one.entry, err = action.Entry(p.User); err != nil || one.claim == nil {
		return err
	}
	one.encoded, err = json.Marshal(one.answer)
	return err
}

// pending is a classification that is to be recorded.
type pending struct {
	ticket  *groupcommit.Ticket
	org     firemode.OrgID
	claim   *store.Idempotency // nil without an Idempotency-Key
	err     error              // why it is refused, unless a response is stored
	answer  Answer             // replaced by the stored response, if there is one
	entry   ledger.AuditEntry
	encoded []byte // answer, for the stored response
}
