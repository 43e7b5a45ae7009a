// Command benchalerts measures what receivers of alerts cost DNS when they
// hang, are dead, or when the disk is full: the latency of the answers, at a
// fixed rate, against the same server without the directive, in turn. It needs
// Linux and root, to mount a small file system.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

const corefile = `.:{$DNS} {
	bind 127.0.0.1
	errors
	%s
	cache
	forward . {$UPSTREAM}
}
`

// directive guards a TLD, so that any name below .ml is a lookalike.
const directive = "lookalike {\n protect mil\n %s\n }"

func main() {
	binary := flag.String("coredns", "build/bin/coredns", "the server to measure")
	rounds := flag.Int("rounds", 40, "rounds; each asks every server")
	duration := flag.Duration("duration", 500*time.Millisecond, "how long each server is asked in a round")
	rate := flag.Int("rate", 2000, "queries a second")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, *binary, *rounds, *duration, *rate); err != nil {
		fmt.Fprintln(os.Stderr, "benchalerts:", err)
		os.Exit(1)
	}
}

// subject is a server to measure.
type subject struct {
	name   string
	alerts string // alert and spool lines; empty: no directive
	server *harness.Server
	p50s   []time.Duration
	p99s   []time.Duration
}

func run(ctx context.Context, binary string, rounds int, duration time.Duration, rate int) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "benchalerts")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	full, unmount, err := fullDisk(dir)
	if err != nil {
		return err
	}
	defer unmount()
	hung, stop, err := hang()
	if err != nil {
		return err
	}
	defer stop()
	upstream, stopUpstream, err := harness.ServeUpstream()
	if err != nil {
		return err
	}
	defer stopUpstream()

	const dead = "127.0.0.1:1" // nobody listens there
	subjects := []*subject{
		{name: "without the directive"},
		{name: "alerts to a file", alerts: "alert ./alerts.json"},
		{name: "webhook hangs", alerts: "alert http://" + hung},
		{name: "webhook hangs, spool", alerts: "alert http://" + hung + "\n spool ./spool"},
		{name: "syslog dead, spool", alerts: "alert syslog+tcp://" + dead + "\n spool ./spool"},
		{name: "disk full, file and spool", alerts: "alert " + full + "/alerts.json\n alert syslog+tcp://" + dead + "\n spool " + full + "/spool"},
	}
	for i, s := range subjects {
		at := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(at, 0o700); err != nil {
			return err
		}
		text := fmt.Sprintf(corefile, "")
		if s.alerts != "" {
			text = fmt.Sprintf(corefile, fmt.Sprintf(directive, s.alerts))
		}
		if s.server, err = harness.Launch(binary, at, harness.Config{Corefile: text, Upstream: upstream.Addr}); err != nil {
			return err
		}
		defer s.server.Stop()
	}
	if err := fill(full); err != nil {
		return err
	}
	for range rounds {
		for _, s := range subjects {
			latencies, err := measure(ctx, s.server.Addr("DNS").String(), duration, rate)
			if err != nil {
				return err
			}
			slices.Sort(latencies)
			s.p50s = append(s.p50s, latencies[len(latencies)/2])
			s.p99s = append(s.p99s, latencies[len(latencies)*99/100])
		}
	}
	report(subjects, rounds, duration, rate)
	return nil
}

// report prints medians over the rounds, and the ratios to the first subject
// within each round.
func report(subjects []*subject, rounds int, duration time.Duration, rate int) {
	fmt.Printf("Latency of blocked names at %d queries/s, %d rounds of %v, medians and the range of the rounds' ratios\n\n", rate, rounds, duration)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "p50\tp99\tp99 ratio\trange\treceiver\t")
	for _, s := range subjects {
		ratios := make([]float64, len(s.p99s))
		for i := range ratios {
			ratios[i] = float64(s.p99s[i]) / float64(subjects[0].p99s[i])
		}
		slices.Sort(ratios)
		fmt.Fprintf(table, "%v\t%v\t%.3f\t%.3f-%.3f\t%s\t\n", median(s.p50s), median(s.p99s),
			ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1], s.name)
	}
	table.Flush()
}

func median(list []time.Duration) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2].Round(time.Microsecond)
}

// fullDisk mounts a small file system below dir, which fill fills.
func fullDisk(dir string) (path string, unmount func(), err error) {
	path = filepath.Join(dir, "full")
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", nil, err
	}
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=2m"); err != nil {
		return "", nil, fmt.Errorf("mount a small file system: %w", err)
	}
	return path, func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) }, nil
}

func fill(path string) error {
	err := os.WriteFile(filepath.Join(path, "ballast"), make([]byte, 4<<20), 0o600)
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return fmt.Errorf("the small file system is not full: %w", err)
}

// hang accepts connections and reads nothing from them.
func hang() (addr string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	var held []net.Conn
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
		}
	})
	return l.Addr().String(), func() {
		l.Close()
		wg.Wait()
		for _, c := range held {
			c.Close()
		}
	}, nil
}

// measure asks at a fixed rate and returns the latencies of the answers. One
// name in ten is new, so that groups begin all the time.
func measure(ctx context.Context, addr string, duration time.Duration, rate int) ([]time.Duration, error) {
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	asked := make(map[uint16]time.Time)
	var latencies []time.Duration
	var reader sync.WaitGroup
	reader.Go(func() {
		for b := make([]byte, dns.MaxMsgSize); ; {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			if n < 2 {
				continue
			}
			now, id := time.Now(), uint16(b[0])<<8|uint16(b[1])
			mu.Lock()
			if at, ok := asked[id]; ok {
				latencies = append(latencies, now.Sub(at))
				delete(asked, id)
			}
			mu.Unlock()
		}
	})
	began := time.Now()
	for i := 0; time.Since(began) < duration && ctx.Err() == nil; i++ {
		name := fmt.Sprintf("x%d.ml.", i%100)
		if i%10 == 0 {
			name = fmt.Sprintf("x%x.ml.", rand.Uint32())
		}
		q := new(dns.Msg).SetQuestion(name, dns.TypeMX)
		q.Id = uint16(i)
		wire, err := q.Pack()
		if err != nil {
			return nil, err
		}
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		mu.Lock()
		asked[q.Id] = time.Now()
		mu.Unlock()
		if _, err := conn.Write(wire); err != nil {
			return nil, err
		}
	}
	time.Sleep(100 * time.Millisecond) // the last answers
	conn.Close()
	reader.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(latencies) == 0 {
		return nil, fmt.Errorf("no answer from %s", addr)
	}
	return latencies, nil
}
