package report

import (
	"fmt"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// sample is a page with all that a page can have, made by hand: a year of the
// mail of an invented organisation.
func sample() *Page {
	at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 9, 30, 0, 0, time.UTC) }
	p := &Page{
		Schema: Schema, Kind: Audit, Basis: Mail, Created: at(11, 26), Version: "1.0.0",
		Headline: "412 messages from 37 senders left for 9 lookalike names between 2 March and 25 November 2026. With this policy 398 would have been stopped; 14 need a decision first.",
		Notes:    []string{"29 more came back or never left.", "Nothing was logged on 17 of 269 days."},
		Period:   Period{at(3, 2), at(11, 25), "UTC", time.UTC},
		Figures: []Figure{
			{Label: "Delivered", Value: 412, Note: "taken by a server at a lookalike", Leaks: true},
			{Label: "Came back", Value: 29, Note: "21 bounced, 6 refused, 2 waiting"},
			{Label: "Would be stopped", Value: 398, Note: "of those delivered"},
			{Label: "Need a decision", Value: 14, Note: "allow first, or only reported"},
		},
		Total: Counts{Delivered: 412, Bounced: 21, Rejected: 6, Deferred: 2, Stopped: 398},
		Read: Read{
			Lines: 4_812_377, Unknown: 1_204, Guessed: 812, Corefile: "/etc/coredns/Corefile", TLDs: []string{"ml"}, Protected: 84,
			SHA256:    "3f0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8",
			Addresses: "pseudonym",
			Notes:     []string{"The lines of syslog have no year: it was taken from the files' times of change."},
			Files: []File{
				{Name: "/var/log/mail.log.3.gz", Format: "postfix", Lines: 1_604_125, Used: 1_500_000, Unknown: 402, Samples: []string{"Nov 25 21:54:52 mx postfix/anvil[9]: <script>alert(1)</script>"}},
				{Name: "/var/log/mail.log.2.gz", Format: "postfix", Lines: 1_604_126, Used: 1_500_000, Unknown: 401, Damage: "gzip: the file is cut off"},
				{Name: "/var/log/mail.log", Format: "postfix, dovecot", Lines: 1_604_126, Used: 1_500_000, Unknown: 401},
			},
		},
	}
	rows := []struct {
		name, protected   string
		delivered, back   uint64
		senders           uint64
		first, last       time.Time
		decision          Decision
		action, allowedAt string
	}{
		{"army.ml", "army.mil", 231, 11, 22, at(3, 2), at(11, 25), Stopped, "nxdomain", ""},
		{"us-af.ml", "us.af.mil", 64, 4, 9, at(3, 9), at(11, 19), Stopped, "nxdomain", ""},
		{"navy.mil.ml", "navy.mil", 41, 2, 7, at(4, 1), at(10, 30), Stopped, "nxdomain", ""},
		{"amry.ml", "army.mil", 29, 8, 6, at(3, 22), at(11, 2), Stopped, "nxdomain", ""},
		{"xn--rmy-5cd.ml", "army.mil", 18, 0, 2, at(7, 6), at(7, 28), Stopped, "nxdomain", ""},
		{"arrny.ml", "army.mil", 15, 1, 3, at(5, 4), at(9, 9), Stopped, "nxdomain", ""},
		{"army-shop.ml", "army.mil", 9, 0, 2, at(6, 1), at(11, 20), Reported, "monitor", ""},
		{"navvy.ml", "navy.mil", 5, 3, 3, at(8, 8), at(11, 11), Ask, "nxdomain", ""},
		{"ary.ml", "army.mil", 0, 0, 0, at(8, 8), at(11, 11), Allowed, "allow", "/etc/lookalike/allowed.txt:7"},
	}
	for _, r := range rows {
		index, _ := detect.New(detect.Config{Protected: []string{r.protected}, TLDs: []string{"ml"}})
		n := Name{
			Name: r.name, Protected: []string{r.protected}, DidYouMean: []string{r.protected}, Action: r.action, Decision: r.decision,
			AllowedAt: r.allowedAt, Directive: "/etc/coredns/Corefile:3",
			Counts: Counts{Delivered: r.delivered, Bounced: r.back}, First: r.first, Last: r.last, Days: int(r.senders) * 5, Senders: r.senders, Hosts: 2,
			TopSenders: []Share{{"k3fq7x2a@example.net", Counts{Delivered: r.delivered / 2}}, {"p7xn2bwd@example.net", Counts{Delivered: r.delivered / 3, Bounced: r.back}}},
			TopHosts:   []Share{{"192.0.2.25", Counts{Delivered: r.delivered}}},
			Messages: []Message{
				{Time: r.first, Sender: "k3fq7x2a@example.net", Recipient: "m2c4vqyd@" + r.name, Outcome: "delivered", Count: 1, File: "/var/log/mail.log.3.gz", Line: 20117},
				{Time: r.last, Sender: "p7xn2bwd@example.net", Recipient: "t5ab3k6e@" + r.name, Outcome: "bounced", Count: 1, File: "/var/log/mail.log", Line: 991204},
			},
		}
		if v, ok := index.Match(r.name); ok {
			n.Class, n.Confidence, n.Reason, n.Slips, n.Unicode = v.Class, v.Confidence, v.Reason, Slips(v), v.Unicode
		}
		if r.decision == Ask {
			n.Received = 12
		}
		p.Names = append(p.Names, n)
	}
	p.Classes = []Share{
		{"tld-swap", Counts{Delivered: 231, Bounced: 11}}, {"separator", Counts{Delivered: 64, Bounced: 4}}, {"tld-kept", Counts{Delivered: 41, Bounced: 2}},
		{"typo", Counts{Delivered: 34, Bounced: 11}}, {"idn-homoglyph", Counts{Delivered: 18}}, {"homoglyph", Counts{Delivered: 15, Bounced: 1}}, {"combosquat", Counts{Delivered: 9}},
	}
	p.Hosts = []Share{{"mx1.example.net", Counts{Delivered: 260, Bounced: 19}}, {"mx2.example.net", Counts{Delivered: 131, Bounced: 10}}, {"192.0.2.77", Counts{Delivered: 21}}}
	p.Domains = []Share{{"example.net", Counts{Delivered: 301, Bounced: 20}}, {"travel.example.net", Counts{Delivered: 88, Bounced: 8}}, {"hq.example.org", Counts{Delivered: 23, Bounced: 1}}}
	p.Allow = []Candidate{
		{"navvy.ml", []string{"12 messages came from it and 5 went there", "3 senders"}, `navvy.ml  # 12 messages came from it and 5 went there; resembles navy.mil (typo)`, true},
		{"army-shop.ml", []string{"on 10 days over 172"}, "# army-shop.ml  # popularity is no proof: on 10 days over 172; resembles army.mil (embedding)", false},
	}
	counts := make(map[Date]Counts)
	from, to := DateOf(p.Period.From), DateOf(p.Period.To)
	for d := from; d <= to; d++ {
		wave := (d*7919 + d*d*31) % 5
		counts[d] = Counts{Delivered: uint64(wave), Bounced: uint64((d * 31) % 11 / 9)}
	}
	gap := func(d Date) bool { return d < from+90 || d > from+106 }
	for d := range counts {
		if !gap(d) {
			delete(counts, d)
		}
	}
	p.Trend = NewTrend(from, to, time.UTC, counts, gap)
	return p
}

