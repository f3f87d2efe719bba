package merge

import (
	"context"

	"firemode"
)

// Post is a submission and who makes it.
type Post struct {
	By firemode.Principal
	Submission
}

// Answer is what Submit returns.
type Answer struct {
	Receipt
	Replayed bool
	Err      error
}

// Together submits posts as one group: what collects while another group is being written. It lets
// a test choose the group, which callers that merely run at once do not.
func (s *Service) Together(ctx context.Context, posts []Post) []Answer {
	answers := make([]Answer, len(posts))
	var jobs []*job
	at := map[*job]int{}
	for i, p := range posts {
		j, err := newJob(p.By, p.Submission)
		if answers[i].Err = err; err == nil {
			at[j] = i
			jobs = append(jobs, j)
		}
	}
	for i, err := range s.runGroup(ctx, jobs) {
		j := jobs[i]
		answers[at[j]] = Answer{j.receipt, j.claim.Replayed, j.err}
		if err != nil {
			answers[at[j]].Err = err
		}
	}
	return answers
}
