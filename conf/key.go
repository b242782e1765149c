package conf

import (
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// envPrefix begins the names of all environment variables that are settings.
const envPrefix = "PINGLAKE_"

// Key is one setting: its names, its default and what it means.
type Key struct {
	Key     string // edge.max_body
	Env     string // PINGLAKE_EDGE_MAX_BODY
	Default string
	Doc     string

	path     []int // of the field in Settings
	kind     reflect.Type
	min, max string
	oneof    []string
	form     string
}

// Keys are all settings in the order of the Settings struct.
func Keys() []Key { return keysOf(reflect.TypeFor[Settings](), "", nil) }

func keysOf(t reflect.Type, prefix string, path []int) []Key {
	var keys []Key
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		name := prefix + f.Tag.Get("mapstructure")
		at := append(slices.Clone(path), i)
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(f.Type, name+".", at)...)
			continue
		}
		keys = append(keys, Key{
			Key: name, Env: envPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_")),
			Default: f.Tag.Get("default"), Doc: f.Tag.Get("doc"),
			path: at, kind: f.Type,
			min: f.Tag.Get("min"), max: f.Tag.Get("max"),
			oneof: strings.Fields(f.Tag.Get("oneof")), form: f.Tag.Get("form"),
		})
	}
	return keys
}

// textIn is the setting's value in s, as it could be written in a file.
func (k *Key) textIn(s *Settings) string {
	return fmt.Sprint(reflect.ValueOf(s).Elem().FieldByIndex(k.path).Interface())
}

// check says what is wrong with a value, "" if nothing is. The value is what a
// TOML file or a text can hold.
func (k *Key) check(value any) string {
	switch value.(type) {
	case string, bool, int64, int, float64:
	default:
		return "want " + k.wanted()
	}
	text := fmt.Sprint(value)
	if k.kind == reflect.TypeFor[Routes]() {
		return routesFault(text)
	}
	n, ok := k.measure(text)
	switch {
	case !ok:
		return fmt.Sprintf("%q: want %s", text, k.wanted())
	case len(k.oneof) > 0 && !slices.Contains(k.oneof, text):
		return fmt.Sprintf("%q: want one of %s", text, strings.Join(k.oneof, ", "))
	case k.form == "addr" && !isAddress(text):
		return fmt.Sprintf("%q: want host:port", text)
	case k.kind.Kind() == reflect.String && k.min != "" && text == "":
		return "must not be empty"
	case k.kind.Kind() != reflect.String && k.tooFar(n):
		return fmt.Sprintf("%q: want %s", text, k.bounds())
	}
	return ""
}

// routesFault says all that is wrong with a route table.
func routesFault(text string) string {
	if _, err := ParseRoutes(text); err != nil {
		return err.Error()
	}
	return ""
}

// measure reads a text as the setting's kind. n is what bounds are compared by.
func (k *Key) measure(text string) (n int64, ok bool) {
	switch k.kind {
	case reflect.TypeFor[Size]():
		size, err := ParseSize(text)
		return int64(size), err == nil
	case reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(text)
		return int64(d), err == nil && text != "0"
	case reflect.TypeFor[TimeOfDay]():
		at, err := ParseTimeOfDay(text)
		return int64(at), err == nil
	}
	switch k.kind.Kind() {
	case reflect.Bool:
		return 0, text == "true" || text == "false"
	case reflect.Int:
		n, err := strconv.Atoi(text)
		return int64(n), err == nil && strconv.Itoa(n) == text
	}
	return 0, true
}

func (k *Key) wanted() string {
	switch k.kind {
	case reflect.TypeFor[Size]():
		return "a size like 64MiB"
	case reflect.TypeFor[time.Duration]():
		return "a duration like 30s"
	case reflect.TypeFor[TimeOfDay]():
		return "a time of day like 01:00"
	}
	switch k.kind.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	}
	return "text"
}

func (k *Key) tooFar(n int64) bool {
	if low, ok := k.measure(k.min); ok && k.min != "" && n < low {
		return true
	}
	high, ok := k.measure(k.max)
	return ok && k.max != "" && n > high
}

func (k *Key) bounds() string {
	if k.max == "" {
		return k.min + " or more"
	}
	return k.min + " to " + k.max
}

// isAddress is true for host:port, the host being empty for all addresses.
func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}
