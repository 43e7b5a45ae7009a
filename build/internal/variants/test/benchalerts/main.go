// Command benchalerts measures what receivers of alerts cost DNS when they
// hang, are dead, or when the disk is full: the latency of blocked answers,
// against a server with the same directive whose alerts go to a file on a disk
// that is well. It needs Linux and root, to mount a small file system.
//
// All servers run at the same time and are asked in turn, query by query in
// random order, so that whatever else the machine does meets all alike. What a
// server does to the machine meets the others too; so the processor time of
// each is reported as well. Two servers of the first kind show what the
// measurement itself is worth, and a process that only echoes shows the moments
// in which the machine was busy with something else: only the quarter that was
// best for it counts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

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
const directive = "lookalike {\n protect *.mil\n %s\n }"

func main() {
	binary := flag.String("coredns", "build/bin/coredns", "the server to measure")
	duration := flag.Duration("duration", 2*time.Minute, "how long to measure")
	warm := flag.Duration("warm", 5*time.Second, "how long to ask before that")
	rate := flag.Int("rate", 300, "queries a second for each server")
	echoes := flag.Bool("echo", false, "only echo what comes; for the program itself")
	flag.Parse()
	if *echoes {
		fmt.Fprintln(os.Stderr, "benchalerts:", echo())
		os.Exit(1)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := run(ctx, *binary, *warm, *duration, *rate); err != nil {
		fmt.Fprintln(os.Stderr, "benchalerts:", err)
		os.Exit(1)
	}
}

// subject is a server to measure.
type subject struct {
	name   string
	alerts string // alert and spool lines; empty: no directive
	server *harness.Server
	cpu    time.Duration // used while it was measured
	load
}

func run(ctx context.Context, binary string, warm, duration time.Duration, rate int) error {
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
		{name: "a file", alerts: "alert ./alerts.json"},
		{name: "a file, once more", alerts: "alert ./alerts.json"},
		{name: "webhook hangs", alerts: "alert http://" + hung},
		{name: "webhook hangs, spool", alerts: "alert http://" + hung + "\n spool ./spool"},
		{name: "syslog dead, spool", alerts: "alert syslog+tcp://" + dead + "\n spool ./spool"},
		{name: "disk full, file and spool", alerts: "alert " + full + "/alerts.json\n alert syslog+tcp://" + dead + "\n spool " + full + "/spool"},
		{name: "no directive, cache hits"},
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
		s.addr, s.cached = s.server.Addr("DNS"), s.alerts == ""
	}
	if err := fill(full); err != nil {
		return err
	}
	probe := &subject{name: "an echo"}
	var stopEcho func()
	if probe.addr, stopEcho, err = startEcho(); err != nil {
		return err
	}
	defer stopEcho()
	all := append([]*subject{probe}, subjects...)
	if err := measure(ctx, all, warm, rate); err != nil {
		return err
	}
	if err := chargeCPU(subjects, -1); err != nil {
		return err
	}
	if err := measure(ctx, all, duration, rate); err != nil {
		return err
	}
	if err := chargeCPU(subjects, 1); err != nil {
		return err
	}
	report(probe, subjects, duration, rate)
	return nil
}

// chargeCPU adds what the servers have used so far, times sign.
func chargeCPU(subjects []*subject, sign int64) error {
	for _, s := range subjects {
		used, err := s.server.CPU()
		if err != nil {
			return err
		}
		s.cpu += time.Duration(sign * used.Nanoseconds())
	}
	return nil
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
