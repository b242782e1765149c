package stream

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"pinglake/ingest"
)

func frameOf(t testing.TB, raws ...*ingest.Raw) []byte {
	t.Helper()
	entries := make([][]byte, len(raws))
	for i, r := range raws {
		size, err := entryBytes(r)
		if err != nil {
			t.Fatal(err)
		}
		entries[i] = appendEntry(nil, r)
		if len(entries[i]) != size {
			t.Fatalf("entry takes %d bytes, entryBytes says %d", len(entries[i]), size)
		}
	}
	return appendFrame(nil, entries)
}

// sealed is frame with its checksum made right again.
func sealed(frame []byte) []byte {
	content := frame[:len(frame)-frameTrailerBytes]
	return binary.LittleEndian.AppendUint32(content, crc32.Checksum(content, castagnoli))
}

// The bytes on disk: a change here is a new version of the format.
func TestFrameOnDisk(t *testing.T) {
	frame := frameOf(t, &ingest.Raw{
		URI:        "/submit/a",
		Submitted:  time.UnixMicro(0x0102030405060708),
		Attributes: map[string]string{"method": "PUT", "args": ""},
		Body:       []byte("body"),
	})
	want := strings.Join([]string{
		"504c504b 01 000000 01000000", // magic, version, reserved, count
		"0807060504030201",            // submitted
		"09000000 2f7375626d69742f61", // uri
		"0200",                        // attributes
		"0400 61726773 00000000",      // args, empty
		"0600 6d6574686f64 03000000 505554",
		"04000000 626f6479", // body
		"c67d50aa",          // checksum
	}, "")
	if got := hex.EncodeToString(frame); got != strings.ReplaceAll(want, " ", "") {
		t.Errorf("frame is\n%s, want\n%s", got, strings.ReplaceAll(want, " ", ""))
	}
}

func TestFrameComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raws := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ingest.Raw {
			return ingest.Raw{
				URI:        rapid.String().Draw(t, "uri"),
				Submitted:  time.UnixMicro(rapid.Int64Range(-1<<50, 1<<52).Draw(t, "micros")).UTC(),
				Attributes: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "attributes"),
				Body:       rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
			}
		}), 1, 8).Draw(t, "raws")
		entries := make([][]byte, len(raws))
		for i := range raws {
			entries[i] = appendEntry(nil, &raws[i])
			raws[i].At = ingest.Position{Pack: 7, Index: uint32(i)}
		}
		got, err := decodePack(7, appendFrame(nil, entries))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(raws, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("decoded raws differ (-sent +got):\n%s", diff)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	whole := func() []byte { return frameOf(t, raw("/submit/1"), raw("/submit/2")) }
	edit := func(at int, b byte) []byte { f := whole(); f[at] = b; return f }
	size := len(whole())
	cases := []struct {
		name    string
		frame   []byte
		corrupt bool
		says    string
	}{
		{"nothing", nil, true, "0 bytes are too few for a frame"},
		{"a header alone", whole()[:12], true, "12 bytes are too few for a frame"},
		{"other magic", edit(0, 'X'), true, `frame begins with "XLPK", not "PLPK"`},
		{"version 0", sealed(edit(4, 0)), true, "frame version 0 never existed"},
		{"version 2", edit(4, 2), false, "frame version 2 is newer than this program knows (1): start the newer pinglake that wrote it"},
		{"reserved byte set", sealed(edit(6, 1)), true, "reserved bytes are not zero"},
		{"a bit of a body", edit(size-10, 0), true, "checksum "},
		{"a bit of the checksum", edit(size-1, whole()[size-1]^1), true, "checksum "},
		{"torn in the middle", whole()[:size/2], true, "checksum "},
		{"last byte missing", whole()[:size-1], true, "checksum "},
		{"no raws", sealed(edit(8, 0)), true, "0 raws in "},
		{"one raw too few", sealed(edit(8, 1)), true, "bytes after the last raw"},
		{"one raw too many", sealed(edit(8, 3)), true, "raw 2 of 3: runs past the end of the frame"},
		{"four billion raws", sealed(edit(11, 0xff)), true, "raws in "},
		{"a longer uri", sealed(edit(12+8+3, 0x7f)), true, "raw 0 of 2: runs past the end of the frame"},
		{"many attributes", sealed(edit(12+8+4+9+1, 0xff)), true, "raw 0 of 2: runs past the end of the frame"},
		{"attributes out of order", sealed(edit(12+8+4+9+2+2, 'z')), true, `attribute "method" does not sort after "zrgs"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := decodePack(3, c.frame)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "decode pack 3: ") {
				t.Fatalf("error %v, want one that says %q", err, c.says)
			}
			if errors.Is(err, ErrCorrupt) != c.corrupt {
				t.Errorf("error %v: ErrCorrupt is %v, want %v", err, !c.corrupt, c.corrupt)
			}
		})
	}
}

func TestEveryTornOrFlippedFrameIsRefused(t *testing.T) {
	frame := frameOf(t, raw("/submit/1"), raw("/submit/2"))
	for size := range len(frame) {
		if _, err := decodePack(1, frame[:size]); err == nil {
			t.Errorf("the first %d of %d bytes were accepted", size, len(frame))
		}
	}
	for bit := range len(frame) * 8 {
		frame[bit/8] ^= 1 << (bit % 8)
		if _, err := decodePack(1, frame); err == nil {
			t.Errorf("a frame with bit %d flipped was accepted", bit)
		}
		frame[bit/8] ^= 1 << (bit % 8)
	}
}

func TestDecodedBodyCannotReachItsNeighbour(t *testing.T) {
	raws, err := decodePack(1, frameOf(t, raw("/submit/1"), raw("/submit/2")))
	if err != nil {
		t.Fatal(err)
	}
	_ = append(raws[0].Body, make([]byte, 64)...)
	if want := raw("/submit/2"); raws[1].URI != want.URI || string(raws[1].Body) != string(want.Body) {
		t.Errorf("the second raw became %q %q", raws[1].URI, raws[1].Body)
	}
}

func FuzzDecodePack(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("PLPK\x02\x00\x00\x00"))
	f.Add(frameOf(f, raw("/submit/1")))
	f.Add(frameOf(f, raw("/submit/1"), &ingest.Raw{}, raw("/stub/v6")))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkDecode(t, data)
		// With a right checksum the fuzzer gets past it.
		if len(data) >= frameTrailerBytes {
			checkDecode(t, sealed(append([]byte(nil), data...)))
		}
	})
}

// checkDecode holds that what is accepted encodes to the same bytes.
func checkDecode(t *testing.T, data []byte) {
	raws, err := decodePack(1, data)
	if err != nil {
		return
	}
	entries := make([][]byte, len(raws))
	for i := range raws {
		entries[i] = appendEntry(nil, &raws[i])
	}
	if again := appendFrame(nil, entries); string(again) != string(data) {
		t.Errorf("accepted a frame with another form:\n%x, again\n%x", data, again)
	}
}
