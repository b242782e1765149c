package schema

import "sync"

// builder gathers the cells of one row, leaf by leaf. It is reused from row to
// row; what it hands out is not.
type builder struct {
	cells   [][]Cell // by leaf
	choices []choice // stack: one frame for each Struct being read
	scratch []byte

	coercions Coercions
}

// maxScratch is the most bytes of text a builder at rest keeps.
const maxScratch = 64 << 10

type builderPool struct {
	pool   sync.Pool
	leaves int
}

func (p *builderPool) get() *builder {
	if b, ok := p.pool.Get().(*builder); ok {
		return b
	}
	return &builder{cells: make([][]Cell, p.leaves)}
}

// put takes a builder back, without the payload its cells point into.
func (p *builderPool) put(b *builder) {
	for i, cells := range b.cells {
		clear(cells)
		b.cells[i] = cells[:0]
	}
	clear(b.choices[:cap(b.choices)])
	b.choices = b.choices[:0]
	if cap(b.scratch) > maxScratch {
		b.scratch = nil
	}
	p.pool.Put(b)
}

func (b *builder) put(leaf int32, c Cell) {
	c.Leaf = leaf
	b.cells[leaf] = append(b.cells[leaf], c)
}

// null appends one null to each leaf of n, whose parent is present.
func (b *builder) null(n *node, rep uint8) {
	for leaf := n.lo; leaf < n.hi; leaf++ {
		b.cells[leaf] = append(b.cells[leaf], Cell{Leaf: leaf, Rep: rep, Def: n.def - 1})
	}
}

// lift sets the level of the nulls that n just got: all of its leaves have exactly
// one. At n.def the value is present and empty, at n.def-1 it is null.
func (b *builder) lift(n *node, def uint8) {
	for leaf := n.lo; leaf < n.hi; leaf++ {
		cells := b.cells[leaf]
		cells[len(cells)-1].Def = def
	}
}

// flatten copies the cells out, grouped by leaf.
func (b *builder) flatten() []Cell {
	count := 0
	for _, cells := range b.cells {
		count += len(cells)
	}
	flat := make([]Cell, 0, count)
	for _, cells := range b.cells {
		flat = append(flat, cells...)
	}
	return flat
}
