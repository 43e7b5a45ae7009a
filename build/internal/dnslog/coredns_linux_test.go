//go:build e2e

package dnslog_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	framestream "github.com/farsightsec/golang-framestream"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/logfile"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// ownFormat leaves out what nobody needs, and has more than nobody expects.
const ownFormat = `{/metadata/none};{remote}|{class}/{type}:{name} <{proto}> {>opcode}{`

// TestCoreDNSLogs is TestQueryLogs for this server's own log, in each format.
func TestCoreDNSLogs(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	for _, row := range []struct {
		name, directive, format string
		args                    []string
	}{
		{"the default", "log", "", nil},
		{"combined", `log . "{combined}"`, "{combined}", nil},
		{"a format of one's own", `log . "` + ownFormat + `"`, ownFormat, nil},
		{"JSON", "log", "", []string{"-log-format=json"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := harness.Start(t, harness.Config{
				Corefile: ". {\n" + row.directive + "\nlookalike\nforward . {$UPSTREAM}\n}\n",
				Upstream: upstream.Addr, Args: row.args,
			})
			sent := askAll(t, server.Addr("DNS").Port(), strings.ToLower, "127.0.0.1", "::1")
			log := filepath.Join(t.TempDir(), "log")
			o := logfile.Options{Options: event.Options{CoreDNS: row.format}}
			if row.format != "" {
				o.Format = "coredns" // nobody else could know
			}
			written := func() bool {
				if err := os.WriteFile(log, []byte(strings.Join(server.Lines(), "\n")+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				found, _ := readLog(t, log, o)
				return total(found) >= total(sent)
			}
			if !server.Wait(written) {
				t.Error("the log does not get complete")
			}
			q := queryLogger{format: "coredns"}
			q.check(t, log, sent, o)
		})
	}
}

// TestCoreDNSTap has the server write dnstap to a socket, which a file takes.
func TestCoreDNSTap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	taken := make(chan error, 1)
	path := filepath.Join(dir, "dnstap")
	go func() { taken <- takeFrames(socket, path) }()
	server := harness.Start(t, harness.Config{
		Corefile: ". {\ndnstap " + filepath.Join(dir, "socket") + " full\nlookalike\nforward . {$UPSTREAM}\n}\n",
		Upstream: harness.NewUpstream(t).Addr,
	})
	sent := askAll(t, server.Addr("DNS").Port(), escaped, "127.0.0.1", "::1")
	server.Stop()
	if err := wait.For(t, "the end of the stream", taken); err != nil {
		t.Error(err)
	}
	q := queryLogger{format: "dnstap"}
	q.check(t, path, sent, logfile.Options{})
}

// takeFrames writes the frames of the first connection to a file.
func takeFrames(socket net.Listener, path string) error {
	conn, err := socket.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	content := []byte("protobuf:dnstap.Dnstap")
	in, err := framestream.NewReader(conn, &framestream.ReaderOptions{ContentTypes: [][]byte{content}, Bidirectional: true})
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	out, err := framestream.NewWriter(file, &framestream.WriterOptions{ContentTypes: [][]byte{content}})
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<16)
	for {
		n, err := in.ReadFrame(buf)
		if errors.Is(err, io.EOF) {
			return out.Close()
		}
		if err != nil {
			return err
		}
		if _, err := out.WriteFrame(buf[:n]); err != nil {
			return err
		}
	}
}

// captured is an address that no other test, nor any resolver, listens at.
const captured = "127.0.53.1"

// TestCaptures has tcpdump write the queries to a server at port 53.
func TestCaptures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		args []string
	}{
		{"loopback", []string{"-i", "lo"}},
		{"all interfaces, with nanoseconds", []string{"-i", "any", "--time-stamp-precision=nano"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			harness.Start(t, harness.Config{
				Corefile: ".:53 {\nbind " + captured + "\nlookalike\nforward . {$UPSTREAM}\n}\n",
				Upstream: harness.NewUpstream(t).Addr,
			})
			dir := t.TempDir()
			path := filepath.Join(dir, "pcap")
			args := append([]string{"-U", "-Z", "root", "-w", path}, row.args...)
			harness.StartProcess(t, harness.Private(t, "tcpdump", dir), append(args, "host", captured, "and", "port", "53"), func() bool {
				file, err := os.Stat(path)
				return err == nil && file.Size() > 0
			})
			server := netip.AddrPortFrom(netip.MustParseAddr(captured), 53)
			sent := map[seen]int{}
			askAllOf(t, server, "127.0.0.1", escaped, sent)
			q := queryLogger{format: "pcap"}
			q.check(t, path, sent, logfile.Options{})
		})
	}
}
