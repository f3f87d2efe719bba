package client

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

func TestError_Response_EveryFieldIsRead(t *testing.T) {
	_, api := play(t, Config{}, respond(409, `{"transaction_id":"t1","error_code":"FIRE-409","message":"forked",
		"retryable":false,"details":[{"field":"a","reason":"b"}],"fresh_client_id":"f-1"}`, "Retry-After", "2"))
	_, err := api.SubmitResults(t.Context(), "s1", "k1", Submission{})
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is not an Error", err)
	}
	want := Error{
		Status: 409, TransactionID: "t1", Code: "FIRE-409", Message: "forked", Details: []Detail{{"a", "b"}},
		FreshClientID: "f-1", RetryAfter: 2 * time.Second,
	}
	if !reflect.DeepEqual(*e, want) {
		t.Errorf("%+v, want %+v", *e, want)
	}
	if want := "POST /v1/tests/sessions/s1/results: forked (FIRE-409, request t1)"; err.Error() != want {
		t.Errorf("it reads %q, want %q", err, want)
	}
}
