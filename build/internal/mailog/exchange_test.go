package mailog

// columns2016 are those of Exchange 2016 and later, columns2010 those of 2010.
const (
	columns2016 = "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2507.017\r\n#Log-type: Message Tracking Log\r\n#Date: 2026-11-25T21:00:00.000Z\r\n" +
		"#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version\r\n"
	columns2010 = "#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data\r\n"
)

var exchangeSamples = []sample{
	{"2016: with a BOM; two recipients, a subject with quotes and commas", "\ufeff" + columns2016 +
		`2026-11-25T21:54:50.103Z,192.0.2.77,pc7,192.0.2.5,ex1,,Default,SMTP,RECEIVE,4711,<m1@example.net>,8c1e,bob@example.ml;eve@example.org,,9001,2,,,"Re: plans, ""final""",alice@example.net,alice@example.net,,Originating,,192.0.2.77,192.0.2.5,,Email,,` + "\r\n" +
		`2026-11-25T21:54:52.103Z,192.0.2.5,ex1,198.51.100.30,mail.example.ml,;250 OK,Internet,SMTP,SEND,4711,<m1@example.net>,8c1e,bob@example.ml;eve@example.org,250 2.1.5 Ok;250 2.1.5 Ok,9001,2,,,"Re: plans, ""final""",alice@example.net,alice@example.net,,Originating,,192.0.2.77,192.0.2.5,,Email,,` + "\r\n", `
2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml via mail.example.ml from 192.0.2.77 on ex1
2026-11-25 21:54:52 delivered alice@example.net -> eve@example.org via mail.example.ml from 192.0.2.77 on ex1
`},
	{"2010: no network-message-id; two servers, deferred, then sent", columns2010 +
		`2026-11-25T21:54:50.103Z,192.0.2.5,ex1,192.0.2.6,ex2,,Intra,SMTP,SEND,1,<m1@example.net>,bob@example.ml,250 OK,9,1,,,plans,alice@example.net,alice@example.net,,,,,,` + "\r\n" +
		`2026-11-25T21:54:51.103Z,192.0.2.6,ex2,,,,Internet,SMTP,DEFER,2,<m1@example.net>,bob@example.ml,451 4.4.0 DNS query failed,9,1,,,plans,alice@example.net,alice@example.net,,,,,,` + "\r\n" +
		`2026-11-25T21:59:51.103Z,192.0.2.6,ex2,198.51.100.30,mail.example.ml,,Internet,SMTP,SEND,2,<m1@example.net>,bob@example.ml,250 OK,9,1,,,plans,alice@example.net,alice@example.net,,,,,,` + "\r\n",
		`2026-11-25 21:59:51 delivered alice@example.net -> bob@example.ml via mail.example.ml on ex2 after 1 deferrals`},
	{"failed, with its report; a bounce; steps; columns that change within the file", columns2016 +
		`2026-11-25T21:54:51.103Z,,ex1,,,,,ROUTING,FAIL,2,<m2@example.net>,8c1f,bob@example.ml,550 5.1.2 no,9,1,,,plans,alice@example.net,alice@example.net,,,,,,,,,` + "\r\n" +
		`2026-11-25T21:54:51.203Z,,ex1,,,,,DSN,DSN,3,<d@example.net>,8c20,alice@example.net,,9,1,,<m2@example.net>,Undeliverable,MicrosoftExchange329e@example.net,<>,,,,,,,,,` + "\r\n" +
		`2026-11-25T21:54:51.303Z,,ex1,,,,,STOREDRIVER,DELIVER,3,<d@example.net>,8c20,alice@example.net,,9,1,,,Undeliverable,MicrosoftExchange329e@example.net,<>,,,,,,,,,` + "\r\n" +
		`2026-11-25T21:54:51.403Z,,ex1,,,,,AGENT,AGENTINFO,3,<m2@example.net>,8c1f,bob@example.ml,,9,1,,,plans,alice@example.net,alice@example.net,,,,,,,,,` + "\r\n" +
		"#Fields: date-time,source,event-id,message-id,sender-address,recipient-address\r\n" +
		`2026-11-25T22:54:51.103Z,SMTP,SEND,<m3@example.net>,alice@example.net,eve@example.ml` + "\r\n", `
2026-11-25 21:54:51 bounced alice@example.net -> bob@example.ml on ex1
2026-11-25 22:54:51 delivered alice@example.net -> eve@example.ml
`},
}
