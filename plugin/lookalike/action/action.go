// Package action holds the actions for lookalikes: it reads the action lines of
// a Corefile into one table. The kinds of actions are rows of a table in package
// record, since alerts name them; package answer writes their answers.
package action

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Action is what is done with a query for a lookalike, with its arguments. The
// zero value is off: no answer, no alert.
type Action struct {
	Kind      record.Action
	Addresses []netip.Addr // of the sinkhole; at least one if and only if Kind is Sinkhole
	Unchecked bool         // the sinkhole's addresses are used even while nobody answers there
}

// String returns the action as it is written in Corefiles and alerts, without
// its arguments.
func (a Action) String() string { return a.Kind.String() }

// Blocks reports whether the query is answered (or dropped) here instead of
// being passed on.
func (a Action) Blocks() bool { return a.Kind.Blocks() }

// parseAction reads "ACTION [ARGUMENT...]".
func parseAction(args []string) (Action, error) {
	kind, ok := record.ParseAction(args[0])
	switch {
	case !ok:
		return Action{}, fmt.Errorf("unknown action %q: want one of %s", args[0], oneOf(record.Actions()))
	case kind == record.Sinkhole:
		words, unchecked := cutUnchecked(args[1:])
		addrs, err := parseSinkhole(words)
		return Action{kind, addrs, unchecked}, err
	case len(args) > 1:
		return Action{}, fmt.Errorf("action %s takes no argument, got %q", kind, args[1])
	}
	return Action{Kind: kind}, nil
}

// Available returns what is done instead of a while up does not hold for the
// addresses of a sinkhole: the same with the others, or NXDOMAIN where there are
// none.
func (a Action) Available(up func(netip.Addr) bool) Action {
	if a.Kind != record.Sinkhole || a.Unchecked {
		return a
	}
	down := func(address netip.Addr) bool { return !up(address) }
	if !slices.ContainsFunc(a.Addresses, down) {
		return a
	}
	a.Addresses = slices.DeleteFunc(slices.Clone(a.Addresses), down)
	if len(a.Addresses) == 0 {
		return Action{Kind: record.NXDomain}
	}
	return a
}

// cutUnchecked takes off the word that may follow a sinkhole's addresses.
func cutUnchecked(args []string) ([]string, bool) {
	if last := len(args) - 1; last >= 0 && args[last] == "unchecked" {
		return args[:last], true
	}
	return args, false
}

// MaxSinkholes keeps the answer that has all addresses of a sinkhole, for a name
// of 255 octets, below the 65535 octets of a DNS message (RFC 1035 section
// 4.2.2).
const MaxSinkholes = 64

