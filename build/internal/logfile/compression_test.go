package logfile

import (
	"io"
	"strings"
	"testing"
)

// endless is a stream that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestExpansion(t *testing.T) {
	for _, row := range []struct {
		name   string
		packed int64 // bytes read of the file
		want   int64 // bytes of text
	}{
		{"a small file", 1 << 10, freeExpansion},
		{"a file that is worth as much as it can be", 1 << 20, expansion << 20},
	} {
		t.Run(row.name, func(t *testing.T) {
			var packed counter
			packed.n.Store(row.packed)
			n, err := io.Copy(io.Discard, struct{ io.Reader }{&capped{r: endless{}, name: "xz", packed: &packed}})
			if err == nil || !strings.Contains(err.Error(), "which no log does") {
				t.Fatalf("the stream ended with %v", err)
			}
			if n < row.want || n > row.want+blockSize {
				t.Errorf("it had %d bytes, want %d", n, row.want)
			}
		})
	}
}
