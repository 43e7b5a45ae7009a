package mailog

var opensmtpdSamples = []sample{
	{"6.8: a session, then its delivery", `
Nov 25 21:56:30 mx smtpd[41]: 8b1f78643e08f790 smtp connected address=192.0.2.77 host=pc7.example.net
Nov 25 21:56:31 mx smtpd[41]: 8b1f78643e08f790 smtp message msgid=8b1f7864 size=901 nrcpt=1 proto=ESMTP
Nov 25 21:56:31 mx smtpd[41]: 8b1f78643e08f790 smtp envelope evpid=8b1f78643e08f793 from=<alice@example.net> to=<bob@example.ml>
Nov 25 21:56:31 mx smtpd[41]: 8b1f78643e08f790 smtp disconnected reason=quit
Nov 25 21:56:32 mx smtpd[41]: 8b1f78643e08f791 mta connecting address=smtp://198.51.100.30:25 host=mail.example.ml
Nov 25 21:56:33 mx smtpd[41]: 8b1f78643e08f791 mta delivery evpid=8b1f78643e08f793 from=<alice@example.net> to=<bob@example.ml> rcpt=<-> source="192.0.2.25" relay="198.51.100.30 (mail.example.ml)" delay=0s result="Ok" stat="250 "OK", to=<x@example.org>"
`, `2026-11-25 21:56:33 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77 on mx`},
	{"6.8: no such domain", `
Nov 25 21:56:33 mx smtpd[41]: 0000000000000000 mta delivery evpid=8b1f78643e08f793 from=<alice@example.net> to=<bob@example.ml> rcpt=<-> source="-" relay="example.ml" delay=0s result="PermFail" stat="Domain does not exist"
`, `2026-11-25 21:56:33 bounced alice@example.net -> bob@example.ml via example.ml on mx`},
	{"6.0: event=, and an alias", `
Nov 25 21:56:33 mx smtpd[41]: 0000000000000000 mta event=delivery evpid=8b1f78643e08f793 from=<alice@example.net> to=<bob@example.ml> rcpt=<list@example.net> source="-" relay="198.51.100.30 (mail.example.ml)" delay=0s result="Ok" stat="250 OK"
`, `2026-11-25 21:56:33 delivered alice@example.net -> bob@example.ml typed list@example.net via mail.example.ml on mx`},
	{"deferred twice, and still waiting; without syslog, as smtpd -d prints", `
0000000000000000 mta delivery evpid=8b1f78643e08f793 from=<alice@example.net> to=<bob@example.ml> rcpt=<-> source="-" relay="example.ml" delay=0s result="TempFail" stat="Temporary failure in MX lookup"
0000000000000000 mta delivery evpid=8b1f78643e08f793 from=<alice@example.net> to=<bob@example.ml> rcpt=<-> source="-" relay="example.ml" delay=400s result="TempFail" stat="Temporary failure in MX lookup"
0000000000000000 mta delivery evpid=8b1f78643e08f794 from=<> to=<alice@example.ml> rcpt=<-> source="-" relay="example.ml" delay=0s result="Ok" stat="250 OK"
`, `0001-01-01 00:00:00 deferred alice@example.net -> bob@example.ml via example.ml after 2 deferrals`},
	{"6.8: what smtpd -dv prints beside", `
info: OpenSMTPD 6.8.0p2 starting
debug: init ssl-tree
setup_peer: queue -> control[33] fd=4
debug: MXs for domain example.ml:
	198.51.100.30 preference 10
mta: debug: last connection: hanging on for 5s
c4a7b3353652273a mta connecting address=smtp://198.51.100.30:25 host=198.51.100.30
c4a7b3353652273a mta delivery evpid=7d3b303d456e9b24 from=<alice@example.net> to=<bob@example.ml> rcpt=<-> source="198.51.100.101" relay="198.51.100.30 (198.51.100.30)" delay=0s result="Ok" stat="250 OK"
`, `0001-01-01 00:00:00 delivered alice@example.net -> bob@example.ml via 198.51.100.30`},
	{"refused at submission", `
Nov 25 21:56:30 mx smtpd[41]: 8b1f78643e08f790 smtp connected address=192.0.2.77 host=pc7.example.net
Nov 25 21:56:31 mx smtpd[41]: 8b1f78643e08f790 smtp failed-command command="RCPT TO:<bob@example.ml>" result="550 Invalid recipient: <bob@example.ml>"
`, `2026-11-25 21:56:31 rejected ? -> bob@example.ml from 192.0.2.77 on mx`},
}
