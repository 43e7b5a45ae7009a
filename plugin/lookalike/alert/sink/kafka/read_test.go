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
		return Read(t.Context(), sink.Address{Target: "kafka://" + strings.Join(c.ListenAddrs(), ",") + "/alerts"}, o, each)
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
