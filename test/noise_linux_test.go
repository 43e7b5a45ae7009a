//go:build e2e

package test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

const (
	swaps       = 100  // names that differ from a protected one by their TLD, each asked for once
	noisy       = 20   // clients that ask for names that are reported, and not blocked
	noiseEach   = 2500 // queries of each of them
	noisePause  = 4 * time.Millisecond
	noisePeriod = noiseEach / swaps // after so many of them the next swap comes
)

// TestNoise mixes 100 blocked queries into 50,000 for other names that are only
// reported, 5,000 a second if the machine can. Each of the 100 gets an alert of
// its own at rsyslog, whatever becomes of the noise, and the counts of all alerts
// add up.
func TestNoise(t *testing.T) {
	dir := t.TempDir()
	authority(t, dir, "server")
	plain := localAddr(t)
	startRsyslog(t, dir, plain, localAddr(t))
	protected := []string{"army.mil"}
	for i := range swaps {
		protected = append(protected, swapped(i)+".mil")
	}
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n protect ./names.txt\n alert syslog+tcp://" + plain + "\n }"),
		Files:    map[string]string{"names.txt": strings.Join(protected, "\n") + "\n"},
		Upstream: harness.NewUpstream(t).Addr,
	})

	began := time.Now()
	answered := makeNoise(t, server)
	took := time.Since(began)
	t.Logf("%d queries in %v: %.0f a second", answered, took.Round(time.Millisecond), float64(answered)/took.Seconds())

	arrived := func() []harness.Alert {
		text, _ := os.ReadFile(filepath.Join(dir, "tcp.log")) // it is made with the first alert
		return harness.ParseAlerts(t, strings.Split(string(text), "\n"))
	}
	wait.Until(t, "an alert about each blocked name", func() bool { return len(firstSwaps(arrived())) == swaps })
	detections := server.Metric(t, "coredns_lookalike_detections_total")
	if status := server.Stop(); status != 0 {
		t.Errorf("Exit status %d", status)
	}
	wait.Until(t, "the last alerts", func() bool { return harness.Sum(arrived()) >= int(detections) })
	alerts := arrived()
	if n := harness.Sum(alerts); n != int(detections) || n < answered {
		t.Errorf("The alerts tell of %d queries, %v were counted and %d answered", n, detections, answered)
	}
	checkSwaps(t, alerts)
}

// swapped is the label of protected name i, which resembles no other.
func swapped(i int) string {
	const onsets = "bdfgkptvwz"
	return fmt.Sprintf("%coroqu%cimux", onsets[i/10], onsets[i%10])
}

// makeNoise asks as the noisy clients do, one query after the other each, and for
// the swaps in between. It returns the number of queries that were answered.
func makeNoise(t *testing.T, server *harness.Server) int {
	t.Helper()
	var sum atomic.Int64
	var clients sync.WaitGroup
	for c := range noisy {
		local := &net.UDPAddr{IP: net.IPv4(127, 0, 2, byte(c+1))}
		conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(server.Addr("DNS")))
		if err != nil {
			t.Fatal(err)
		}
		clients.Go(func() {
			defer conn.Close()
			tick := time.NewTicker(noisePause)
			defer tick.Stop()
			client := dns.Conn{Conn: conn}
			for i := range noiseEach {
				<-tick.C
				if askOnce(&client, fmt.Sprintf("army-%d-%d.ml.", c, i)) {
					sum.Add(1)
				}
			}
		})
	}
	for i := range swaps {
		time.Sleep(noisePause * noisePeriod)
		reply := exchangeBy(t, netip.AddrFrom4([4]byte{127, 0, 3, byte(i%10 + 1)}), server.Addr("DNS"), swapped(i)+".ml")
		if !isBlocked(reply) {
			t.Errorf("%s.ml is not blocked:\n%v", swapped(i), reply)
		}
		sum.Add(1)
	}
	clients.Wait()
	return int(sum.Load())
}

// askOnce asks for the MX of a name, and reports whether the answer came.
func askOnce(conn *dns.Conn, name string) bool {
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	query := new(dns.Msg).SetQuestion(name, dns.TypeMX)
	if conn.WriteMsg(query) != nil {
		return false
	}
	for {
		reply, err := conn.ReadMsg()
		if err != nil || reply.Id == query.Id {
			return err == nil
		}
	}
}

// exchangeBy asks by TCP, which loses nothing, from an address of loopback.
func exchangeBy(t *testing.T, client netip.Addr, server netip.AddrPort, name string) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: "tcp", Timeout: harness.Patience, Dialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: client.AsSlice()}, Timeout: harness.Patience}}
	reply, _, err := c.ExchangeContext(t.Context(), harness.Query(name, dns.TypeMX), server.String())
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// firstSwaps returns how many alerts announce each of the blocked names.
func firstSwaps(alerts []harness.Alert) map[string]int {
	firsts := make(map[string]int)
	for _, a := range alerts {
		if a.Lookalike.Action == "nxdomain" && a.Lookalike.Phase == "first" {
			firsts[a.DNS.Question.Name]++
		}
	}
	return firsts
}

// checkSwaps wants one alert about each blocked name, which is about nothing
// else, and no other about any of them but with a count of 0.
func checkSwaps(t *testing.T, alerts []harness.Alert) {
	t.Helper()
	firsts := firstSwaps(alerts)
	for i := range swaps {
		if n := firsts[swapped(i)+".ml"]; n != 1 {
			t.Errorf("%d first alerts about %s.ml, want 1", n, swapped(i))
		}
	}
	if len(firsts) != swaps {
		t.Errorf("First alerts about %d blocked names, want %d", len(firsts), swaps)
	}
	counted := 0
	for _, a := range alerts {
		if a.Lookalike.Action != "nxdomain" {
			continue
		}
		counted += a.Lookalike.Count
		if a.Lookalike.Class != "tld-swap" || a.Lookalike.Phase != "first" && a.Lookalike.Count != 0 {
			t.Errorf("A blocked query was rolled up: %s", a.Raw)
		}
	}
	if counted != swaps {
		t.Errorf("The alerts tell of %d blocked queries, want %d", counted, swaps)
	}
}
