package schema

import "testing"

func TestPatternsFindAndLetTheLastNewlineBe(t *testing.T) {
	const noData = `^((?!data)([a-zA-Z][a-zA-Z0-9-\+\.]*):(.*))$`
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`^[0-9]+$`, "12", true},
		{`^[0-9]+$`, "12\n", true},
		{`^[0-9]+$`, "12\n\n", false},
		{`^[0-9]+$`, "12x", false},
		{`[a-f0-9]{4}`, "zz12abzz", true},
		{`^[0-9]{2,3}\.`, "153.7.0esr", true},
		{`^[a-z-_][a-z0-9-_]*$`, "my-ping_1", true},
		{`^a$|b`, "a\n", true},
		{`^\S+$`, "no space", false},
		{noData, "https://example.com/", true},
		{noData, "https://example.com/\n", true},
		{noData, "data:text/plain,x", false},
		{noData, "no colon", false},
	} {
		p, err := compilePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.MatchString(c.text); got != c.want {
			t.Errorf("%q in %q: %v", c.pattern, c.text, got)
		}
	}
	if _, err := compilePattern(`(unclosed`); err == nil {
		t.Error("a broken pattern compiles")
	}
}
