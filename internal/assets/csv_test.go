package assets

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"firemode"
)

func TestCSVReader_SplitsRecordsAndNamesFaults(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxRecord)
	tests := map[string]struct {
		file string
		want []string // "line: cells or fault"
	}{
		"plain, and no newline at the end": {"a,b\nc,d", []string{"1: [a b]", "2: [c d]"}},
		"byte order mark and CRLF":         {"\ufeffa,b\r\nc,d\r\n", []string{"1: [a b]", "2: [c d]"}},
		"empty lines":                      {"\n\na\n\r\nb\n", []string{"3: [a]", "5: [b]"}},
		"quotes":                           {`"a,b","c ""d""",""` + "\n", []string{`1: [a,b c "d" ]`}},
		"a line break inside quotes":       {"a,\"b\r\nc\"\nd\n", []string{"1: [a b\nc]", "3: [d]"}},
		"a quote inside an unquoted cell":  {"36\" reel,b\nc,d\n", []string{`1: [36" reel b]`, "2: [c d]"}},
		"spaces around quotes":             {"a, \"b,c\" ,d\n", []string{"1: [a b,c d]"}},
		"text after a quote": {
			"\"a\"b,c\nd,e\n",
			[]string{"1: there is text after the closing quote of a cell", "2: [d e]"},
		},
		"a quote never closed": {
			"a\n\"b,c\nd,e\nf,g\n",
			[]string{"1: [a]", "2: a quote is opened and never closed", "3: [d e]", "4: [f g]"},
		},
		"a quote closed by the next row's": {
			"\"a,b\n\"c\",d\ne\n",
			[]string{"1: there is text after the closing quote of a cell", "2: [c d]", "3: [e]"},
		},
		"a row that is too long": {
			"a\n" + long + long + "\nb\n",
			[]string{"1: [a]", "2: the row is longer than 64 KiB", "3: [b]"},
		},
		"a long row after an open quote": {"\"a\n" + long + long + "\nb\n", []string{
			"1: a quote is opened and never closed", "2: the row is longer than 64 KiB", "3: [b]",
		}},
		"only a byte order mark": {"\ufeff", nil},
		"nothing":                {"", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := readRecords(test.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestCSVReader_NotUTF8_IsInvalid(t *testing.T) {
	t.Parallel()
	_, err := readRecords("asset_id,type\nFE-001,caf\xe9\n")
	want := `line 2 is not UTF-8; save the file as UTF-8 (in Excel: "CSV UTF-8") and send it again`
	if got := messageOf(t, err); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// What Excel calls "Unicode text".
	if _, err = readRecords("\xff\xfea\x00,\x00b\x00"); firemode.CodeOf(err) != firemode.CodeInvalid {
		t.Errorf("UTF-16: %v, want CodeInvalid", err)
	}
}

// In such a file every line opens a quote, and the reader finds out only much later that the quote
// is not closed.
func TestCSVReader_UnmatchedQuotes_GivesUp(t *testing.T) {
	t.Parallel()
	_, err := readRecords(strings.Repeat("a\",\"b\n", 100_000) + "\"\"x")
	const want = "the quotes in this file do not match, from line "
	if got := messageOf(t, err); !strings.HasPrefix(got, want) {
		t.Errorf("%q, want it to begin %q", got, want)
	}
}

func TestCSVReader_ReadError_IsReturned(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for _, file := range []string{"", "a,b\n", "\"a\n", strings.Repeat("x", 3*maxRecord)} {
		in := newCSVReader(io.MultiReader(strings.NewReader(file), failing{broken}))
		var err error
		for err == nil {
			_, err = in.next()
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %.10q: %v, want %v", file, err, broken)
		}
	}
}

// FuzzCSVReader checks that csvReader reads what encoding/csv reads in the same way, and that it
// reads any input to its end.
func FuzzCSVReader(f *testing.F) {
	harbour, err := os.ReadFile("../seed/harbour_tower_assets.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(harbour[:2000]))
	f.Fuzz(func(t *testing.T, file string) {
		in := newCSVReader(strings.NewReader(file))
		var rows [][]string
		faults, last := 0, 0
		for {
			rec, err := in.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if firemode.CodeOf(err) == firemode.CodeInvalid {
				return // refused as a whole
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec.line <= last {
				t.Fatalf("line %d after line %d", rec.line, last)
			}
			last = rec.line
			if rec.fault != "" {
				faults++
			} else {
				rows = append(rows, rec.cells)
			}
		}
		oracle := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\ufeff")))
		oracle.FieldsPerRecord = -1
		want, err := oracle.ReadAll()
		if err != nil || len(file) > maxRecord {
			return
		}
		if faults > 0 || !slices.EqualFunc(want, rows, slices.Equal[[]string]) {
			t.Fatalf("%d faults and rows %q\nencoding/csv: %q", faults, rows, want)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func readRecords(file string) (all []string, err error) {
	in := newCSVReader(strings.NewReader(file))
	for {
		rec, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		case rec.fault != "":
			all = append(all, fmt.Sprintf("%d: %s", rec.line, rec.fault))
		default:
			all = append(all, fmt.Sprintf("%d: %v", rec.line, rec.cells))
		}
	}
}
