package logfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// FuzzRead reads anything as a log: compressed, encoded and wrapped in any way.
// It ends, counts each line once, and does the same again.
func FuzzRead(f *testing.F) {
	for _, row := range wrapperRows {
		f.Add([]byte(row.line + "\n"))
	}
	for _, row := range fileRows() {
		f.Add([]byte(row.contents))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 1<<16 {
			return
		}
		start := time.Now()
		first, second := everything(t, file), everything(t, file)
		if !slices.Equal(first, second) {
			t.Errorf("the file tells %q, and again %q", first, second)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%d bytes took %v", len(file), took)
		}
	})
}

// everything returns what a file tells, and how its reading ended.
func everything(t *testing.T, file []byte) (got []string) {
	t.Helper()
	files, err := Read(context.Background(), []string{Stdin}, bytes.NewReader(file), options(), func(e *event.Event) {
		got = append(got, fmt.Sprint(*e))
	})
	if err != nil {
		t.Fatal(err)
	}
	s := files[0]
	if s.Used+s.Passed+s.Unknown > s.Lines {
		t.Errorf("counts: %+v", s)
	}
	return append(got, fmt.Sprint(s.Formats, s.Compression, s.Lines, s.Used, s.Passed, s.Unknown, s.Long, s.First, s.Err))
}

// FuzzLines compares the lines of blocks of any size with those of all at once.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nbc\r\n\x00d\x00\n\n\xef\xbb\xbfe"), uint8(1))
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		var want [][]byte
		for l := NewLines(bytes.NewReader(text)); l.Next(); {
			want = append(want, bytes.Clone(l.Text))
		}
		pieces := &Lines{next: func() ([]byte, error) {
			n := min(len(text), int(size)+1)
			piece := bytes.Clone(text[:n])
			if text = text[n:]; len(text) == 0 {
				return piece, io.EOF
			}
			return piece, nil
		}}
		for i := 0; pieces.Next(); i++ {
			if i >= len(want) || !bytes.Equal(pieces.Text, want[i]) {
				t.Fatalf("line %d is %q, want one of %q", i+1, pieces.Text, want)
			}
		}
		if pieces.Number != len(want) {
			t.Errorf("%d lines, want %d", pieces.Number, len(want))
		}
	})
}
