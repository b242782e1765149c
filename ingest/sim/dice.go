package sim

import (
	"math/rand/v2"

	"pinglake/ingest"
)

// purpose keeps the draws for one thing apart from those for another, so that a
// new draw in one place does not change the rest of the population.
type purpose uint64

const (
	forClient purpose = iota + 1
	forHabit
	forPings
	forBody
	forFault
	forLoad
)

// dice is a source of random numbers that can be set to any (purpose, client,
// day, n). It is not safe for concurrent use.
type dice struct {
	seed uint64
	pcg  *rand.PCG
	*rand.Rand
}

func newDice(seed uint64) *dice {
	pcg := rand.NewPCG(0, 0)
	return &dice{seed: mix(seed), pcg: pcg, Rand: rand.New(pcg)}
}

// set makes the dice those of one thing. n is below 256.
func (d *dice) set(what purpose, client, day int32, n uint8) {
	d.setWide(what, uint64(uint32(client))<<32|uint64(uint32(day)&0xffffff)<<8|uint64(n))
}

func (d *dice) setWide(what purpose, thing uint64) {
	d.pcg.Seed(d.seed+uint64(what), mix(thing^uint64(what)<<60))
}

// chance is true with probability p.
func (d *dice) chance(p float64) bool { return d.Float64() < p }

// id draws a random UUID (version 4).
func (d *dice) id() ingest.DocumentID {
	var id ingest.DocumentID
	for half, bits := range [...]uint64{d.Uint64(), d.Uint64()} {
		for i := range 8 {
			id[8*half+i] = byte(bits >> (56 - 8*i))
		}
	}
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

func pick[T any](d *dice, from []T) T { return from[d.IntN(len(from))] }

// share is a value and how often it comes, against the sum of all weights.
type share[T any] struct {
	value  T
	weight int
}

func pickShare[T any](d *dice, from []share[T]) T {
	sum := 0
	for _, s := range from {
		sum += s.weight
	}
	n := d.IntN(sum)
	for _, s := range from {
		if n -= s.weight; n < 0 {
			return s.value
		}
	}
	return from[len(from)-1].value
}

// mix spreads the bits of x: a bijection, so that distinct things stay distinct.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
