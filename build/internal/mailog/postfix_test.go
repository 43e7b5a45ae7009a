package mailog

var postfixSamples = []sample{
	{"3.7: a message from submission to its end", `
Nov 25 21:54:50 mx postfix/submission/smtpd[77]: connect from pc7.example.net[192.0.2.77]
Nov 25 21:54:51 mx postfix/submission/smtpd[77]: 4jZYPS24SMz11N: client=pc7.example.net[192.0.2.77], sasl_method=PLAIN, sasl_username=alice
Nov 25 21:54:51 mx postfix/cleanup[138]: 4jZYPS24SMz11N: message-id=<m1@example.net>
Nov 25 21:54:51 mx postfix/qmgr[136]: 4jZYPS24SMz11N: from=<alice@example.net>, size=901, nrcpt=2 (queue active)
Nov 25 21:54:52 mx postfix/smtp[139]: 4jZYPS24SMz11N: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=0.31, delays=0.09/0.22/0/0, dsn=2.0.0, status=sent (250 OK)
Nov 25 21:54:53 mx postfix/smtp[140]: 4jZYPS24SMz11N: to=<eve@example.org>, relay=none, delay=0.16, delays=0.07/0.08/0.01/0, dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=example.org type=AAAA: Host not found)
Nov 25 21:54:53 mx postfix/bounce[141]: 4jZYPS24SMz11N: sender non-delivery notification: 4jZYPT0HbQz11P
Nov 25 21:54:53 mx postfix/qmgr[136]: 4jZYPS24SMz11N: removed
`, `
2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77 on mx
2026-11-25 21:54:53 bounced alice@example.net -> eve@example.org from 192.0.2.77 on mx
`},
	{"3.11: tls= between delays and dsn", `
2026-11-25T21:54:51.5+00:00 mx postfix/qmgr[136]: 4jZYPS24SMz11N: from=<alice@example.net>, size=901, nrcpt=1 (queue active)
2026-11-25T21:54:52.1+00:00 mx postfix/smtp[139]: 4jZYPS24SMz11N: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30]:25, conn_use=2, delay=0.31, delays=0.09/0.22/0/0, tls=may/verified, dsn=2.0.0, status=sent (250 OK)
`, `2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml via mail.example.ml on mx`},
	{"3.5: a quoted local part with > and ,", `
Nov 25 21:54:51 mx postfix/qmgr[1]: 8430FB74: from=<"a, >b"@example.net>, size=901, nrcpt=1 (queue active)
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<"a>, \"b"@Example.ml>, orig_to=<old@example.net>, relay=mail.example.ml[2001:db8::30]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK)
`, `2026-11-25 21:54:52 delivered "a, >b"@example.net -> "a>, \"b"@Example.ml typed old@example.net via mail.example.ml on mx`},
	{"3.4: a local part with blanks, without quotes", `
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<a b> c@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK)
`, `2026-11-25 21:54:52 delivered ? -> a b> c@example.ml via mail.example.ml on mx`},
	{"a name in Cyrillic letters", `
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@еxample.ml>, relay=none, delay=1, delays=0/0/0/1, dsn=5.4.4, status=bounced (Name service error for name=xn--xample-2of.ml)
`, `2026-11-25 21:54:52 bounced ? -> bob@еxample.ml on mx`},
	{"2.2: neither delays nor conn_use", `
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30], delay=1, status=sent (250 OK)
`, `2026-11-25 21:54:52 delivered ? -> bob@example.ml via mail.example.ml on mx`},
	{"what another server says is no field", `
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred (host said: 450 x, orig_to=<c@example.org>, status=sent (250))
`, `2026-11-25 21:54:52 deferred ? -> bob@example.ml via mail.example.ml on mx after 1 deferrals`},
	{"deferred, then delivered", `
Nov 25 21:54:51 mx postfix/qmgr[1]: 8430FB74: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to mail.example.ml[198.51.100.30]:25: Connection timed out)
Nov 25 22:04:51 mx postfix/qmgr[1]: 8430FB74: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 22:04:52 mx postfix/error[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (delivery temporarily suspended)
Nov 25 22:24:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK)
Nov 25 22:24:52 mx postfix/qmgr[1]: 8430FB74: removed
`, `2026-11-25 22:24:52 delivered alice@example.net -> bob@example.ml via mail.example.ml on mx after 2 deferrals`},
	{"given up after five days", `
Nov 20 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=1, delays=0/0/0/1, dsn=4.4.1, status=deferred (timed out)
Nov 25 21:54:52 mx postfix/qmgr[1]: 8430FB74: from=<alice@example.net>, status=expired, returned to sender
Nov 25 21:54:52 mx postfix/qmgr[1]: 8430FB74: removed
`, `2026-11-25 21:54:52 bounced alice@example.net -> bob@example.ml on mx after 1 deferrals`},
	{"bounces, and probes of address verification, are no mail of a user", `
Nov 25 21:54:51 mx postfix/qmgr[1]: 8430FB74: from=<>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=1, dsn=2.0.0, status=sent (250 OK)
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB75: to=<eve@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=1, dsn=2.0.0, status=deliverable (250 OK)
`, ``},
	{"the discard service sends nothing", `
Nov 25 21:54:52 mx postfix/discard[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (example.ml)
`, ``},
	{"a short id that recurs with another sender", `
Nov 25 21:54:51 mx postfix/qmgr[1]: 8430FB74: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)
Nov 25 23:54:51 mx postfix/qmgr[1]: 8430FB74: from=<eve@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 23:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=1, dsn=2.0.0, status=sent (250 OK)
`, `
2026-11-25 21:54:52 deferred alice@example.net -> bob@example.ml on mx after 1 deferrals
2026-11-25 23:54:52 delivered eve@example.net -> bob@example.ml via mail.example.ml on mx
`},
	{"a short id that recurs after 30 days", `
Oct  1 21:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)
Nov 25 23:54:52 mx postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)
`, `
2026-10-01 21:54:52 deferred ? -> bob@example.ml on mx after 1 deferrals
2026-11-25 23:54:52 deferred ? -> bob@example.ml on mx after 1 deferrals
`},
	{"the same id on two hosts", `
Nov 25 21:54:51 mx1 postfix/qmgr[1]: 8430FB74: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:51 mx2 postfix/qmgr[1]: 8430FB74: from=<eve@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:52 mx1 postfix/smtp[1]: 8430FB74: to=<bob@example.ml>, relay=none, delay=1, dsn=5.4.4, status=bounced (no)
`, `2026-11-25 21:54:52 bounced alice@example.net -> bob@example.ml on mx1`},
	{"a content filter, whose message comes back first", `
Nov 25 21:54:50 mx postfix/smtpd[1]: 4jZYPS24SMz11N: client=pc7.example.net[192.0.2.77]
Nov 25 21:54:50 mx postfix/qmgr[1]: 4jZYPS24SMz11N: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:51 mx postfix/smtpd[1]: 4jZYPT0HbQz11P: client=localhost[127.0.0.1], orig_queue_id=4jZYPS24SMz11N, orig_client=pc7.example.net[192.0.2.77]
Nov 25 21:54:51 mx postfix/qmgr[1]: 4jZYPT0HbQz11P: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:52 mx postfix/smtp-amavis/smtp[1]: 4jZYPS24SMz11N: to=<bob@example.ml>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4jZYPT0HbQz11P)
Nov 25 21:54:52 mx postfix/qmgr[1]: 4jZYPS24SMz11N: removed
Nov 25 21:54:53 mx postfix/smtp[1]: 4jZYPT0HbQz11P: to=<bob@example.ml>, relay=none, delay=1, delays=0/0/0/1, dsn=5.4.4, status=bounced (no)
Nov 25 21:54:53 mx postfix/qmgr[1]: 4jZYPT0HbQz11P: removed
`, `2026-11-25 21:54:53 bounced alice@example.net -> bob@example.ml from 192.0.2.77 on mx`},
	{"a content filter, which tells after all is over", `
Nov 25 21:54:51 mx postfix/qmgr[1]: 4jZYPT0HbQz11P: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:51 mx postfix/smtp[1]: 4jZYPT0HbQz11P: to=<bob@example.ml>, relay=mail.example.ml[198.51.100.30]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK)
Nov 25 21:54:51 mx postfix/qmgr[1]: 4jZYPT0HbQz11P: removed
Nov 25 21:54:52 mx postfix/smtp[1]: 4jZYPS24SMz11N: to=<bob@example.ml>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jZYPT0HbQz11P)
`, `2026-11-25 21:54:51 delivered alice@example.net -> bob@example.ml via mail.example.ml on mx`},
	{"a content filter whose message the log does not have", `
Nov 25 21:54:52 mx postfix/smtp[1]: 4jZYPS24SMz11N: to=<bob@example.ml>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jZYPT0HbQz11P)
`, `2026-11-25 21:54:52 delivered ? -> bob@example.ml via 127.0.0.1 on mx`},
	{"an alias that leads out", `
Nov 25 21:54:50 mx postfix/smtpd[1]: 8430FB74: client=unknown[192.0.2.77]
Nov 25 21:54:51 mx postfix/local[1]: 8430FB74: to=<list@example.net>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (forwarded as 8430FB75)
Nov 25 21:54:51 mx postfix/qmgr[1]: 8430FB75: from=<alice@example.net>, size=9, nrcpt=1 (queue active)
Nov 25 21:54:52 mx postfix/smtp[1]: 8430FB75: to=<bob@example.ml>, orig_to=<list@example.net>, relay=mail.example.ml[198.51.100.30]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK)
`, `2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml typed list@example.net via mail.example.ml from 192.0.2.77 on mx`},
	{"refused at submission", `
Nov 25 21:56:01 mx postfix/submission/smtpd[77]: NOQUEUE: reject: RCPT from pc7.example.net[192.0.2.77]: 550 5.1.2 <bob@example.ml>: Recipient address rejected: Domain not found; from=<alice@example.net> to=<bob@example.ml> proto=ESMTP helo=<pc7>
Nov 25 21:56:02 mx postfix/smtpd[77]: 8430FB74: reject: RCPT from pc7.example.net[192.0.2.77]: 450 4.1.2 <eve@example.ml>: Recipient address rejected: Domain not found; from=<alice@example.net> to=<eve@example.ml> proto=ESMTP helo=<pc7>
Nov 25 21:56:03 mx postfix/smtpd[77]: NOQUEUE: reject: RCPT from pc7.example.net[192.0.2.77]: 550 5.1.2 <x@example.ml>: no; from=<> to=<x@example.ml> proto=ESMTP helo=<pc7>
Nov 25 21:56:04 mx postfix/postscreen[77]: NOQUEUE: reject: RCPT from [192.0.2.78]:49152: 550 5.7.1 Service unavailable; client [192.0.2.78] blocked; from=<eve@example.net>, to=<bob@example.net>, proto=ESMTP, helo=<x>
Nov 25 21:56:05 mx postfix/smtpd[77]: NOQUEUE: reject: CONNECT from unknown[192.0.2.78]: 554 5.7.1 no; proto=SMTP
Nov 25 21:56:06 mx postfix/smtpd[77]: NOQUEUE: milter-reject: RCPT from pc7.example.net[192.0.2.77]: 550 5.7.1 no; from=<alice@example.net> to=<m@example.ml> proto=ESMTP helo=<pc7>
Nov 25 21:56:07 mx postfix/smtpd[77]: NOQUEUE: reject_warning: RCPT from pc7.example.net[192.0.2.77]: 550 5.1.2 no; from=<alice@example.net> to=<w@example.ml> proto=ESMTP helo=<pc7>
`, `
2026-11-25 21:56:01 rejected alice@example.net -> bob@example.ml from 192.0.2.77 on mx
2026-11-25 21:56:02 rejected alice@example.net -> eve@example.ml from 192.0.2.77 on mx
2026-11-25 21:56:04 rejected eve@example.net -> bob@example.net from 192.0.2.78 on mx
2026-11-25 21:56:06 rejected alice@example.net -> m@example.ml from 192.0.2.77 on mx
`},
	{"an instance with a name of its own, and mail from the host itself", `
Nov 25 21:54:50 mx postfix-out/pickup[1]: 8430FB74: uid=1000 from=<alice@example.net>
Nov 25 21:54:52 mx postfix-out/lmtp[1]: 8430FB74: to=<bob@example.ml>, relay=mx.example.net[private/lmtp], delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK)
Nov 25 21:54:52 mx postfix-out/qmgr[1]: 8430FB74: removed
`, `2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml via mx.example.net on mx`},
	{"the journal as JSON", `
{"__REALTIME_TIMESTAMP":"1795643692103412","SYSLOG_IDENTIFIER":"postfix/smtp","_HOSTNAME":"mx","MESSAGE":"8430FB74: to=<bob@example.ml>, relay=none, delay=1, dsn=5.4.4, status=bounced (no)"}
`, `2026-11-25 21:54:52 bounced ? -> bob@example.ml on mx`},
	{"a line that the logger saw three times", `
Nov 25 21:54:52 mx postfix/smtp[1]: message repeated 3 times: [ 8430FB74: to=<bob@example.ml>, relay=none, delay=1, dsn=4.4.1, status=deferred (no)]
Nov 25 21:54:53 mx postfix/smtpd[1]: message repeated 2 times: [ NOQUEUE: reject: RCPT from pc7[192.0.2.77]: 550 5.1.2 no; from=<alice@example.net> to=<x@example.ml> proto=ESMTP helo=<pc7>]
`, `
2026-11-25 21:54:53 rejected alice@example.net -> x@example.ml from 192.0.2.77 on mx ×2
2026-11-25 21:54:52 deferred ? -> bob@example.ml on mx after 3 deferrals
`},
}