// hostile is a page whose data try to get out of their places.
func hostile() *Page {
	p := sample()
	long := ""
	for i := range 3 {
		long += fmt.Sprintf("%063d.", i)
	}
	names := []string{"<script>alert(1)</script>.ml", "\u202eyvan\u2066.ml", long + "army.ml", `"onload="x.ml`, "{{.Headline}}.ml", "javascript:alert(1).ml", "a\x00\x1b[2J.ml", "--><svg/onload=x>.ml"}
	for i, name := range names {
		n := p.Names[i%len(p.Names)]
		n.Name, n.Unicode, n.Reason, n.Typed, n.AllowedAt = name, name, name, []string{name, name}, name
		n.Protected, n.DidYouMean, n.Slips = []string{name}, []string{name}, []Slip{{"omission", 0, "", name}}
		n.TopSenders = []Share{{name, Counts{Delivered: 1}}}
		n.Messages = []Message{{Sender: name, Recipient: name, Outcome: name, File: name}}
		p.Names = append([]Name{n}, p.Names...)
		p.Hosts = append(p.Hosts, Share{name, Counts{Delivered: 4}})
		p.Domains = append(p.Domains, Share{name, Counts{Delivered: 4}})
		p.Classes = append(p.Classes, Share{name, Counts{Delivered: 4}})
		p.Allow = append(p.Allow, Candidate{name, []string{name}, name, false})
		p.Exceptions = append(p.Exceptions, Exception{Name: name, Where: name, Owner: name, Reason: name})
		p.Destinations = append(p.Destinations, Destination{File: name, Reasons: []Why{{name, 1}}})
		p.Sensors = append(p.Sensors, Sensor{Name: name, Version: name})
		p.Notes = append(p.Notes, name)
		p.Read.Files = append(p.Read.Files, File{Name: name, Format: name, Samples: []string{name}, Damage: name})
	}
	return p
}

