package report

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// Hider hides the parts of addresses before the @. Domains stay: they are what a
// report is about.
type Hider struct {
	mode string
	key  [32]byte
}

// The modes of a Hider.
const (
	Full      = "full"      // nothing is hidden
	Pseudonym = "pseudonym" // eight characters of a keyed hash
	None      = "none"      // nothing is left before the @
)

// NewHider returns a Hider with a key of its own, which is nowhere else: the
// pseudonyms of two reports have nothing in common. A hash without a key would
// be found by trying names.
func NewHider(mode string) (*Hider, error) {
	switch mode {
	case Full, Pseudonym, None:
	default:
		return nil, fmt.Errorf("unknown way to show addresses %q: want full, pseudonym or none", mode)
	}
	h := &Hider{mode: mode}
	rand.Read(h.key[:]) // never fails (crypto/rand)
	return h, nil
}

// Mode returns the mode.
func (h *Hider) Mode() string { return h.mode }

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Address returns an address as the report shows it. Addresses that differ in
// case only have one pseudonym.
func (h *Hider) Address(address string) string {
	if h.mode == Full || address == "" {
		return address
	}
	at := strings.LastIndexByte(address, '@')
	domain := ""
	if at >= 0 {
		domain = address[at:]
	}
	if h.mode == None {
		return "…" + domain
	}
	mac := hmac.New(sha256.New, h.key[:])
	mac.Write([]byte(strings.ToLower(address)))
	return base32Lower.EncodeToString(mac.Sum(nil)[:5]) + domain
}

// around are the characters that an address in a line of a log stands between.
const around = " \t<>,;:=\"'()[]{}|"

// Line hides the addresses in a line of a log: what stands before each @.
func (h *Hider) Line(line string) string {
	if h.mode == Full {
		return line
	}
	var b strings.Builder
	for {
		at := strings.IndexByte(line, '@')
		if at < 0 {
			b.WriteString(line)
			return b.String()
		}
		begin := strings.LastIndexAny(line[:at], around) + 1
		end := at + 1
		for end < len(line) && line[end] != '@' && strings.IndexByte(around, line[end]) < 0 {
			end++
		}
		b.WriteString(line[:begin])
		b.WriteString(h.Address(line[begin:end]))
		line = line[end:]
	}
}
