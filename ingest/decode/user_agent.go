package decode

import "strings"

// parseUserAgent replaces the user agent by its major facts.
func (s *submission) parseUserAgent() {
	agent, ok := s.attributes["user_agent"]
	if !ok {
		return
	}
	delete(s.attributes, "user_agent")
	browser, version, os := UserAgent(agent)
	for name, value := range map[string]string{
		"user_agent_browser": browser, "user_agent_version": version, "user_agent_os": os,
	} {
		if value != "" {
			s.attributes[name] = value
		}
	}
}

// versionRule says where a browser's version stands.
type versionRule uint8

const (
	afterSlash versionRule = iota // digits right behind TOKEN/
	afterSpace                    // digits right behind TOKEN and a space
	lastSlash                     // digits behind the last slash that digits follow
	constant11                    // always 11
)

// browsers are the tokens looked for at each place of a user agent, best first:
// the best one seen anywhere names the browser.
var browsers = []struct {
	token, browser, os string
	rule               versionRule
}{
	{token: "Edge", browser: "Edge"},
	{token: "Chrome", browser: "Chrome"},
	{token: "Opera Mini", browser: "Opera Mini", rule: lastSlash},
	{token: "Opera Mobi", browser: "Opera Mobi", rule: lastSlash},
	{token: "Opera", browser: "Opera", rule: lastSlash},
	{token: "MSIE", browser: "MSIE", rule: afterSpace},
	{token: "Trident/7.0", browser: "MSIE", rule: constant11},
	{token: "Safari", browser: "Safari", rule: lastSlash},
	{token: "Firefox AndroidSync", browser: "FxSync", os: "Android", rule: afterSpace},
	{token: "Firefox-iOS-Sync", browser: "FxSync", os: "iOS"},
	{token: "Firefox", browser: "Firefox"},
}

// systems are the operating systems' tokens, best first.
var systems = []struct{ token, os string }{
	{"iPod", "iPod"}, {"iPad", "iPad"}, {"iPhone", "iPhone"}, {"Android", "Android"}, {"BlackBerry", "BlackBerry"},
	{"Linux", "Linux"}, {"Macintosh", "Macintosh"}, {"Mozilla/5.0 (Mobile;", "FirefoxOS"},
	{"Windows NT 10.0", "Windows 10"}, {"Windows NT 6.3", "Windows 8.1"}, {"Windows NT 6.2", "Windows 8"},
	{"Windows NT 6.1", "Windows 7"}, {"Windows NT 6.0", "Windows Vista"}, {"Windows NT 5.1", "Windows XP"},
	{"Windows NT 5.0", "Windows 2000"},
}

// UserAgent reads browser, its major version and the operating system from a
// User-Agent header by the reference's table. What is not known is "".
func UserAgent(agent string) (browser, version, os string) {
	best := len(browsers)
	for i := 0; i < len(agent); {
		b := browserAt(agent[i:])
		if b < 0 {
			i++
			continue
		}
		found := browserVersion(agent, i, b)
		switch {
		case b < best:
			best, version = b, found
		case b == best && version == "":
			version = found
		}
		i += len(browsers[b].token)
	}
	if best < len(browsers) {
		browser, os = browsers[best].browser, browsers[best].os
	}
	for _, s := range systems {
		if os == "" && strings.Contains(agent, s.token) {
			os = s.os
		}
	}
	return browser, version, os
}

// browserAt is the index of the token that agent begins with, or -1.
func browserAt(agent string) int {
	switch agent[0] {
	case 'E', 'C', 'O', 'M', 'T', 'S', 'F':
	default:
		return -1
	}
	for b := range browsers {
		if strings.HasPrefix(agent, browsers[b].token) {
			return b
		}
	}
	return -1
}

// browserVersion is the version that belongs to token b at offset i.
func browserVersion(agent string, i, b int) string {
	behind := i + len(browsers[b].token)
	switch browsers[b].rule {
	case constant11:
		return "11"
	case lastSlash:
		return lastSlashDigits(agent)
	case afterSpace:
		return digitsBehind(agent, behind, ' ')
	}
	return digitsBehind(agent, behind, '/')
}

// digitsBehind are the digits after the separator that must stand at offset i.
func digitsBehind(s string, i int, separator byte) string {
	if i >= len(s) || s[i] != separator {
		return ""
	}
	return s[i+1 : digitsEnd(s, i+1)]
}

func lastSlashDigits(s string) string {
	for i := len(s) - 2; i >= 0; i-- {
		if s[i] != '/' {
			continue
		}
		if end := digitsEnd(s, i+1); end > i+1 {
			return s[i+1 : end]
		}
	}
	return ""
}
