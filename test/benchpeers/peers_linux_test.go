//go:build e2e

package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// TestPeers measures a round with real servers. Each blocks, passes and takes another
// list, or it fails; those that have the zone block the same names.
func TestPeers(t *testing.T) {
	var out bytes.Buffer
	b := bench{coredns: harness.Binary(t), tool: harness.Tool(t), names: 12, rounds: 1, seconds: 1}
	if err := b.run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	_, rows, _ := strings.Cut(out.String(), "  server\n")
	hits := make(map[string]string) // by the number of entries
	for i, line := range slices.Collect(strings.Lines(rows))[:len(b.peers)] {
		fields := strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), b.peers[i].name))
		if len(fields) != len(columns)+2 || slices.Contains(fields, "0") {
			t.Errorf("A row with %q, want %d figures of %s", fields, len(columns)+2, b.peers[i].name)
			continue
		}
		entries, blocked := fields[0], fields[len(fields)-1]
		if other, found := hits[entries]; found && other != blocked {
			t.Errorf("%s blocks %s of the lookalikes, another server with as many entries %s", b.peers[i].name, blocked, other)
		}
		hits[entries] = blocked
	}
	if len(hits) != 3 { // protected names, records, names
		t.Errorf("Lists with %d different numbers of entries, want 3", len(hits))
	}
	t.Logf("%s", &out)
}
