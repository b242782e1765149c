package conf

import "testing"

func TestParseSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want Size
		name string // as String writes it, "" for a fault
	}{
		{"0", 0, "0B"},
		{"1", 1, "1B"},
		{"17B", 17, "17B"},
		{"1000", 1000, "1KB"},
		{"1KB", 1000, "1KB"},
		{"1kb", 1000, "1KB"},
		{"1KiB", 1024, "1KiB"},
		{"8MiB", 8 << 20, "8MiB"},
		{"8 mib", 8 << 20, "8MiB"},
		{"64MB", 64_000_000, "64MB"},
		{"2GiB", 2 << 30, "2GiB"},
		{"2GB", 2_000_000_000, "2GB"},
		{"1.5GiB", 3 << 29, "1536MiB"},
		{"0.5KiB", 512, "512B"},
		{"3TiB", 3 << 40, "3TiB"},
		{"1TB", 1e12, "1TB"},
		{"9223372036854775807", 1<<63 - 1, "9223372036854775807B"},
		{"9223372036854775808", 0, ""},
		{"8388608TiB", 0, ""},
		{"1.3B", 0, ""},
		{"-1", 0, ""},
		{"+1", 0, ""},
		{"1e3", 0, ""},
		{"1/2", 0, ""},
		{"1.2.3", 0, ""},
		{".", 0, ""},
		{"", 0, ""},
		{"MiB", 0, ""},
		{"1 PiB", 0, ""},
		{"1Mi", 0, ""},
		{" 1MiB", 0, ""},
		{"1MiB ", 0, ""},
	} {
		got, err := ParseSize(c.text)
		if got != c.want || (err == nil) != (c.name != "") {
			t.Errorf("%q: got %d, %v, want %d", c.text, got, err, c.want)
		}
		if err != nil {
			continue
		}
		if got.String() != c.name {
			t.Errorf("%q: written as %s, want %s", c.text, got, c.name)
		}
		if back, err := ParseSize(got.String()); err != nil || back != got {
			t.Errorf("%q: %s is read back as %d, %v", c.text, got, back, err)
		}
	}
}

func TestParseTimeOfDay(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"00:00", "00:00"}, {"01:00", "01:00"}, {"23:59", "23:59"},
		{"24:00", ""}, {"1:00", ""}, {"01:60", ""}, {"01:00:00", ""}, {"", ""}, {"noon", ""},
	} {
		got, err := ParseTimeOfDay(c.text)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("%q: got %s, %v, want %s", c.text, got, err, c.want)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("1.5GiB")
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ParseSize(text)
		if err != nil {
			return
		}
		if back, err := ParseSize(size.String()); err != nil || back != size || size < 0 {
			t.Errorf("%q is %d, and %s is %d, %v", text, size, size, back, err)
		}
	})
}
