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

// Request asks to classify what was seen at something that the rule Code judges.
type Request struct {
	Code firemode.RuleCode
	rules.Finding
}

// Answer is a judgement, with the rule version that made it and the audit entry that keeps it.
type Answer struct {
	rules.Classification
	Code    firemode.RuleCode
	Version string
	AuditID firemode.AuditID
}

// Classify judges q by the version in force for the caller's organisation. When it returns nil, the audit entry is durable. With
// an Idempotency-Key in ctx it keeps to the promise of store.Once. An unknown code is firemode.CodeNotFound, what the rule cannot
// judge is firemode.CodeInvalid (see rules.Classify).
//
// Concurrent calls share commits; a caller that leaves early may find its entry in the log nevertheless.
func (s *Service) Classify(ctx context.Context, q Request) (Answer, error) {
	ctx, span := s.tracer.Start(ctx, "classify")
	defer span.End()
	p, err := firemode.Caller(ctx)
	if err != nil {
		return Answer{}, err
	}
	one := &pending{org: p.Org, claim: store.IdempotencyFrom(ctx)}
	one.err = s.judge(ctx, p, q, one)
	if one.err != nil && one.claim == nil {
		return Answer{}, one.err
	}
	one.place = s.line.Join()
	err = s.entries.Do(ctx, one)
	one.place.Leave()
	if err != nil {
		return Answer{}, fmt.Errorf("classify by rule %s: %w", firemode.Clip(string(q.Code)), err)
	}
	if one.stored != nil {
		one.claim.Replayed = true
		return *one.stored, nil
	}
	return one.answer, nil
}

// pending is a classification on its way into the log. The group that carries it sets stored, if the key was answered before.
type pending struct {
	place  *groupcommit.Ticket
	org    firemode.OrgID
	claim  *store.Idempotency // nil without an Idempotency-Key
	err    error              // why it cannot be judged: it matters only if no answer is stored
	answer Answer
	entry  ledger.AuditEntry
	result []byte // the answer, encoded for its key
	stored *Answer
}

// particulars is what the audit entry of a classification says.
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

// judge fills in the answer and the audit entry of one.
func (s *Service) judge(ctx context.Context, p firemode.Principal, q Request, one *pending) error {
	book, err := s.RuleSet(ctx, p.Org)
	if err != nil {
		return err
	}
	r, err := inForce(book, q.Code)
	if err != nil {
		return err
	}
	j, err := rules.Classify(r, q.Finding)
	if err != nil {
		return err
	}
	data, err := json.Marshal(particulars{
		Version: r.Version, Condition: j.Condition, Measurement: q.Measurement, Value: q.Value, Unit: q.Unit, Scope: q.Scope,
		Class: j.Class, Default: j.Default, Basis: j.Basis, Reason: j.Reason, WithinLimits: j.WithinLimits,
	})
	if err != nil {
		return err
	}
	id := firemode.AuditID(s.newID())
	one.entry = ledger.AuditEntry{ID: id, User: p.User, Action: ActionClassify, Subject: string(r.Code), Data: data}
	one.answer = Answer{Classification: j, Code: r.Code, Version: r.Version, AuditID: id}
	if one.claim != nil {
		one.result, err = json.Marshal(one.answer)
	}
	return err
}
