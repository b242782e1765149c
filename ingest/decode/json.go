package decode

import "fmt"

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = 256

// scanValue checks that b begins with one JSON value in the grammar of RFC 8259,
// and returns the offset behind it. The parser that follows is lenient with
// numbers, escapes and control characters; this is where they are refused.
func scanValue(b []byte) (end int, err error) {
	s := scanner{b: b}
	s.space()
	if s.i == len(b) {
		return 0, errNotAnObject
	}
	if !s.value(0) {
		return 0, s.fault()
	}
	return s.i, nil
}

// scanner walks b; on a fault i is where it is and what says what was expected.
type scanner struct {
	b    []byte
	i    int
	what string
}

func (s *scanner) fault() error {
	if s.i >= len(s.b) {
		return fmt.Errorf("the JSON ends at byte %d where %s is expected", s.i, s.what)
	}
	return fmt.Errorf("byte %d is %q where %s is expected", s.i, s.b[s.i], s.what)
}

func (s *scanner) expected(what string) bool {
	s.what = what
	return false
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// at is the byte at the cursor, 0 at the end; 0 itself is never valid JSON.
func (s *scanner) at() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) value(depth int) bool {
	if depth > MaxDepth {
		return s.expected(fmt.Sprintf("nothing deeper than %d levels", MaxDepth))
	}
	switch c := s.at(); {
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '"':
		return s.text()
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.expected("a value")
}

func (s *scanner) word(word string) bool {
	for j := range len(word) {
		if s.at() != word[j] {
			return s.expected(word)
		}
		s.i++
	}
	return true
}

func (s *scanner) object(depth int) bool {
	s.i++
	s.space()
	if s.at() == '}' {
		s.i++
		return true
	}
	for {
		if s.at() != '"' {
			return s.expected("a key")
		}
		if !s.text() {
			return false
		}
		s.space()
		if s.at() != ':' {
			return s.expected("':'")
		}
		s.i++
		s.space()
		if !s.value(depth + 1) {
			return false
		}
		if closed, ok := s.next('}', "',' or '}'"); closed || !ok {
			return ok
		}
	}
}

func (s *scanner) array(depth int) bool {
	s.i++
	s.space()
	if s.at() == ']' {
		s.i++
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		if closed, ok := s.next(']', "',' or ']'"); closed || !ok {
			return ok
		}
	}
}

// next steps over a comma, or over the closing bracket.
func (s *scanner) next(closing byte, what string) (closed, ok bool) {
	s.space()
	switch s.at() {
	case closing:
		s.i++
		return true, true
	case ',':
		s.i++
		s.space()
		return false, true
	}
	return false, s.expected(what)
}

func (s *scanner) text() bool {
	s.i++
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return true
		case c == '\\':
			s.i++
			if !s.escape() {
				return false
			}
		case c < 0x20:
			return s.expected("an escape")
		default:
			s.i++
		}
	}
	return s.expected("'\"'")
}

func (s *scanner) escape() bool {
	switch s.at() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i++
		return true
	case 'u':
		s.i++
		for range 4 {
			if !isHex(s.at()) {
				return s.expected("a hexadecimal digit")
			}
			s.i++
		}
		return true
	}
	return s.expected("an escape")
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// maxNumber is the longest number, in characters.
const maxNumber = 1000

func (s *scanner) number() bool {
	start := s.i
	if !s.numeral() {
		return false
	}
	if s.i-start > maxNumber {
		s.i = start + maxNumber
		return s.expected(fmt.Sprintf("the end of a number of %d characters", maxNumber))
	}
	return true
}

func (s *scanner) numeral() bool {
	if s.at() == '-' {
		s.i++
	}
	if s.at() == '0' {
		s.i++
		if c := s.at(); '0' <= c && c <= '9' {
			return s.expected("the end of a number")
		}
	} else if !s.digits() {
		return false
	}
	if s.at() == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if c := s.at(); c == 'e' || c == 'E' {
		s.i++
		if c := s.at(); c == '+' || c == '-' {
			s.i++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.i
	for c := s.at(); '0' <= c && c <= '9'; c = s.at() {
		s.i++
	}
	if s.i == start {
		return s.expected("a digit")
	}
	return true
}
