package mailog

var eximSamples = []sample{
	{"4.96: arrival, delivery, another recipient, the end", `
2026-11-25 21:55:05 1xWKxG-00000Z-0e <= alice@example.net H=pc7.example.net (pc7) [192.0.2.77] P=esmtp S=901 id=m1@example.net
2026-11-25 21:55:06 1xWKxG-00000Z-0e => bob@example.ml R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
2026-11-25 21:55:06 1xWKxG-00000Z-0e -> eve@example.ml R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
2026-11-25 21:55:06 1xWKxG-00000Z-0e ** x@example.org R=dnslookup T=remote_smtp H=mail.example.org [198.51.100.31]: SMTP error from remote mail server after RCPT TO:<x@example.org>: 550 R=odd T=odd F=<odd>
2026-11-25 21:55:06 1xWKxG-00000Z-0e Completed
`, `
2026-11-25 21:55:06 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77
2026-11-25 21:55:06 delivered alice@example.net -> eve@example.ml via mail.example.ml from 192.0.2.77
2026-11-25 21:55:06 bounced alice@example.net -> x@example.org via mail.example.org from 192.0.2.77
`},
	{"4.97: ids of 23 characters, milliseconds, process, zone", `
2026-11-25 21:56:04.399 +0100 [283] 1xWKyC-000000004Tn-0nQx <= alice@example.net U=alice P=local S=9
2026-11-25 21:56:04.399 +0100 [283] 1xWKyC-000000004Tn-0nQx ** bob@example.ml F=<alice@example.net>: Unrouteable address DT=0.000s
2026-11-25 21:56:04.399 +0100 [283] 1xWKyC-000000004Tn-0nQx Completed QT=0.1s
`, `2026-11-25 20:56:04 bounced alice@example.net -> bob@example.ml`},
	{"deferred, then given up", `
2026-11-25 21:58:03.725 [287] 1xWL07-00004X-1x <= alice@example.net U=alice P=local
2026-11-25 21:58:03.725 [287] 1xWL07-00004X-1x == bob@sub.example.ml R=dnslookup defer (-1) DT=0.000s: host lookup did not complete
2026-11-25 22:28:03.725 [287] 1xWL07-00004X-1x == bob@sub.example.ml routing defer (-51): retry time not reached
2026-11-26 03:58:03.725 [287] 1xWL07-00004X-1x ** bob@sub.example.ml: retry timeout exceeded
2026-11-26 03:58:03.725 [287] 1xWL07-00004X-1x Completed
`, `2026-11-26 03:58:03 bounced alice@example.net -> bob@sub.example.ml after 2 deferrals`},
	{"an alias: the address it led to, and the one that was typed", `
2026-11-25 21:55:06 1xWKxG-00000Z-0e => bob@example.ml <list@example.net> F=<alice@example.net> P=<alice@example.net> R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30]:25 X=TLS1.3 C="250 OK"
`, `2026-11-25 21:55:06 delivered alice@example.net -> bob@example.ml typed list@example.net via mail.example.ml`},
	{"a name in Cyrillic letters, which Exim codes as one label", `
2026-11-25 21:55:06 1xWKxG-00000Z-0e => bob@xn--rmy.ml-2nf <bob@аrmy.ml> R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
2026-11-25 21:55:06 1xWKxG-00000Z-0e ** eve@аrmy.ml F=<alice@example.net>: Unrouteable address
`, `
2026-11-25 21:55:06 delivered alice@example.net -> bob@аrmy.ml via mail.example.ml
2026-11-25 21:55:06 bounced alice@example.net -> eve@аrmy.ml
`},
	{"a local part with a blank, quoted only in the brackets", `
2026-11-25 21:55:06 1xWKxG-00000Z-0e => a b@example.ml <"a b"@example.ml> R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
`, `2026-11-25 21:55:06 delivered ? -> "a b"@example.ml via mail.example.ml`},
	{"files, pipes and black holes are no mail out; a mailbox is", `
2026-11-25 21:55:06 1xWKxG-00000Z-0e => :blackhole: <bob@example.ml> R=system_aliases
2026-11-25 21:55:06 1xWKxG-00000Z-0e => /var/mail/list <list@example.net> R=system_aliases T=address_file
2026-11-25 21:55:06 1xWKxG-00000Z-0e => |/usr/bin/filter <pipe@example.net> R=system_aliases T=address_pipe
2026-11-25 21:55:06 1xWKxG-00000Z-0e => blackhole (DATA ACL discarded recipients)
2026-11-25 21:55:06 1xWKxG-00000Z-0e => discarded <x@example.ml>
2026-11-25 21:55:06 1xWKxG-00000Z-0e => carol <carol@example.net> R=local_user T=mail_spool
`, `2026-11-25 21:55:06 delivered ? -> carol@example.net`},
	{"bounces, dry runs, and addresses in lines that are no deliveries", `
2026-11-25 21:55:05 cwd=/root 4 args: /usr/sbin/sendmail -f alice@example.net bob@example.ml
2026-11-25 21:55:05 1xWKxG-00000Z-0e <= <> R=1xWKxG-00000Y-0e U=Debian-exim P=local S=901 for bob@example.ml
2026-11-25 21:55:06 1xWKxG-00000Z-0e => bob@example.ml R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
2026-11-25 21:55:06 1xWKxG-00000Z-0e Completed
2026-11-25 21:55:07 1xWKxH-00000Z-0e *> eve@example.ml R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30]
2026-11-25 21:55:07 Start queue run: pid=1
`, ``},
	{"cutthrough, and a refusal that only looks like one", `
2026-11-25 21:55:05 1xWKxG-00000Z-0e >> bob@example.ml R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
2026-11-25 21:55:05 1xWKxG-00000Z-0e (= alice@example.net H=pc7.example.net [192.0.2.77] P=esmtp S=901
2026-11-25 21:55:06 1xWKxG-00000Z-0e Completed
`, `2026-11-25 21:55:05 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77`},
	{"refused at submission", `
2026-11-25 21:56:04 H=pc7.example.net (pc7) [192.0.2.77] F=<alice@example.net> rejected RCPT <bob@example.ml>: Unrouteable address
2026-11-25 21:56:05 H=(pc7) [192.0.2.77]:4711 F=<alice@example.net> temporarily rejected RCPT <eve@example.ml>: Temporary local problem
2026-11-25 21:56:06 H=pc8 [192.0.2.78] F=<> rejected RCPT <x@example.ml>: no
2026-11-25 21:56:07 H=pc8 [192.0.2.78] sender verify fail for <eve@example.ml>: no
`, `
2026-11-25 21:56:04 rejected alice@example.net -> bob@example.ml from 192.0.2.77
2026-11-25 21:56:05 rejected alice@example.net -> eve@example.ml from 192.0.2.77
`},
	{"by syslog, without a time of its own, in two parts and with a line feed", `
Nov 25 21:56:04 mx exim[283]: 1xWKyC-000000004Tn-0nQx <= alice@example.net U=alice P=local
Nov 25 21:56:04 mx exim[283]: [1/2] 1xWKyC-000000004Tn-0nQx => bob@exam
Nov 25 21:56:04 mx exim[283]: [2/2] ple.ml R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
Nov 25 21:56:04 mx exim[283]: [1\2] 1xWKyC-000000004Tn-0nQx ** eve@example.ml: host said: 550-no
Nov 25 21:56:04 mx exim[283]: [2\2] 550 really
Nov 25 21:56:04 mx exim[283]: 2026-11-25 21:56:04 1xWKyC-000000004Tn-0nQx Completed
`, `
2026-11-25 21:56:04 delivered alice@example.net -> bob@example.ml via mail.example.ml on mx
2026-11-25 21:56:04 bounced alice@example.net -> eve@example.ml on mx
`},
	{"a content filter", `
2026-11-25 21:55:05 1xWKxG-00000Z-0e <= alice@example.net H=pc7.example.net (pc7) [192.0.2.77] P=esmtp S=901
2026-11-25 21:55:06 1xWKxH-00000a-0f <= alice@example.net H=localhost [127.0.0.1] P=esmtp S=901
2026-11-25 21:55:06 1xWKxG-00000Z-0e => bob@example.ml R=amavis T=amavis H=127.0.0.1 [127.0.0.1] C="250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 OK id=1xWKxH-00000a-0f"
2026-11-25 21:55:06 1xWKxG-00000Z-0e Completed
2026-11-25 21:55:07 1xWKxH-00000a-0f => bob@example.ml R=dnslookup T=remote_smtp H=mail.example.ml [198.51.100.30] C="250 OK"
2026-11-25 21:55:07 1xWKxH-00000a-0f Completed
`, `2026-11-25 21:55:07 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77`},
}