// parseSinkhole reads the addresses of a sinkhole. It refuses those that make
// mail loop back to the mail server that asked.
func parseSinkhole(args []string) ([]netip.Addr, error) {
	if len(args) == 0 {
		return nil, errors.New("action sinkhole needs the address of a host that refuses mail, e.g. 'sinkhole 192.0.2.25'")
	}
	if len(args) > MaxSinkholes {
		return nil, fmt.Errorf("action sinkhole has %d addresses, want at most %d, so that every answer fits into a DNS message", len(args), MaxSinkholes)
	}
	addrs := make([]netip.Addr, 0, len(args))
	for _, arg := range args {
		addr, err := netip.ParseAddr(arg)
		if err != nil {
			return nil, fmt.Errorf("sinkhole %q is not an IP address: write IPv4 and IPv6 addresses without a port, "+
				"with blanks between them, and 'unchecked' last", arg)
		}
		if addr.Zone() != "" {
			return nil, fmt.Errorf("sinkhole %s: an address in a DNS answer cannot have a zone: write it without what follows the %%", arg)
		}
		addr = addr.Unmap()
		if loops(addr) {
			return nil, fmt.Errorf("sinkhole %s: with a loopback, unspecified, link-local, multicast or reserved address "+
				"mail loops or is queued; name a host that refuses mail", arg)
		}
		if slices.Contains(addrs, addr) {
			return nil, fmt.Errorf("sinkhole %s is given twice: remove one", arg)
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// nobody are the addresses of no other host (RFC 6890): this host and this
// network, its links, groups, and what is reserved. An IPv6 address with an IPv4
// address in it may lead to that one.
var (
	nobody = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("224.0.0.0/3"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fe80::/10"),
		netip.MustParsePrefix("ff00::/8"),
	}
	nat64 = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
)

// loops reports whether mail to an address comes back to the mail server that
// asked, or goes nowhere.
func loops(addr netip.Addr) bool {
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	return slices.ContainsFunc(nobody, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Table says what is done for each class at each confidence.
type Table [detect.DoubleTypo + 1][detect.High + 1]Action

// Private returns the private addresses (RFC 1918, RFC 4193) of sinkholes, each
// once.
func (t *Table) Private() []netip.Addr {
	return t.sinkholes(func(_ Action, address netip.Addr) bool { return address.IsPrivate() })
}

// Checked returns the addresses of sinkholes that are used only while somebody
// answers there, each once.
func (t *Table) Checked() []netip.Addr {
	return t.sinkholes(func(a Action, _ netip.Addr) bool { return !a.Unchecked })
}

func (t *Table) sinkholes(ok func(Action, netip.Addr) bool) []netip.Addr {
	var addresses []netip.Addr
	for _, row := range t {
		for _, a := range row {
			for _, address := range a.Addresses {
				if ok(a, address) && !slices.Contains(addresses, address) {
					addresses = append(addresses, address)
				}
			}
		}
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return addresses
}

// Lines collects the action lines of a directive. A class overrides its
// confidence, and a confidence overrides the line without a selector.
type Lines struct {
	byClass      map[detect.Class]Action
	byConfidence map[detect.Confidence]Action
	all          *Action
}

// Add reads the arguments of one action line.
func (l *Lines) Add(args []string) error {
	if len(args) == 0 {
		return errors.New("action needs an argument: [CONFIDENCE|CLASS] ACTION")
	}
	class, classErr := detect.ParseClass(args[0])
	confidence, confidenceErr := detect.ParseConfidence(args[0])
	rest := args
	if selects(args[0]) {
		rest = args[1:]
	}
	switch {
	case len(rest) == 0:
		return fmt.Errorf("action %s: no action given: want one of %s", args[0], oneOf(record.Actions()))
	case len(rest) < len(args) && selects(rest[0]):
		return fmt.Errorf("action %s %s: a line takes one confidence or one class: write a line for each", args[0], rest[0])
	case len(rest) == len(args) && len(rest) > 1 && isAction(rest[1]):
		return fmt.Errorf("unknown confidence or class %q: want high, medium, low or one of %s", args[0], oneOf(detect.Classes()))
	}
	a, err := parseAction(rest)
	if err != nil {
		return err
	}
	switch {
	case classErr == nil:
		return set(&l.byClass, class, a)
	case confidenceErr == nil:
		return set(&l.byConfidence, confidence, a)
	case l.all != nil:
		return errors.New("action without a confidence or class is given twice: remove one")
	}
	l.all = &a
	return nil
}

// selects reports whether a word stands for a confidence or a class.
func selects(word string) bool {
	_, classErr := detect.ParseClass(word)
	_, confidenceErr := detect.ParseConfidence(word)
	return classErr == nil || confidenceErr == nil
}

func set[K interface {
	comparable
	fmt.Stringer
}](m *map[K]Action, key K, a Action) error {
	if _, ok := (*m)[key]; ok {
		return fmt.Errorf("action %s is given twice: remove one", key)
	}
	if *m == nil {
		*m = make(map[K]Action)
	}
	(*m)[key] = a
	return nil
}

// Table resolves the lines to one action for every class and confidence.
// Without any line high is answered with NXDOMAIN and the rest is monitored.
func (l *Lines) Table() *Table {
	var t Table
	for _, class := range detect.Classes() {
		for confidence := detect.Low; confidence <= detect.High; confidence++ {
			a := Action{Kind: record.Monitor}
			if confidence == detect.High {
				a.Kind = record.NXDomain
			}
			if l.all != nil {
				a = *l.all
			}
			if c, ok := l.byConfidence[confidence]; ok {
				a = c
			}
			if c, ok := l.byClass[class]; ok {
				a = c
			}
			t[class][confidence] = a
		}
	}
	return &t
}

// isAction reports whether a word was meant for an action.
func isAction(word string) bool {
	_, ok := record.ParseAction(strings.ToLower(word))
	return ok
}

// oneOf writes a list for people.
func oneOf[T fmt.Stringer](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = item.String()
	}
	return strings.Join(words, ", ")
}
