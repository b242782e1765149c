package shell

import (
	"regexp"
	"strings"
)

// split takes the complete statements off a text, each without its semicolon, and
// gives what is left: a statement without an end. Semicolons in strings, quoted
// names, dollar quotes and comments end nothing. Statements of only blanks and
// comments are left out.
func split(text string) (statements []string, rest string) {
	start := 0
	for i := 0; i < len(text); {
		if text[i] != ';' {
			i += skip(text[i:])
			continue
		}
		if statement := strings.TrimSpace(text[start:i]); !isBlank(statement) {
			statements = append(statements, statement)
		}
		i++
		start = i
	}
	return statements, text[start:]
}

// isBlank says whether a text has nothing to run: blanks and comments.
func isBlank(text string) bool {
	for i := 0; i < len(text); {
		n := skip(text[i:])
		if !isComment(text[i:]) && strings.TrimSpace(text[i:i+n]) != "" {
			return false
		}
		i += n
	}
	return true
}

// isOpen says whether a text ends inside a string, quoted name or comment.
func isOpen(text string) bool {
	for i := 0; i < len(text); {
		n := skip(text[i:])
		if i+n > len(text) {
			return true
		}
		i += n
	}
	return false
}

func isComment(text string) bool {
	return strings.HasPrefix(text, "--") || strings.HasPrefix(text, "/*")
}

var (
	dollarTag  = regexp.MustCompile(`^\$([A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)
	identifier = regexp.MustCompile(`^[A-Za-z0-9_$\x80-\xff]+`)
)

// skip is the length of the token that text begins with, as far as it matters
// here. Beyond the end of the text means that the token is not closed.
func skip(text string) int {
	switch {
	case strings.HasPrefix(text, "--"):
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			return end + 1
		}
		return len(text)
	case strings.HasPrefix(text, "/*"):
		return comment(text)
	case text[0] == '\'' || text[0] == '"':
		return quoted(text, 1, text[0], 0)
	case (text[0] == 'e' || text[0] == 'E') && len(text) > 1 && text[1] == '\'':
		return quoted(text, 2, '\'', '\\')
	case text[0] == '$':
		tag := dollarTag.FindString(text)
		if tag == "" {
			return 1
		}
		if end := strings.Index(text[len(tag):], tag); end >= 0 {
			return len(tag) + end + len(tag)
		}
		return len(text) + 1
	}
	// A whole word, so that the e of "name'" does not begin an escaped string, nor
	// a dollar in a name a dollar quote.
	if word := identifier.FindString(text); word != "" {
		return len(word)
	}
	return 1
}

// quoted is the length of a quoted text. A doubled quote is a quote inside it, as
// is an escaped one where there is an escape.
func quoted(text string, from int, quote, escape byte) int {
	for i := from; i < len(text); i++ {
		switch {
		case escape != 0 && text[i] == escape:
			i++
		case text[i] != quote:
		case i+1 < len(text) && text[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(text) + 1
}

// comment is the length of a block comment; they nest.
func comment(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(text) + 1
}
