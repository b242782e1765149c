package schema

import "strings"

// SnakeCase turns a name of a payload, a namespace or a doctype into the lower
// case words of a table name.
//
// Anything that is no ASCII letter or digit ends a word. Inside a word a capital
// begins a new one after a lower-case letter, or when it is the last capital of a
// run and a lower-case letter follows. Digits belong to what stands left of them.
func SnakeCase(s string) string {
	if isSnake(s) {
		return s
	}
	b := make([]byte, 0, len(s)+8)
	var previous byte // nearest letter before this one in the same run, 0 if none
	inRun := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isLetter(c) && !isDigit(c) {
			inRun, previous = false, 0
			continue
		}
		starts := !inRun && len(b) > 0
		if isUpper(c) && (isLower(previous) || isUpper(previous) && i+1 < len(s) && isLower(s[i+1])) {
			starts = true
		}
		if starts {
			b = append(b, '_')
		}
		inRun = true
		if isLetter(c) {
			previous = c
		}
		b = append(b, c|0x20)
	}
	return string(b)
}

// ColumnName is the column of a payload's key: snake case, and an underscore
// before a leading digit.
func ColumnName(key string) string {
	name := SnakeCase(key)
	if key != "" && isDigit(key[0]) {
		return "_" + name
	}
	return name
}

// TableName is the name of a doctype's table: deletion_request_v1.
func TableName(doctype, version string) string {
	return SnakeCase(doctype) + "_v" + strings.ReplaceAll(version, "-", "_")
}

// DatasetName is a dataset of a namespace: my_app_live for the suffix live, my_app
// for none.
func DatasetName(namespace, suffix string) string {
	if suffix == "" {
		return SnakeCase(namespace)
	}
	return SnakeCase(namespace) + "_" + suffix
}

// fileName normalises a part of a schema's path: snake case up to the first dot.
func fileName(part string) string {
	head, tail, found := strings.Cut(part, ".")
	if !found {
		return SnakeCase(part)
	}
	return SnakeCase(head) + "." + tail
}

// isSnake says that s is its own snake case.
func isSnake(s string) bool {
	if s == "" || s[0] == '_' || s[len(s)-1] == '_' {
		return s == ""
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '_' && s[i-1] == '_' || c != '_' && !isLower(c) && !isDigit(c) {
			return false
		}
	}
	return true
}

func isLower(c byte) bool  { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool  { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return isLower(c) || isUpper(c) }
