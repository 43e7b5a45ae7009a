package test

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dnstap "github.com/dnstap/golang-dnstap"
	"github.com/miekg/dns"
	"google.golang.org/protobuf/proto"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// verdicts are names, and what the metadata labels show of them.
var verdicts = []struct {
	name string
	want string // class, confidence, protected name, action
}{
	{"army.ml", "tld-swap/high/army.mil/nxdomain"},
	{"MX.us-af.ml", "separator/high/us.af.mil/nxdomain"},
	{"amry.ml", "typo/medium/army.mil/monitor"},
	{"example.ml", "///"},
	{"example.org", "///"},
}

const verdictLabels = "{/lookalike/class}/{/lookalike/confidence}/{/lookalike/protected}/{/lookalike/action}"

// TestMetadataInLog has CoreDNS's log print the labels.
func TestMetadataInLog(t *testing.T) {
	t.Parallel()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike", "metadata", "\n", `log . "asked {name} `+verdictLabels+`"`),
		Upstream: harness.NewUpstream(t).Addr,
	})
	for _, v := range verdicts {
		harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(v.name, dns.TypeMX))
		want := "[INFO] asked " + strings.ToLower(v.name) + ". " + v.want
		if !server.Wait(func() bool { return slices.Contains(server.Lines(), want) }) {
			t.Errorf("%s: no line %q in the log", v.name, want)
		}
	}
}

// TestMetadataInDnstap has CoreDNS's dnstap carry the labels with each answer.
func TestMetadataInDnstap(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "tap")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := make(chan answer)
	go readTaps(l, answers)

	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike", "metadata", "\n", "dnstap "+socket+" full {\n extra \""+verdictLabels+"\"\n }"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	for _, v := range verdicts {
		harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(v.name, dns.TypeMX))
		select {
		case got := <-answers:
			if got != (answer{v.name + ".", v.want}) {
				t.Errorf("dnstap has %+v, want %s. with %q", got, v.name, v.want)
			}
		case <-time.After(harness.Patience):
			t.Fatalf("%s: dnstap has no answer", v.name)
		}
	}
	server.Stop()
	for got := range answers {
		t.Errorf("dnstap has %+v more", got)
	}
}

// answer is what dnstap tells of an answer to a client.
type answer struct{ name, labels string }

// readTaps reads from the server that connects to l, until the connection ends.
func readTaps(l net.Listener, answers chan<- answer) {
	defer close(answers)
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	taps, err := dnstap.NewReader(conn, &dnstap.ReaderOptions{Bidirectional: true})
	if err != nil {
		return
	}
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, err := taps.ReadFrame(buf)
		if err != nil {
			return
		}
		var tap dnstap.Dnstap
		var reply dns.Msg
		if proto.Unmarshal(buf[:n], &tap) != nil || tap.GetMessage().GetType() != dnstap.Message_CLIENT_RESPONSE {
			continue
		}
		if reply.Unpack(tap.GetMessage().GetResponseMessage()) == nil {
			answers <- answer{reply.Question[0].Name, string(tap.GetExtra())}
		}
	}
}
