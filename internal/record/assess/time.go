package assess

import "time"

// clockTolerance is how far a device's clock may be off before it is corrected.
const clockTolerance = 5 * time.Minute

// Flags of an effective time.
const (
	flagClockCorrected = "clock_corrected" // the device's clock was off by a known amount
	flagClockSuspect   = "clock_suspect"   // the captured time is in the future, and cannot be corrected
)

// effectiveTime returns the captured time, corrected by how far the device's clock was off when it
// sent the change, if that is more than clockTolerance. A change without a captured time counts
// from its receipt. A captured time in the future that cannot be corrected is suspect and ranks as
// 0.
func effectiveTime(captured, sent, received time.Time) (at int64, flag string) {
	switch {
	case captured.IsZero():
		return received.UnixMicro(), ""
	case !sent.IsZero():
		if offset := received.Sub(sent); offset.Abs() > clockTolerance {
			return captured.Add(offset).UnixMicro(), flagClockCorrected
		}
	case captured.After(received.Add(clockTolerance)):
		return 0, flagClockSuspect
	}
	return captured.UnixMicro(), ""
}
