package mailog

var sendmailSamples = []sample{
	{"8.17: the submission program hands over to the daemon: one message", `
Nov 25 21:55:33 mx sendmail[39]: 6APLtXUN000039: from=alice@example.net, size=61, class=0, nrcpts=1, msgid=<202611252155.6APLtXUN000039@mx.example.net>, relay=root@localhost
Nov 25 21:55:33 mx sm-mta[46]: 6APLtX7q000046: from=<alice@example.net>, size=298, class=0, nrcpts=1, msgid=<202611252155.6APLtXUN000039@mx.example.net>, proto=ESMTP, daemon=MTA-v4, relay=localhost [127.0.0.1]
Nov 25 21:55:33 mx sendmail[39]: 6APLtXUN000039: to=bob@example.ml, ctladdr=alice@example.net (0/0), delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=30061, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (6APLtX7q000046 Message accepted for delivery)
Nov 25 21:55:33 mx sendmail[55]: 6APLtX7q000046: to=<bob@example.ml>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=30298, relay=mail.example.ml. [198.51.100.30], dsn=2.0.0, stat=Sent (OK)
`, `2026-11-25 21:55:33 delivered alice@example.net -> bob@example.ml via mail.example.ml from 127.0.0.1 on mx`},
	{"handed over, and bounced before that is told", `
Nov 25 21:55:33 mx sm-mta[46]: 6APLtX7q000046: from=<alice@example.net>, size=298, class=0, nrcpts=1, proto=ESMTP, relay=localhost [127.0.0.1]
Nov 25 21:55:33 mx sm-mta[55]: 6APLtX7q000046: to=<bob@example.ml>, delay=00:00:00, mailer=esmtp, pri=30298, dsn=5.1.2, stat=Host unknown (Name server: example.ml: host not found)
Nov 25 21:55:33 mx sm-mta[55]: 6APLtX7q000046: 6APLtX7r000046: DSN: Host unknown (Name server: example.ml: host not found)
Nov 25 21:55:33 mx sm-mta[55]: 6APLtX7r000046: from=<>, size=1298, class=0, nrcpts=1
Nov 25 21:55:33 mx sm-mta[55]: 6APLtX7r000046: to=<alice@example.net>, delay=00:00:00, mailer=local, pri=30298, dsn=2.0.0, stat=Sent
Nov 25 21:55:34 mx sendmail[39]: 6APLtXUN000039: to=bob@example.ml, ctladdr=alice@example.net (0/0), delay=00:00:00, mailer=relay, pri=30061, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (6APLtX7q000046 Message accepted for delivery)
`, `2026-11-25 21:55:33 bounced alice@example.net -> bob@example.ml from 127.0.0.1 on mx`},
	{"8.12: several recipients in one line, some quoted", `
Nov 25 21:55:33 mx sendmail[46]: iAPLtX7q000046: from=<alice@example.net>, size=298, class=0, nrcpts=3, relay=pc7.example.net [192.0.2.77]
Nov 25 21:55:33 mx sendmail[55]: iAPLtX7q000046: to=<bob@example.ml>,"a, b"@example.ml,<eve@example.org>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=30298, relay=mail.example.ml. [198.51.100.30], stat=Sent (OK)
`, `
2026-11-25 21:55:33 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77 on mx
2026-11-25 21:55:33 delivered alice@example.net -> "a, b"@example.ml via mail.example.ml from 192.0.2.77 on mx
2026-11-25 21:55:33 delivered alice@example.net -> eve@example.org via mail.example.ml from 192.0.2.77 on mx
`},
	{"letters beyond ASCII are octal", `
Nov 25 21:55:33 mx sm-mta[55]: 6APLtX7q000046: to=<bob@\320\260rmy.ml>, ctladdr=<alice@example.net> (1000/1000), delay=00:00:00, mailer=esmtp, pri=30298, relay=mail.example.ml. [198.51.100.30], dsn=2.0.0, stat=Sent (OK \\208\\176)
`, `2026-11-25 21:55:33 delivered alice@example.net -> bob@аrmy.ml via mail.example.ml on mx`},
	{"deferred, queued, then delivered", `
Nov 25 21:55:33 mx sm-mta[46]: 6APLtX7q000046: from=<alice@example.net>, size=298, class=0, nrcpts=1, proto=ESMTP, relay=pc7.example.net [192.0.2.77]
Nov 25 21:55:33 mx sm-mta[46]: 6APLtX7q000046: to=<bob@example.ml>, delay=00:00:00, mailer=esmtp, pri=30298, stat=queued
Nov 25 21:55:43 mx sm-mta[55]: 6APLtX7q000046: to=<bob@example.ml>, delay=00:00:10, mailer=esmtp, pri=30298, relay=mail.example.ml. [198.51.100.30], dsn=4.0.0, stat=Deferred: Connection timed out with mail.example.ml.
Nov 25 22:55:43 mx sm-mta[55]: 6APLtX7q000046: to=<bob@example.ml>, delay=01:00:10, mailer=esmtp, pri=30298, relay=mail.example.ml. [198.51.100.30], dsn=2.0.0, stat=Sent (to=<x@example.org>, dsn=5.0.0, stat=no)
`, `2026-11-25 22:55:43 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77 on mx after 2 deferrals`},
	{"refused at submission: the sender comes afterwards", `
Nov 25 21:55:33 mx sm-mta[46]: 6APLtX7q000046: ruleset=check_rcpt, arg1=<bob@example.ml>, relay=pc7.example.net [192.0.2.77], reject=550 5.1.2 <bob@example.ml>... no
Nov 25 21:55:33 mx sm-mta[46]: 6APLtX7q000046: from=<alice@example.net>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA-v4, relay=pc7.example.net [192.0.2.77]
Nov 25 21:55:33 mx sm-mta[46]: STARTTLS=server, relay=pc7.example.net [192.0.2.77], version=TLSv1.3, verify=NO
`, `2026-11-25 21:55:33 rejected alice@example.net -> bob@example.ml from 192.0.2.77 on mx`},
}
