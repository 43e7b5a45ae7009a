// Package mailog reads the logs of mail servers. It makes one event for each message
// and recipient, with the last outcome. It skips bounces, which have no sender.
package mailog

import "github.com/lookalike-dns/lookalike/build/internal/event"

// formats are the logs that are read, with what makes their parsers.
var formats = []struct {
	name, title string
	parser      func(event.Options) event.Parser
}{
	{"postfix", "Postfix", newPostfix},
	{"exim", "Exim", newExim},
	{"sendmail", "sendmail", newSendmail},
	{"opensmtpd", "OpenSMTPD", newOpenSMTPD},
	{"exchange", "Exchange message tracking", newExchange},
	{"microsoft365", "Microsoft 365 message trace", newTrace},
}

// Formats returns the formats of mail logs.
func Formats() []event.Format {
	all := make([]event.Format, 0, len(formats))
	for _, f := range formats {
		all = append(all, event.Format{Name: f.name, Title: f.title, Mail: true, New: f.parser})
	}
	return all
}

// passedIf is the answer to a line that tells nothing: the format knows it if
// one of its own programs has logged it.
func passedIf(own bool) event.Taken {
	if own {
		return event.Passed
	}
	return event.Unknown
}
