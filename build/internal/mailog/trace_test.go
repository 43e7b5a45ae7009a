package mailog

import (
	"fmt"
	"strings"
	"testing"
)

// wide returns a text as Windows exports it: UTF-16 with a byte order mark.
func wide(text string) string {
	var b strings.Builder
	for _, c := range "\ufeff" + text {
		b.WriteByte(byte(c))
		b.WriteByte(byte(c >> 8))
	}
	return b.String()
}

// v1 are the columns of Get-MessageTrace.
const v1 = `"Received","SenderAddress","RecipientAddress","Subject","Status","ToIP","FromIP","Size","MessageId"` + "\n"

var traceSamples = []sample{
	{"Get-MessageTrace, Windows PowerShell in the USA", "#TYPE Deserialized.Microsoft.Exchange\n" + v1 +
		`"11/25/2026 9:54:52 PM","alice@example.net","bob@example.ml","plans, ""final""","Delivered","198.51.100.30","192.0.2.77","9001","<m1@example.net>"` + "\n" +
		`"11/24/2026 12:54:52 AM","alice@example.net","eve@example.ml","a` + "\n" + `subject of two lines","Failed","","192.0.2.77","9001","<m2@example.net>"` + "\n" +
		`"11/24/2026 12:54:52 AM","alice@example.net","list@example.net","x","Expanded","","192.0.2.77","9001","<m3@example.net>"` + "\n", `
2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml from 192.0.2.77
2026-11-24 00:54:52 bounced alice@example.net -> eve@example.ml from 192.0.2.77
`},
	{"the same in Germany: semicolons, day first", strings.ReplaceAll(v1, ",", ";") +
		`"25.11.2026 21:54:52";"alice@example.net";"bob@example.ml";"plans";"Pending";"";"192.0.2.77";"9001";"<m1@example.net>"` + "\n",
		`2026-11-25 21:54:52 deferred alice@example.net -> bob@example.ml from 192.0.2.77 after 1 deferrals`},
	{"the same in Britain: a later row tells which number is the day", v1 +
		`"03/11/2026 21:54:52","alice@example.net","bob@example.ml","plans","Quarantined","","","9001","<m1@example.net>"` + "\n" +
		`"25/11/2026 21:54:52","alice@example.net","eve@example.ml","plans","FilteredAsSpam","","","9001","<m2@example.net>"` + "\n", `
2026-11-03 21:54:52 deferred alice@example.net -> bob@example.ml after 1 deferrals
2026-11-25 21:54:52 delivered alice@example.net -> eve@example.ml
`},
	{"no row tells, but a trace covers few days", v1 +
		`"01/11/2026 21:54:52","alice@example.net","bob@example.ml","plans","Delivered","","","9001","<m1@example.net>"` + "\n" +
		`"03/11/2026 21:54:52","alice@example.net","eve@example.ml","plans","Delivered","","","9001","<m2@example.net>"` + "\n", `
2026-11-01 21:54:52 delivered alice@example.net -> bob@example.ml
2026-11-03 21:54:52 delivered alice@example.net -> eve@example.ml
`},
	{"the fourth of April tells nothing of the rows after it", v1 +
		`"4/4/2026 9:54:52 PM","alice@example.net","bob@example.ml","plans","Delivered","","","9001","<m1@example.net>"` + "\n" +
		`"4/5/2026 9:54:52 PM","alice@example.net","eve@example.ml","plans","Delivered","","","9001","<m2@example.net>"` + "\n" +
		`"4/14/2026 9:54:52 PM","alice@example.net","ann@example.ml","plans","Delivered","","","9001","<m3@example.net>"` + "\n", `
2026-04-04 21:54:52 delivered alice@example.net -> bob@example.ml
2026-04-05 21:54:52 delivered alice@example.net -> eve@example.ml
2026-04-14 21:54:52 delivered alice@example.net -> ann@example.ml
`},
	{"Get-MessageTraceV2 in PowerShell 7, other columns in another order", `Message Trace ID,Message ID,Received (UTC),Sender address,Recipient address,From IP,Status` + "\n" +
		`8c1e,<m1@example.net>,2026-11-25T21:54:52.1030000Z,alice@example.net,bob@example.ml,2001:db8::77,Delivered` + "\n" +
		`8c1e,<m1@example.net>,2026-11-25T21:54:52.1030000Z,alice@example.net,bob@example.ml,2001:db8::77,Delivered` + "\n" +
		`8c1f,<m2@example.net>,2026-11-25T21:54:52.1030000Z,<>,eve@example.ml,2001:db8::77,Delivered` + "\n",
		`2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml from 2001:db8::77`},
	{"the historical report: UTF-16, a status for each recipient", wide("origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,original_client_ip,directionality\r\n" +
		"2026-11-25T21:54:52.1030000Z,alice@example.net,\"bob@example.ml##Receive, Send;eve@example.ml##Receive, Fail;list@example.net##Receive, Expand\",plans,9001,<m1@example.net>,8c1e,192.0.2.77,Originating\r\n"), `
2026-11-25 21:54:52 delivered alice@example.net -> bob@example.ml from 192.0.2.77
2026-11-25 21:54:52 bounced alice@example.net -> eve@example.ml from 192.0.2.77
`},
}

func TestTraceWarnings(t *testing.T) {
	var full strings.Builder
	full.WriteString("Received,SenderAddress,RecipientAddress,Status\n")
	for i := range fullPage {
		fmt.Fprintf(&full, "2026-11-25T21:54:52Z,alice@example.net,user%d@example.ml,Delivered\n", i)
	}
	for _, row := range []struct{ name, log, want string }{
		{"as many rows as there can be", full.String(), "5000 rows, which is as many"},
		{"a date that can be read two ways", "Received,SenderAddress,RecipientAddress,Status\n3/4/2026 9:54:52 AM,alice@example.net,bob@example.ml,Delivered\n", "can be read two ways"},
		{"nothing to say", "Received,SenderAddress,RecipientAddress,Status\n4/4/2026 9:54:52 AM,alice@example.net,bob@example.ml,Delivered\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			file, _ := readLog(t, row.log)
			if got := strings.Join(file.Warnings, "|"); (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("warnings %q, want %q", got, row.want)
			}
		})
	}
}
