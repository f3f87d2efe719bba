package httpkit

import (
	"bytes"
	"runtime"
	"testing"

	"firemode/internal/httpkit/httpkittest"
)

// FuzzCompressed holds that an encoded body is decoded within its limits, whatever it claims to
// hold, and that what is taken is what any decoder makes of it. Making it costs a bounded amount of
// memory.
func FuzzCompressed(f *testing.F) {
	plain := []byte(`{"changes":[{"op":"set","path":"/x","value":1}]}`)
	bomb := bytes.Repeat([]byte(" "), 9<<20)
	for _, body := range [][]byte{plain, nil, bomb, bytes.Repeat([]byte("0123456789abcdef"), 1<<12)} {
		f.Add(false, httpkittest.Gzipped(f, body))
		f.Add(true, httpkittest.Zstded(f, body))
	}
	f.Add(false, append(httpkittest.Gzipped(f, plain),
		httpkittest.Gzipped(f, plain)...)) // two members are one text
	f.Add(true, append(httpkittest.Zstded(f, plain),
		httpkittest.Zstded(f, plain)...)) // and so are two frames
	f.Add(false, httpkittest.Gzipped(f, httpkittest.Gzipped(f,
		bomb))) // a bomb in a parcel is a parcel
	f.Add(true, []byte{
		0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x98, 0x01, 0x00,
		0x00,
	}) // a window of 512 MiB
	f.Add(true, []byte{
		0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0,
		0,
	}) // a content of 2^63 bytes
	f.Add(true, append([]byte{0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f},
		bytes.Repeat([]byte{0}, 1000)...)) // a frame to be skipped, of 2 GiB
	f.Add(true, append(bytes.Repeat([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, 1000),
		httpkittest.Zstded(f, plain)...)) // a thousand empty ones
	const limit = 8 << 20
	load := &loadShedder{memory: bodyMemory{limit: 1 << 30}}
	f.Fuzz(func(t *testing.T, zstandard bool, wire []byte) {
		quota := &memoryQuota{load: load}
		defer quota.release()
		if len(wire) > encodedLimit {
			return // refused before it is decoded
		}
		encoding := "gzip"
		if zstandard {
			encoding = "zstd"
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := decode(encoding, wire, limit, quota)
		runtime.ReadMemStats(&after)
		// The text, the buffers it outgrew, and the window of the decoder.
		if made := after.TotalAlloc - before.TotalAlloc; made > 8*limit {
			t.Fatalf("%d bytes of memory for %d bytes of %s", made, len(wire), encoding)
		}
		if err != nil {
			wantRefusal(t, err)
			return
		}
		if most := max(ratioFloor, len(wire)*maxRatio); len(got) > min(most, limit) {
			t.Fatalf("%d bytes of %d", len(got), len(wire))
		}
		if again := encodedAs(t, encoding, got); len(again) > 0 {
			if back, err := decode(encoding, again, limit, quota); err == nil && !bytes.Equal(back, got) {
				t.Fatalf("%q is decoded to %q", got, back)
			}
		}
	})
}

func encodedAs(t testing.TB, encoding string, plain []byte) []byte {
	if encoding == "gzip" {
		return httpkittest.Gzipped(t, plain)
	}
	return httpkittest.Zstded(t, plain)
}
