package decode

import "strings"

// normalize adds the normalized_* attributes, each only when its source is
// there.
func (s *submission) normalize() {
	for _, n := range normalizations {
		if value, ok := s.attributes[n.source]; ok {
			s.attributes[n.target] = n.rule(value)
		}
	}
}

var normalizations = []struct {
	source, target string
	rule           func(string) string
}{
	{"app_update_channel", "normalized_channel", normalizeChannel},
	{"os", "normalized_os", normalizeOS},
	{"os_version", "normalized_os_version", normalizeOSVersion},
	{"app_name", "normalized_app_name", normalizeAppName},
	{"geo_country", "normalized_country_code", normalizeCountry},
}

const other = "Other"

func normalizeChannel(channel string) string {
	switch channel {
	case "release", "esr", "beta", "aurora", "nightly":
		return channel
	}
	switch {
	case strings.HasPrefix(channel, "nightly-cck-"):
		return "nightly"
	case strings.HasPrefix(channel, "beta"):
		return "beta"
	}
	return other
}

func normalizeOS(os string) string {
	has := func(part string) bool { return strings.Contains(os, part) }
	begins := func(prefix string) bool { return strings.HasPrefix(os, prefix) }
	switch {
	case begins("Windows"), begins("WINNT"):
		return "Windows"
	case begins("Darwin"):
		return "Mac"
	case has("Linux"), has("BSD"), has("SunOS"), has("Solaris"):
		return "Linux"
	case begins("iOS"), has("iPhone"):
		return "iOS"
	case begins("Android"):
		return "Android"
	}
	return other
}

// normalizeOSVersion keeps up to three dotted numbers at the head, "" when there
// are none or when a line break follows.
func normalizeOSVersion(version string) string {
	if strings.ContainsAny(version, "\n\r\u0085\u2028\u2029") {
		return ""
	}
	end := digitsEnd(version, 0)
	if end == 0 {
		return ""
	}
	for range 2 {
		if end == len(version) || version[end] != '.' {
			break
		}
		next := digitsEnd(version, end+1)
		if next == end+1 {
			break
		}
		end = next
	}
	return version[:end]
}

// digitsEnd is the offset behind the digits at from.
func digitsEnd(s string, from int) int {
	for from < len(s) && '0' <= s[from] && s[from] <= '9' {
		from++
	}
	return from
}

// appNames are the known apps; the first that is a prefix wins.
var appNames = []string{
	"Zerda_cn", "Zerda", "Focus-TV", "Focus", "Klar", "FirefoxReality_oculusvr", "FirefoxReality_googlevr",
	"FirefoxReality_wavevr", "FirefoxForFireTV", "FirefoxConnect", "Fennec", "Scryer", "WebXR", "Lockbox", "Firefox",
}

func normalizeAppName(name string) string {
	for _, known := range appNames {
		if strings.HasPrefix(name, known) {
			return known
		}
	}
	return other
}

func normalizeCountry(country string) string {
	code := strings.ToUpper(country)
	if len(code) == 2 && 'A' <= code[0] && code[0] <= 'Z' && 'A' <= code[1] && code[1] <= 'Z' {
		return code
	}
	return other
}
