package alertlog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestStream reads a topic together with a file.
func TestStream(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "alerts"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("alerts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range append(strings.SplitAfter(lines(1, 2), "\n")[:2], "no alert") {
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(strings.TrimSpace(body))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	client.Close()
	address := "kafka://" + c.ListenAddrs()[0] + "/alerts"
	var got, problems []string
	o := Options{Stdin: strings.NewReader(lines(3)), Problem: func(p Problem) { problems = append(problems, p.Error()) }}
	err = Read(t.Context(), []string{"-", address + " idempotent=no"}, o, func(r *Record) error {
		got = append(got, r.ID+" "+r.File)
		return nil
	})
	if want := "minute 1 " + address + ", minute 2 " + address + ", minute 3 -"; err != nil || strings.Join(got, ", ") != want {
		t.Errorf("Got %q, error %v, want %s", got, err, want)
	}
	if len(problems) != 1 || !strings.HasPrefix(problems[0], address+":3: no alert") {
		t.Errorf("Got problems %q", problems)
	}
}

// TestStreamFollowed shows what comes to a topic and to a file after their ends.
func TestStreamFollowed(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "alerts"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("alerts"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	send := func(minute int) {
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(strings.TrimSpace(lines(minute)))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	send(1)
	file := filepath.Join(t.TempDir(), "alerts.json")
	write(t, 0, file, lines(2))
	f := follow(t, "kafka://"+c.ListenAddrs()[0]+"/alerts", file)
	send(3)
	wait.Until(t, "the message", func() bool { return f.minutes() == "1 2 3" })
	write(t, os.O_APPEND, file, lines(4))
	wait.Until(t, "the line", func() bool { return f.minutes() == "1 2 3 4" })
}

func TestStreamErrors(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"no topic", "kafka://192.0.2.1", "the address is not HOST[:PORT],.../TOPIC"},
		{"no subject", "nats://192.0.2.1", "the address is not HOST[:PORT],.../SUBJECT"},
		{"an option that is none", "kafka://192.0.2.1/alerts colour=red", "colour"},
		{"nobody listens", "nats://127.0.0.1:1/alerts", "127.0.0.1:1"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			for _, follow := range []bool{false, true} {
				err := Read(t.Context(), []string{tc.source}, Options{Follow: follow}, func(*Record) error { return nil })
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("Got error %v, want %q", err, tc.want)
				}
			}
		})
	}
}
