package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// traffic is names that are asked for, each for its MX or its address.
type traffic struct {
	names []string
	file  string // for dnsperf
}

// size is how many different names each traffic has, which every cache can hold.
const size = 1000

// blockedTraffic is drawn from the names that the zone blocks, half of them with a host
// in front.
func blockedTraffic(blocked []string, file string) (traffic, error) {
	r := rand.New(rand.NewPCG(1, 1))
	t := traffic{file: file}
	for i := range size {
		name := pick(r, blocked...)
		if i%2 == 1 {
			name = fmt.Sprintf("mx%d.%s", i, name)
		}
		t.names = append(t.names, name)
	}
	return t, t.write()
}

// passingTraffic has made-up names that resemble nothing, one in ten under the
// lookalike TLD.
func passingTraffic(index *detect.Index, file string) (traffic, error) {
	r := rand.New(rand.NewPCG(2, 2))
	t := traffic{file: file}
	seen := make(map[string]bool)
	for len(t.names) < size {
		syllables := make([]string, 3+r.IntN(3))
		for i := range syllables {
			syllables[i] = pick(r, strings.Split("bdfgklmnprstvz", "")...) + pick(r, "a", "e", "i", "o", "u")
		}
		name := strings.Join(syllables, "")
		if len(t.names)%10 == 0 {
			name += ".ml"
		} else {
			name += "." + pick(r, "com", "org", "net", "de", "fr")
		}
		if _, resembles := index.Match(name); resembles || seen[name] {
			continue
		}
		seen[name] = true
		t.names = append(t.names, name)
	}
	return t, t.write()
}

// qtype is what the name at i is asked for. Hosts and domains are both asked for both.
func (t traffic) qtype(i int) uint16 { return []uint16{dns.TypeMX, dns.TypeA}[i/2%2] }

// write writes the queries for dnsperf.
func (t traffic) write() error {
	var b strings.Builder
	for i, name := range t.names {
		fmt.Fprintf(&b, "%s %s\n", name, dns.Type(t.qtype(i)))
	}
	return os.WriteFile(t.file, []byte(b.String()), 0o600)
}
