package merge

// Flags of an operation.
const (
	flagOnBehalf = "submitted_on_behalf"
	flagClamped  = "clock_clamped" // an answer's: the posted clock claimed what had not been delivered
	flagTrimmed  = "clock_trimmed" // an answer's: the posted clock had too many entries
)
