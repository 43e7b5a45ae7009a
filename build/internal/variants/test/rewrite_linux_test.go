//go:build e2e

package test

import (
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// rewrites is how often the list is written anew in each way, and every how many
// times it then rests until it is taken.
const rewrites, rests = 50, 5

// rewritten are two lists of 12,000 names. Both guard the same names, which
// stand at the beginning, in the middle and at the end; the others differ, and
// so does where a line ends.
func rewritten() [2]string {
	var lists [2]string
	for i := range lists {
		var b strings.Builder
		b.WriteString("# the list in force\n"[:2+16*i] + "\narmy.mil\n")
		for n := range 12_000 - 3 {
			if n == 6_000 {
				b.WriteString("navy.mil\n")
			}
			writeName(&b, n+i)
		}
		b.WriteString("us.af.mil\n")
		lists[i] = b.String()
	}
	return lists
}

// writeName writes a name that resembles none of those that are asked for.
func writeName(b *strings.Builder, n int) {
	const onsets = "bdfgkptvwz"
	for range 5 {
		b.WriteString(onsets[n%10:n%10+1] + "o")
		n /= 10
	}
	b.WriteString("x.depot.mil\n")
}

// TestListRewritten writes a list of 12,000 names anew in the ways of editors,
// copies and scripts, slowly, while queries come in all the time. No name that
// both versions guard ever passes, and no other name is ever blocked, such as one
// that half a line would guard.
func TestListRewritten(t *testing.T) {
	lists := rewritten()
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n protect ./names.txt\n action monitor\n action high nxdomain\n alert ./alerts.json\n reload 1s\n }"),
		Files:    map[string]string{"names.txt": lists[0]},
		Upstream: harness.NewUpstream(t).Addr,
	})
	quit := make(chan struct{})
	var running sync.WaitGroup
	var clients []*client
	for name, blocked := range map[string]bool{
		// All of them have an MX upstream.
		"army.ml": true, "navy.ml": true, "us.af.ml": true,
		"example.ml": false, "gouv.ml": false, "example.org": false,
	} {
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server.Addr("DNS")))
		if err != nil {
			t.Fatal(err)
		}
		c := &client{name, blocked, blocked, conn, nil}
		clients = append(clients, c)
		running.Go(func() { c.run(t, quit) })
	}
	taken := func() float64 { return server.Metric(t, "coredns_lookalike_list_reloads_total", "result", "success") }
	path := server.Dir + "/names.txt"
	for _, way := range []struct {
		name  string
		write func(t *testing.T, path, list string)
	}{
		{"in place", inPlace}, {"by rename", byRename}, {"truncated and written", truncated},
	} {
		for i := 1; i <= rewrites; i++ {
			before := taken()
			way.write(t, path, lists[i%2])
			if i%rests == 0 {
				wait.Until(t, "a version written "+way.name+" in force", func() bool { return taken() > before })
			}
		}
		t.Logf("%s: %v versions have been taken", way.name, taken())
	}
	close(quit)
	running.Wait()
	for _, c := range clients {
		for _, a := range c.answers {
			if a.rcode != c.rcode(turn{}) {
				t.Errorf("%s: one of %d answers is RCODE %d", c.name, len(c.answers), a.rcode)
				break
			}
		}
	}
	if n := server.Metric(t, "coredns_lookalike_list_current", "list", "protect"); n != 1 {
		t.Errorf("The list in force is not the file: list_current is %v", n)
	}
	if n := server.Metric(t, "coredns_lookalike_list_reloads_total", "result", "failure"); n > 0 {
		t.Errorf("%v reloads failed: half a list was read", n)
	}
}

// slowly writes a list in pieces that end within lines.
func slowly(t *testing.T, f *os.File, list string) {
	t.Helper()
	const pieces = 7
	size := len(list)/pieces | 1
	for len(list) > 0 {
		n := min(size, len(list))
		if _, err := f.WriteString(list[:n]); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
		time.Sleep(40 * time.Millisecond)
	}
}

func inPlace(t *testing.T, path, list string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	slowly(t, f, list)
	if err := f.Truncate(int64(len(list))); err != nil {
		t.Fatal(err)
	}
}

func byRename(t *testing.T, path, list string) {
	t.Helper()
	f, err := os.Create(path + ".new")
	if err != nil {
		t.Fatal(err)
	}
	slowly(t, f, list)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func truncated(t *testing.T, path, list string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	slowly(t, f, list)
}
