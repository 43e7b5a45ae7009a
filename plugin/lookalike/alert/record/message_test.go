package record_test

import (
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

func TestMessages(t *testing.T) {
	tests := map[string]string{
		"first":   "2001:db8::25 asked for army.ml, which resembles army.mil (tld-swap, high confidence); answered NXDOMAIN",
		"storm":   "about 1 clients asked for about 2 names that resemble protected ones (idn-homoglyph), among them mail.xn--rmy-5cd.ml; answered with the sinkhole; 42 queries since 08:41:00Z; mail from alice@example.org to bob@army.ml was refused",
		"final":   "192.0.2.25: mail from alice@example.org to bob@army.ml was refused; mail.xn--rmy-5cd.ml resembles army.mil, arm.mil (idn-homoglyph, high confidence); no more is expected, 57 queries in all since 08:40:00Z",
		"monitor": "192.0.2.25 asked for mail.xn--rmy-5cd.ml (mail.аrmy.ml) by way of partner.example and other.example, which resembles army.mil, arm.mil (idn-homoglyph, high confidence); not blocked, only reported; 42 queries since 08:41:00Z, 57 in all; mail from alice@example.org to bob@army.ml was refused",
		"end":     "192.0.2.25 asked for mail.xn--rmy-5cd.ml (mail.аrmy.ml) by way of partner.example and other.example, which resembles army.mil, arm.mil (idn-homoglyph, high confidence); answered with the sinkhole; no more is expected, 57 queries in all since 08:40:00Z",
		"ended":   "192.0.2.25 asked for mail.xn--rmy-5cd.ml (mail.аrmy.ml) by way of partner.example and other.example, which resembles army.mil, arm.mil (idn-homoglyph, high confidence); answered with the sinkhole; 42 queries since 08:41:00Z, 57 in all; mail from alice@example.org to bob@army.ml was refused; the exception for xn--rmy-5cd.ml has ended (until 2026-11-22), its owner is mail-team@example.net",
		"lost":    "7 alerts with 12 detections were lost to this receiver (queue_full): sequence 3 to 9",
	}
	all := recordtest.EveryPhase()
	all["end"] = recordtest.Sample()
	all["end"].Phase, all["end"].Count, all["end"].SMTP = record.Final, 0, nil
	for name, want := range tests {
		if got := all[name].Message(); got != want {
			t.Errorf("Got %s message\n%q, want\n%q", name, got, want)
		}
	}
}
