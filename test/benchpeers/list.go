package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// origin is the name of the zone.
const origin = "rpz.example.org"

// list is what a server blocks by.
type list struct {
	protected []string // our form of it
	zone      string   // of lookalike rpz, with
	records   int      // so many records
	blocked   []string // names that it blocks, each with all names below it
	suffixes  []string // these, and mil.ml, where it blocks only names below
}

// form writes a list for a server, and counts its entries.
type form func(list) (text string, entries int)

func protected(l list) (string, int) { return lines("", l.protected, ""), len(l.protected) }
func zoneFile(l list) (string, int)  { return l.zone, l.records }
func nameLines(l list) (string, int) { return lines("", l.suffixes, ""), len(l.suffixes) }
func serverLines(l list) (string, int) {
	return lines("server=/", l.suffixes, "/"), len(l.suffixes)
}

// lines is a line for each name.
func lines(before string, names []string, after string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(before + name + after + "\n")
	}
	return b.String()
}

// cost is what it takes to write the zone.
type cost struct {
	took time.Duration
	cpu  time.Duration
	peak int64 // bytes
}

// compile has the tool write the zone for these names. Every zone has a higher serial
// than the one before.
func (b *bench) compile(ctx context.Context, names []string) (l list, c cost, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	conf, file := filepath.Join(b.dir, "Corefile"), filepath.Join(b.dir, "zone")
	text := fmt.Sprintf(". {\n\tlookalike ml {\n\t\tprotect %s\n\t}\n}\n", strings.Join(names, " "))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return l, c, err
	}
	args := []string{"rpz", "-conf", conf, "-origin", origin, "-o", file}
	if b.classes != "" {
		args = append(args, "-classes", b.classes)
	}
	began := time.Now()
	cmd := exec.CommandContext(ctx, b.tool, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return l, c, fmt.Errorf("%s rpz: %w\n%s", b.tool, err, out)
	}
	c = cost{took: time.Since(began), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.peak = usage.Maxrss << 10
	}
	zone, err := os.ReadFile(file)
	if err != nil {
		return l, c, err
	}
	l, err = parseZone(string(zone))
	l.protected = slices.Clone(names)
	return l, c, err
}

// parseZone finds the names that a zone blocks. All of its rules must be NXDOMAIN, and
// apply to names below as well.
func parseZone(zone string) (list, error) {
	l := list{zone: zone}
	parser := dns.NewZoneParser(strings.NewReader(zone), dns.Fqdn(origin), "")
	below := make(map[string]bool)
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		l.records++
		cname, ok := rr.(*dns.CNAME)
		if !ok {
			continue // of the apex
		}
		name := strings.TrimSuffix(cname.Hdr.Name, "."+dns.Fqdn(origin))
		if cname.Target != "." {
			return l, fmt.Errorf("the zone has %s for %s; only NXDOMAIN can be compared", cname.Target, name)
		}
		if rest, found := strings.CutPrefix(name, "*."); found {
			below[rest] = true
			l.suffixes = append(l.suffixes, rest)
		} else {
			l.blocked = append(l.blocked, name)
		}
	}
	if err := parser.Err(); err != nil {
		return l, err
	}
	for _, name := range l.blocked {
		if !below[name] {
			return l, fmt.Errorf("the zone does not block names below %s", name)
		}
	}
	return l, nil
}
