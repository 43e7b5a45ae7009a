//go:build e2e && linux

package mail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/miekg/dns"
)

// resolver is the real binary, on an address of its own.
type resolver struct {
	t       *testing.T
	address string
	sink    string // address of a sinkhole of its own
	alerts  string // file
	output  *output
	cmd     *exec.Cmd
}

// output is what a process has printed so far.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

var resolvers atomic.Int64

// resolve starts a resolver with this lookalike directive and whatever else is
// to stand in the server block. In both, $SINK is an address of its own.
func resolve(t *testing.T, directive, more string) *resolver {
	t.Helper()
	number := firstResolver + 2*resolvers.Add(1)
	r := &resolver{
		t:       t,
		address: fmt.Sprint(network, number),
		sink:    fmt.Sprint(network, number+1),
		alerts:  filepath.Join(t.TempDir(), "alerts.json"),
		output:  new(output),
	}
	if number+1 >= firstNode {
		t.Fatal("The network of the lab has no address left for a resolver")
	}
	for _, addr := range []string{r.address, r.sink} {
		if err := addAddress(addr); err != nil {
			t.Fatal(err)
		}
	}
	corefile := fmt.Sprintf(`.:53 {
	bind %[1]s
	prometheus %[1]s:9153
	errors
	log . "query {remote} {type} {name} {rcode}"
	lookalike {
		protect army.mil
		alert %[2]s
		%[3]s
	}
	%[4]s
	forward . %[5]s
}
`, r.address, r.alerts, directive, more, authority)
	file := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(corefile, "$SINK", r.sink)), 0o644); err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(harness.Binary(t), "-conf", file)
	r.cmd.Stdout, r.cmd.Stderr = r.output, r.output
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.stop() })
	wait.Until(r.t, "an answer of the resolver", func() bool { return r.ask("example.org.", dns.TypeA) == dns.RcodeSuccess })
	return r
}

// stop ends the resolver and waits for its last alerts.
func (r *resolver) stop() {
	r.t.Helper()
	if r.cmd.ProcessState != nil {
		return
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	stuck := time.AfterFunc(wait.Limit, func() { r.cmd.Process.Kill() })
	defer stuck.Stop()
	r.cmd.Wait()
	if r.t.Failed() {
		r.t.Logf("The resolver said:\n%s", r.output)
	}
}

// ask asks the resolver and returns the RCODE, or -1 without an answer.
func (r *resolver) ask(name string, qtype uint16) int {
	m, _, err := new(dns.Client).Exchange(new(dns.Msg).SetQuestion(name, qtype), r.address+":53")
	if err != nil {
		return -1
	}
	return m.Rcode
}

var queryLine = regexp.MustCompile(`(?m)query (\S+) (\S+) (\S+) (\S+)$`)

// query is a line of the resolver's log.
type query struct{ client, qtype, name, rcode string }

// queries returns what node has asked so far.
func (r *resolver) queries(n *node) (list []query) {
	for _, f := range queryLine.FindAllStringSubmatch(r.output.String(), -1) {
		if f[1] == n.address {
			list = append(list, query{f[1], f[2], strings.TrimSuffix(strings.ToLower(f[3]), "."), f[4]})
		}
	}
	return list
}

// record is what the tests look at in an alert.
type record struct {
	Source    struct{ IP string }
	Lookalike struct {
		Count     int
		Action    string
		Protected []string
		Group     string
		SMTP      []struct{ From, To, HELO string }
	}
	DNS struct{ Question struct{ Name string } }
}

// metric returns the sum of a metric over the series that have all of the
// labels, written as name="value".
func (r *resolver) metric(name string, labels ...string) (sum float64) {
	r.t.Helper()
	resp, err := harness.Web.Get("http://" + r.address + ":9153/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		series, value, _ := strings.Cut(lines.Text(), " ")
		if base, _, _ := strings.Cut(series, "{"); base != name {
			continue
		}
		if slices.ContainsFunc(labels, func(label string) bool { return !strings.Contains(series, label) }) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			r.t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// records returns the alerts so far.
func (r *resolver) records() (list []record) {
	r.t.Helper()
	contents, err := os.ReadFile(r.alerts)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range bytes.Lines(contents) {
		var rec record
		if err := json.Unmarshal(line, &rec); err != nil {
			r.t.Fatalf("Not an alert: %q: %v", line, err)
		}
		list = append(list, rec)
	}
	return list
}
