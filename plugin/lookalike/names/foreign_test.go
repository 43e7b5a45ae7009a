package names

import (
	"strings"
	"testing"
)

// foreignLists are lines as other products read them, with the words of the
// message that name the format and the cure.
var foreignLists = []struct{ name, line, want string }{
	{"hosts", "0.0.0.0 army.ml", "a line of a hosts file: write the name alone, army.ml"},
	{"hosts, comment", "127.0.0.1\tarmy.ml # blocked", "hosts file: write the name alone, army.ml"},
	{"hosts, IPv6", "::1 localhost", "hosts file: write plain names, one per line"},
	{"hosts, several names", "192.0.2.1 army.ml navy.ml", "hosts file"},
	{"AdBlock", "||army.ml^", "(AdBlock): write the name alone, army.ml"},
	{"AdBlock, options", "||army.ml^$third-party", "(AdBlock): write the name alone, army.ml"},
	{"AdBlock, exception", "@@||partner.ml^", "an exception of an ad blocker's list (AdBlock): write the name alone, partner.ml"},
	{"AdBlock, exception of a page", "@@|https://partner.ml^$document", "(AdBlock): write the name alone, partner.ml"},
	{"AdBlock, no anchor", "army.ml^", "(AdBlock): write the name alone, army.ml"},
	{"AdBlock, cosmetic", "partner.ml##.banner", "(AdBlock): write the name alone, partner.ml"},
	{"AdBlock, cosmetic exception", "partner.ml#@#.banner", "(AdBlock): write the name alone, partner.ml"},
	{"AdBlock, head", "[Adblock Plus 2.0]", "(AdBlock): write plain names"},
	{"AdBlock, comment", "! Title: partners", "a comment of an ad blocker's list (AdBlock): write plain names, one per line, and comments after a #"},
	{"AdBlock, glued comment", "!partners", "(AdBlock)"},
	{"RPZ", "army.ml CNAME .", "(RPZ): write the name alone, army.ml"},
	{"RPZ, wildcard", "*.army.ml 60 IN CNAME .", "(RPZ): write the name alone, army.ml"},
	{"RPZ, passthru", "partner.ml.\tIN\tCNAME\trpz-passthru.", "(RPZ): write the name alone, partner.ml"},
	{"RPZ, address", "army.ml A 192.0.2.25", "(RPZ): write the name alone, army.ml"},
	{"RPZ, SOA", "@ 3600 IN SOA localhost. root.localhost. 1 2 3 4 5", "(RPZ): write plain names"},
	{"RPZ, TTL", "$TTL 60", "(RPZ): write plain names"},
	{"RPZ, comment", "; partners", "a comment of a zone file (RPZ): write plain names, one per line, and comments after a #"},
	{"RPZ, comment behind a name", "partner.ml ; since 2024", "(RPZ): write the name alone, partner.ml"},
	{"dnsmasq", "address=/army.ml/0.0.0.0", "dnsmasq's configuration: write the name alone, army.ml"},
	{"dnsmasq, server", "server=/partner.ml/#", "dnsmasq's configuration: write the name alone, partner.ml"},
	{"dnsmasq, local", "local=/army.ml/", "dnsmasq's configuration: write the name alone, army.ml"},
	{"Unbound", `local-zone: "army.ml" always_nxdomain`, "Unbound's configuration: write the name alone, army.ml"},
	{"Unbound, head", "server:", "Unbound's configuration"},
	{"BIND", `zone "army.ml" { type master; };`, "BIND's configuration: write the name alone, army.ml"},
	{"Postfix", "army.ml REJECT no such domain", "a mail server's table: write the name alone, army.ml"},
	{"Postfix, transport", "army.ml error:5.1.2", "a mail server's table: write the name alone, army.ml"},
	{"proxy", "DOMAIN-SUFFIX,army.ml", "a rule of a proxy: write the name alone, army.ml"},
	{"proxy, full", "full:army.ml", "a rule of a proxy: write the name alone, army.ml"},
	{"regular expression", `(^|\.)army\.ml$`, "a regular expression: write plain names"},
	{"CSV", "army.ml,blocked", "CSV: write the name alone, army.ml"},
	{"CSV, several names", "army.mil, navy.mil", "CSV: write the name alone, army.mil"},
	{"JSON", `["army.mil","navy.mil"]`, "JSON: write plain names"},
	{"YAML", "- army.mil", "YAML: write the name alone, army.mil"},
	{"quotes", `"army.mil"`, "a name in quotes: write the name alone, army.mil"},
	{"page of an error", "<!DOCTYPE html>", "HTML or XML, as the error page of a web server is"},
	{"comment of a language", "// partners", "a comment of a programming language: write plain names, one per line, and comments after a #"},
}

func TestForeign(t *testing.T) {
	for _, tc := range foreignLists {
		t.Run(tc.name, func(t *testing.T) {
			for _, exceptions := range []bool{false, true} {
				l := (&Spec{Exceptions: exceptions}).newList()
				err := l.read(strings.NewReader("# ours\nnavy.mil\n  "+tc.line+" \r\n"), "list.txt")
				if err == nil || !strings.HasPrefix(err.Error(), "list.txt:3: ") || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("Error %v, want it to contain %q", err, tc.want)
				}
			}
		})
	}
}

// TestForeignInCorefile: rules with slashes in them are no files.
func TestForeignInCorefile(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"||army.ml^", "(AdBlock): write the name alone, army.ml"},
		{"@@||partner.ml^", "(AdBlock): write the name alone, partner.ml"},
		{"address=/army.ml/0.0.0.0", "dnsmasq's configuration: write the name alone, army.ml"},
		{"army.mil,navy.mil", "CSV: write the name alone, army.mil"},
	} {
		if err := new(Spec).Add(tc.text, "Corefile:7"); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Add(%q): %v, want %q", tc.text, err, tc.want)
		}
	}
}