// empty is a page on which nothing was found.
func empty() *Page {
	p := sample()
	p.Headline = "No mail to a lookalike was found between 2 March and 25 November 2026."
	p.Figures = []Figure{{Label: "Delivered"}, {Label: "Came back"}, {Label: "Would be stopped"}, {Label: "Need a decision"}}
	p.Notes, p.Names, p.Classes, p.Hosts, p.Domains, p.Allow, p.Total = nil, nil, nil, nil, nil, nil, Counts{}
	return p
}

// queries is a page about the logs of DNS servers.
func queries() *Page {
	p := sample()
	p.Basis = Queries
	p.Headline = "1,204 queries from 12 hosts asked for 9 lookalike names between 2 March and 25 November 2026. With this policy 1,180 would have been stopped; 24 need a decision first."
	e := Estimate{134, 1204}
	p.Figures = []Figure{{Label: "Queries", Value: 1204, Leaks: true}, e.Figure(), {Label: "Would be stopped", Value: 1180}, {Label: "Need a decision", Value: 24}}
	for i := range p.Names {
		n := &p.Names[i]
		n.Counts = Counts{Queries: 3*n.Delivered + n.Bounced, Stopped: 3 * n.Delivered}
		n.Mail = &Estimate{n.Queries / 9, n.Queries}
		n.TopSenders = nil
		n.Messages = []Message{{Time: n.Last, Host: "192.0.2.25", Name: n.Name, Type: "MX", Count: 3, Outcome: "queried", File: "queries.log", Line: 17}}
	}
	p.Domains = nil
	return p
}

// review is a page about the alerts of a month.
func review() *Page {
	p := queries()
	p.Kind, p.Basis = Review, Alerts
	p.Headline = "In November 2026, 12 mail servers asked 1,204 times for 9 lookalike names, in 85 incidents. 1,180 queries were blocked, 24 only reported."
	p.Period = Period{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC), "UTC", time.UTC}
	p.Figures = []Figure{{Label: "Blocked", Value: 1180}, {Label: "Only reported", Value: 24, Leaks: true}, {Label: "Messages", Value: 134, Upper: 1204}, {Label: "Incidents", Value: 85}}
	for i := range p.Names {
		before := uint64(17 * i)
		p.Names[i].Before, p.Names[i].Incidents = &before, uint64(i+1)
	}
	until := time.Date(2026, 12, 15, 0, 0, 0, 0, time.UTC)
	p.Exceptions = []Exception{
		{"partner.ml", "/etc/lookalike/allowed.txt:3", "mail@example.net", "pension payments", until, 214, "ends in 19 days"},
		{"travel.ml", "/etc/lookalike/allowed.txt:4", "", "", time.Time{}, 0, "nothing used it"},
	}
	p.Destinations = []Destination{
		{"/var/log/lookalike/alerts.json", 311, 0, 0, nil},
		{"/var/log/lookalike/alerts.json.1", 1020, 7, 12, []Why{{"queue_full", 7}}},
	}
	p.Sensors = []Sensor{{"ns1.example.net", "1.0.0", 700, 0, 1, p.Period.From, p.Period.To}, {"ns2.example.net", "1.0.0", 631, 7, 2, p.Period.From, p.Period.To}}
	p.Read.Files = nil
	counts := make(map[Date]Counts)
	for d := DateOf(p.Period.From); d <= DateOf(p.Period.To); d++ {
		counts[d] = Counts{Queries: uint64(d*7919) % 60, Stopped: uint64(d*7919) % 60 * 9 / 10}
	}
	p.Trend = NewTrend(DateOf(p.Period.From), DateOf(p.Period.To), time.UTC, counts, nil)
	return p
}
