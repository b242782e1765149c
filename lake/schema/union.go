package schema

// hasColumn says that the shape becomes a column.
func (s *shape) hasColumn() bool {
	switch s.kind {
	case unresolved, nothing:
		return false
	case record:
		for _, member := range s.members {
			if member.hasColumn() {
				return true
			}
		}
		return false
	case tuple:
		for _, item := range s.items {
			if item.hasColumn() {
				return true
			}
		}
		return false
	}
	return true
}

// union is the common kind of alternatives: null aside, equal kinds are that kind,
// integer and number are number, records merge by member, lists and mappings by
// what they hold. Alternatives without a common kind are unresolved.
func union(options []*shape) *shape {
	common := &shape{kind: nothing}
	for _, option := range options {
		common = join(common, option)
		if common.kind == unresolved {
			return common
		}
	}
	if common.kind == nothing {
		return &shape{kind: nothing}
	}
	return common
}

func join(a, b *shape) *shape {
	if a.kind == nothing {
		return b
	}
	if b.kind == nothing {
		return a
	}
	if a.kind == integer && b.kind == number || a.kind == number && b.kind == integer {
		return &shape{kind: number, about: a.about}
	}
	if a.kind != b.kind {
		return &shape{}
	}
	switch a.kind {
	case record:
		return joinRecords(a, b)
	case mapping, array:
		item := join(a.item, b.item)
		if !item.hasColumn() {
			return &shape{}
		}
		return &shape{kind: a.kind, item: item, about: a.about}
	case tuple:
		if len(a.items) != len(b.items) {
			return &shape{}
		}
		joined := &shape{kind: tuple, about: a.about}
		for i := range a.items {
			joined.items = append(joined.items, join(a.items[i], b.items[i]))
		}
		return joined
	}
	return a
}

// joinRecords merges members. One member without a common kind leaves the whole
// record without one.
func joinRecords(a, b *shape) *shape {
	members := make(map[string]*shape, len(a.members)+len(b.members))
	for key, member := range a.members {
		members[key] = member
	}
	for key, member := range b.members {
		if other, ok := members[key]; ok {
			member = join(other, member)
		}
		members[key] = member
	}
	for _, member := range members {
		if member.kind == unresolved {
			return &shape{}
		}
	}
	return &shape{kind: record, members: members, about: a.about}
}
