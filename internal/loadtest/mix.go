package loadtest

// Endpoint is one kind of request of the profile.
type Endpoint int

// The endpoints, in the order in which they are reported.
const (
	Classify Endpoint = iota
	Results
	Bundle
	endpoints int = iota
)

func (e Endpoint) String() string {
	return [endpoints]string{"classify", "results", "bundle"}[e]
}

// mix is the contract's profile: of 17 requests 10 classify, 5 submit results, 2 fetch the bundle, spread evenly so that each stretch of
// the run holds all of them.
const mix = "crccrcbcrccrccrcb"

// endpointAt is the kind of request number n, from 0. Any 17 in a row are the exact mix.
func endpointAt(n int64) Endpoint {
	switch mix[n%int64(len(mix))] {
	case 'r':
		return Results
	case 'b':
		return Bundle
	default:
		return Classify
	}
}
