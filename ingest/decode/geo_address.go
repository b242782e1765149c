package decode

import (
	"net/netip"
	"strings"
)

// trimProxies leaves in x_forwarded_for what is ahead of the pipeline's own
// proxies, so that its last entry is the client, and forgets remote_addr, which
// is a proxy's or the client's own.
//
// trailing entries are the proxies', as many as there are, but a lone entry
// stays: it came without them. Then skip more are removed, as a schema's
// geoip_skip_entries says, the lone one too. Blank entries do not count.
func trimProxies(attributes map[string]string, trailing, skip int) {
	delete(attributes, "remote_addr")
	forwarded, ok := attributes["x_forwarded_for"]
	if !ok {
		return
	}
	var few [8]string // on the stack
	entries := few[:0]
	for entry := range strings.SplitSeq(forwarded, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	if len(entries) > 1 {
		entries = entries[:max(0, len(entries)-trailing)]
	}
	entries = entries[:max(0, len(entries)-skip)]
	attributes["x_forwarded_for"] = strings.Join(entries, ",")
}

// clientAddress is the last entry of a trimmed x_forwarded_for; ok is false when
// that is no address.
func clientAddress(forwarded string) (address netip.Addr, ok bool) {
	return parseAddress(strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:]))
}

// parseAddress reads an address as the reference's InetAddress.getByName does, but
// never asks DNS: short IPv4 forms are addresses, IPv6 may have brackets and a
// numeric zone, and IPv4 in IPv6 is IPv4.
func parseAddress(text string) (address netip.Addr, ok bool) {
	if !strings.Contains(text, ":") {
		return parseIPv4(text)
	}
	if inner, found := strings.CutPrefix(text, "["); found {
		if text, found = strings.CutSuffix(inner, "]"); !found {
			return netip.Addr{}, false
		}
	}
	text, zone, zoned := strings.Cut(text, "%")
	if zoned && (zone == "" || digitsEnd(zone, 0) != len(zone)) {
		return netip.Addr{}, false
	}
	address, err := netip.ParseAddr(text)
	return address.Unmap(), err == nil
}

// maxIPv4Text is the longest text that is read as IPv4: 255.255.255.255.
const maxIPv4Text = 15

// parseIPv4 reads one to four decimal numbers with dots between. Each but the last
// is a byte, the last fills what is left: 1.2.3 is 1.2.0.3. Zeros ahead mean
// nothing.
func parseIPv4(text string) (address netip.Addr, ok bool) {
	if len(text) > maxIPv4Text {
		return netip.Addr{}, false
	}
	var octets [4]byte
	at, value, digits := 0, uint64(0), 0
	for i := range len(text) {
		c := text[i]
		switch {
		case '0' <= c && c <= '9':
			value = value*10 + uint64(c-'0')
			digits++
		case c == '.' && digits > 0 && value <= 255 && at < 3:
			octets[at] = byte(value)
			at, value, digits = at+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	if digits == 0 || value >= 1<<(8*(4-at)) {
		return netip.Addr{}, false
	}
	for i := 3; i >= at; i-- {
		octets[i] = byte(value)
		value >>= 8
	}
	return netip.AddrFrom4(octets), true
}
