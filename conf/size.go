package conf

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes.
type Size int64

// units are in descending order, the one String prefers first.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"TB", 1e12},
	{"GiB", 1 << 30}, {"GB", 1e9},
	{"MiB", 1 << 20}, {"MB", 1e6},
	{"KiB", 1 << 10}, {"KB", 1e3},
	{"B", 1},
}

// ParseSize reads a size: a number, whole or with a decimal point, and a unit
// (B, KB, MB, GB, TB of 1000 or KiB, MiB, GiB, TiB of 1024, in any case). A
// number alone is bytes.
func ParseSize(text string) (Size, error) {
	wrong := fmt.Errorf("%q is no size like 64MiB", text)
	number, unit := text, int64(1)
	for _, u := range units {
		if head, ok := cutSuffixFold(text, u.name); ok {
			number, unit = strings.TrimRight(head, " "), u.bytes
			break
		}
	}
	if number == "" || strings.Trim(number, "0123456789.") != "" || len(number) > 30 {
		return 0, wrong
	}
	value, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, wrong
	}
	value.Mul(value, new(big.Rat).SetInt64(unit))
	if !value.IsInt() || value.Cmp(new(big.Rat).SetInt64(math.MaxInt64)) > 0 {
		return 0, wrong
	}
	return Size(value.Num().Int64()), nil
}

func cutSuffixFold(s, suffix string) (string, bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return s, false
	}
	return s[:at], true
}

// String is the size in the largest unit that divides it.
func (s Size) String() string {
	for _, u := range units {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

// TimeOfDay is the time since midnight UTC, in whole minutes.
type TimeOfDay time.Duration

// ParseTimeOfDay reads a time of day as HH:MM.
func ParseTimeOfDay(text string) (TimeOfDay, error) {
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("%q is no time of day like 01:00", text)
	}
	return TimeOfDay(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute), nil
}

// String is HH:MM.
func (t TimeOfDay) String() string {
	d := time.Duration(t)
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// UnmarshalText is ParseTimeOfDay.
func (t *TimeOfDay) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTimeOfDay(string(text))
	return err
}
