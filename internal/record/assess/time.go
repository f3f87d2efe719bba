package assess

import (
	"time"
)

// clockTolerance is how far a phone's clock may be off before it is taken to be wrong.
const ClockTolerance = 5 * time.Minute

// EffectiveTime returns the time by which a change is ranked, in microseconds since the epoch: what the phone says, corrected by
// how far its clock was off when it sent. A time in the future that cannot be corrected is suspect and ranks 0.
func EffectiveTime(captured, sent, received time.Time) (at int64, flag string) {
	switch {
	case captured.IsZero():
		return received.UnixMicro(), ""
	case !sent.IsZero():
		if offset := received.Sub(sent); offset.Abs() > ClockTolerance {
			return captured.Add(offset).UnixMicro(), FlagClockCorrected
		}
	case captured.After(received.Add(ClockTolerance)):
		return 0, FlagClockSuspect
	}
	return captured.UnixMicro(), ""
}

const FlagClockCorrected = "clock_corrected"

const FlagClockSuspect = "clock_suspect"
