package decode

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/valyala/fastjson"
)

// redaction changes a payload in place and says whether there was anything to
// change.
type redaction interface {
	apply(document *fastjson.Value) (changed bool)
}

// removeMember removes the member key of each object that parents leads to.
type removeMember struct {
	parents payloadPath
	key     string
}

func (r removeMember) apply(document *fastjson.Value) (changed bool) {
	r.parents.visit(document, func(parent *fastjson.Value) {
		if isObject(parent) && parent.Exists(r.key) {
			parent.Del(r.key)
			changed = true
		}
	})
	return changed
}

// nullMember sets the member key of each object that parents leads to, where there
// is one, to null.
type nullMember struct {
	parents payloadPath
	key     string
}

func (r nullMember) apply(document *fastjson.Value) (changed bool) {
	r.parents.visit(document, func(parent *fastjson.Value) {
		if !isObject(parent) {
			return
		}
		if member := parent.Get(r.key); member != nil && member.Type() != fastjson.TypeNull {
			parent.Set(r.key, nil)
			changed = true
		}
	})
	return changed
}

// rewriteKeys rewrites keys of each object that path leads to.
type rewriteKeys struct {
	path  payloadPath
	forms []keyForm // the first that a key must be rewritten by counts
}

// keyForm is a form that keys can have, with a part that must be one of a list.
type keyForm struct {
	pattern *regexp.Regexp // of the whole key
	group   int            // the part
	allowed map[string]struct{}
	replace []byte // what a key with another part becomes, a template of regexp.Expand
}

// rewrite is what key becomes, ok is false if it stays.
func (k *keyForm) rewrite(key []byte) (rewritten string, ok bool) {
	m := k.pattern.FindSubmatchIndex(key)
	if m == nil {
		return "", false
	}
	if from := m[2*k.group]; from >= 0 {
		if _, allowed := k.allowed[string(key[from:m[2*k.group+1]])]; allowed {
			return "", false
		}
	}
	rewritten = string(k.pattern.Expand(nil, k.replace, key, m))
	return rewritten, rewritten != string(key)
}

func (r rewriteKeys) apply(document *fastjson.Value) (changed bool) {
	r.path.visit(document, func(v *fastjson.Value) {
		if isObject(v) && r.rewriteObject(v) {
			changed = true
		}
	})
	return changed
}

// renamedKey is the index of a member and its new key.
type renamedKey struct {
	member int
	key    string
}

// rewriteObject takes each member whose key must change out of the object and puts
// it in again under its new key, one after the other: at the end, or in the place
// of a member that has that key, whose value is lost.
func (r rewriteKeys) rewriteObject(v *fastjson.Value) (changed bool) {
	object, _ := v.Object()
	var renamed []renamedKey
	i := 0
	object.Visit(func(key []byte, _ *fastjson.Value) {
		for f := range r.forms {
			if rewritten, ok := r.forms[f].rewrite(key); ok {
				renamed = append(renamed, renamedKey{i, rewritten})
				break
			}
		}
		i++
	})
	if renamed == nil {
		return false
	}

	members := make([]objectMember, 0, object.Len()+len(renamed))
	places := make(map[string]int, object.Len())
	object.Visit(func(key []byte, member *fastjson.Value) {
		places[string(key)] = len(members)
		members = append(members, objectMember{string(key), member})
	})
	for _, rename := range renamed {
		from := &members[rename.member]
		value := from.value
		delete(places, from.key)
		from.value = nil
		if place, taken := places[rename.key]; taken {
			members[place].value = value
			continue
		}
		places[rename.key] = len(members)
		members = append(members, objectMember{rename.key, value})
	}
	setMembers(v, members)
	return true
}

// objectMember is a member of an object; without a value it is removed.
type objectMember struct {
	key   string
	value *fastjson.Value
}

// setMembers gives the object v new members. Object.Set and Object.Del search all
// keys each time, so the keys are parsed as a new object, in one go, and the values
// put into it.
func setMembers(v *fastjson.Value, members []objectMember) {
	size := 1
	for _, m := range members {
		size += len(m.key) + len(`,"":0`)
	}
	text := make([]byte, 0, size)
	values := make([]*fastjson.Value, 0, len(members))
	for _, m := range members {
		if m.value == nil {
			continue
		}
		text = append(text, ',')
		text = append(appendKey(text, m.key), ":0"...)
		values = append(values, m.value)
	}
	text = append(text, '}')
	text[0] = '{'
	var parser fastjson.Parser
	rebuilt, err := parser.ParseBytes(text)
	if err != nil {
		panic(fmt.Errorf("the keys of an object, written as JSON: %w", err)) // appendKey writes nothing else
	}
	object, _ := rebuilt.Object()
	i := 0
	object.Visit(func(_ []byte, member *fastjson.Value) {
		*member = *values[i]
		i++
	})
	*v = *rebuilt
}

// appendKey writes key as JSON text.
func appendKey(text []byte, key string) []byte {
	for i := range len(key) {
		if c := key[i]; c < 0x20 || c == '"' || c == '\\' {
			quoted, err := json.Marshal(key)
			if err != nil {
				panic(fmt.Errorf("a text as JSON: %w", err)) // every text can be written
			}
			return append(text, quoted...)
		}
	}
	text = append(text, '"')
	text = append(text, key...)
	return append(text, '"')
}
