package lake

import (
	"fmt"
	"strings"

	"pinglake/lake/schema"
)

// rowCheck finds rows whose leaves contradict each other about the structs,
// lists and maps around them. Such a file cannot be read, or worse: a reader
// takes a struct for null because its last member says so.
type rowCheck struct {
	leaves []checkedLeaf
	nodes  []checkedNode
	open   []int32 // nodes the current row has said something about
}

// checkedLeaf is a leaf with the nodes around it, outermost first.
type checkedLeaf struct {
	schema.Leaf
	nodes []int32
}

// checkedNode is a struct, list or map. The leaves under it agree when they have
// the same sequence of levels, cut at the node's own: that is what shape sums up.
type checkedNode struct {
	path     string
	rep, def uint8
	leaves   int32 // how many are under it

	shape uint64 // of the leaf of the current row that came first
	said  int32  // leaves of the current row so far
}

func newRowCheck(t *schema.Table) *rowCheck {
	check := &rowCheck{}
	for _, c := range t.Columns {
		check.walk(c, c.Name, nil, 0, 0)
	}
	for i, leaf := range t.Leaves() {
		check.leaves[i].Leaf = leaf
	}
	return check
}

func (k *rowCheck) walk(c *schema.Column, path string, around []int32, rep, def uint8) {
	def++
	switch c.Kind {
	case schema.Struct:
		around = k.enter(path, around, rep, def)
		for _, f := range c.Fields {
			k.walk(f, join(path, f.Name), around, rep, def)
		}
	case schema.List:
		around = k.enter(path, around, rep+1, def+1)
		k.walk(c.Fields[0], join(path, "element"), around, rep+1, def+1)
	case schema.Map:
		around = k.enter(path, around, rep+1, def+1)
		k.leaf(around)
		k.walk(c.Fields[1], join(path, "value"), around, rep+1, def+1)
	default:
		k.leaf(around)
	}
}

func (k *rowCheck) enter(path string, around []int32, rep, def uint8) []int32 {
	k.nodes = append(k.nodes, checkedNode{path: path, rep: rep, def: def})
	return append(around[:len(around):len(around)], int32(len(k.nodes)-1))
}

func (k *rowCheck) leaf(around []int32) {
	k.leaves = append(k.leaves, checkedLeaf{nodes: around})
	for _, n := range around {
		k.nodes[n].leaves++
	}
}

// absent is the shape of a leaf without a cell.
var absent = shapeOf([]schema.Cell{{}}, 0, 0)

func shapeOf(cells []schema.Cell, rep, def uint8) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	shape := uint64(offset)
	for i := range cells {
		if cells[i].Rep <= rep {
			shape = (shape ^ uint64(cells[i].Rep)<<8 ^ uint64(min(cells[i].Def, def))) * prime
		}
	}
	return shape
}

// row reports the first contradiction in a row.
func (k *rowCheck) row(cells []schema.Cell) error {
	err := k.cells(cells)
	for _, n := range k.open {
		node := &k.nodes[n]
		if err == nil && node.said != node.leaves && node.shape != absent {
			err = fmt.Errorf("%s is there, but only %d of its %d leaves have cells", node.path, node.said, node.leaves)
		}
		node.said = 0
	}
	k.open = k.open[:0]
	return err
}

func (k *rowCheck) cells(cells []schema.Cell) error {
	last := int32(-1)
	for start := 0; start < len(cells); {
		leaf := cells[start].Leaf
		if leaf <= last || int(leaf) >= len(k.leaves) {
			return fmt.Errorf("cell %d is of leaf %d: after leaf %d, of %d", start, leaf, last, len(k.leaves))
		}
		last = leaf
		end := start + 1
		for end < len(cells) && cells[end].Leaf == leaf {
			end++
		}
		if err := k.run(&k.leaves[leaf], cells[start:end]); err != nil {
			return err
		}
		start = end
	}
	return nil
}

// run checks the cells of one leaf.
func (k *rowCheck) run(leaf *checkedLeaf, cells []schema.Cell) error {
	for i := range cells {
		c := &cells[i]
		if c.Def > leaf.MaxDef || c.Rep > leaf.MaxRep || (c.Rep == 0) != (i == 0) {
			return fmt.Errorf("%s: cell %d has levels r%d d%d, of r%d d%d",
				strings.Join(leaf.Path, "."), i, c.Rep, c.Def, leaf.MaxRep, leaf.MaxDef)
		}
	}
	for _, n := range leaf.nodes {
		node := &k.nodes[n]
		shape := shapeOf(cells, node.rep, node.def)
		if node.said == 0 {
			node.shape = shape
			k.open = append(k.open, n)
		}
		if node.shape != shape {
			return fmt.Errorf("%s: its leaves disagree at %s", node.path, strings.Join(leaf.Path, "."))
		}
		node.said++
	}
	return nil
}
