package dedup

import (
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// TestIndexAgreesWithAMap runs random commits, look-ups, expiries and reopens
// against a map from each key to the newest day it was committed on.
func TestIndexAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "dedup")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		options := Options{Dir: dir, WindowDays: 3}
		x, err := Open(options)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = x.Close() }()

		model := map[Key]int64{}
		var first, last uint64
		today := int64(20000)
		aKey := rapid.Custom(func(t *rapid.T) Key {
			return key(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "table"), rapid.Uint64Range(0, 20).Draw(t, "id"))
		})
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				keys := rapid.SliceOfN(aKey, 0, 10).Draw(t, "keys")
				c := Commit{First: last + rapid.Uint64Range(1, 3).Draw(t, "gap"), Keys: keys, Day: int32(today)}
				c.Last = c.First + rapid.Uint64Range(0, 3).Draw(t, "length")
				if err := x.Commit(c); err != nil {
					t.Fatal(err)
				}
				first, last = c.First, c.Last
				for _, k := range keys {
					model[k] = today
				}
			},
			"next day": func(t *rapid.T) { today += rapid.Int64Range(1, 3).Draw(t, "days") },
			"expire": func(t *rapid.T) {
				if err := x.Expire(date(today)); err != nil {
					t.Fatal(err)
				}
				for k, day := range model {
					if day < today-3 {
						delete(model, k)
					}
				}
			},
			"reopen": func(t *rapid.T) {
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
				if x, err = Open(options); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				keys := rapid.SliceOfN(aKey, 0, 30).Draw(t, "asked")
				got, err := x.Seen(keys)
				if err != nil {
					t.Fatal(err)
				}
				for i, k := range keys {
					if _, want := model[k]; got[i] != want {
						t.Fatalf("seen(%v) is %v, want %v", k, got[i], want)
					}
				}
				if f, l := x.Last(); f != first || l != last {
					t.Fatalf("last span %d-%d, want %d-%d", f, l, first, last)
				}
			},
		})
	})
}

// randomKeys are the same for the same seed.
func randomKeys(n int, seed uint64) []Key {
	random := rand.New(rand.NewPCG(seed, 1))
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = key("app.baseline", random.Uint64())
		high := random.Uint64()
		for b := range 8 {
			keys[i].ID[b] = byte(high >> (8 * b))
		}
	}
	return keys
}
