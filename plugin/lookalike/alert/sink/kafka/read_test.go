package kafka

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// TestRead reads what was sent, from all partitions, and ends.
func TestRead(t *testing.T) {
	c := cluster(t)
	read := func(each func([]byte) error) error {
		o, err := sink.ParseOptions(nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(sink.Address{Target: "kafka://" + strings.Join(c.ListenAddrs(), ",") + "/alerts"}, o)
		if err != nil {
			t.Fatal(err)
		}
		return r.Read(t.Context(), each, nil)
	}
	var got []string
	keep := func(body []byte) error { got = append(got, string(body)); return nil }
	if err := read(keep); err != nil || len(got) > 0 {
		t.Fatalf("Got %q, error %v of an empty topic", got, err)
	}
	s := open(t, c, "alerts")
	var want []string
	for i := range 50 {
		body := fmt.Sprintf("alert %02d", i)
		want = append(want, body)
		if n, err := s.Send(t.Context(), []sink.Message{{ID: body, Group: body, Body: []byte(body)}}); n != 1 || err != nil {
			t.Fatalf("Got %d sent, error %v", n, err)
		}
	}
	if err := read(keep); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("Got %q", got)
	}
	enough := errors.New("enough")
	if err := read(func([]byte) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Got error %v", err)
	}
}

// TestReadOn reads what comes after the end, and once more from where it was.
func TestReadOn(t *testing.T) {
	c := cluster(t)
	o, err := sink.ParseOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(sink.Address{Target: "kafka://" + strings.Join(c.ListenAddrs(), ",") + "/alerts"}, o)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, c, "alerts")
	send := func(body string) {
		if n, err := s.Send(t.Context(), []sink.Message{{ID: body, Group: body, Body: []byte(body)}}); n != 1 || err != nil {
			t.Errorf("Got %d sent, error %v", n, err)
		}
	}
	var got []string
	enough := errors.New("enough")
	read := func(n int) {
		err := r.Read(t.Context(), func(body []byte) error {
			got = append(got, string(body))
			if len(got) == n+1 { // not read, and so to be read again
				got = got[:n]
				return enough
			}
			return nil
		}, func() error {
			send(fmt.Sprint("later ", n))
			send(fmt.Sprint("last ", n))
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatalf("Got error %v", err)
		}
	}
	send("early")
	read(2)
	read(4)
	slices.Sort(got)
	if want := []string{"early", "last 2", "last 4", "later 2", "later 4"}; len(slices.Compact(got)) != 4 || !slices.Contains(got, "early") {
		t.Errorf("Got %q, want four of %q, each once", got, want)
	}
}
