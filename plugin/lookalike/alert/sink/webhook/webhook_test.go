package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func batch(n int) []sink.Message {
	all := make([]sink.Message, n)
	for i := range all {
		all[i] = sink.Message{ID: fmt.Sprintf("id-%d", i), Body: fmt.Appendf(nil, `{"n":%d}`, i)}
	}
	return all
}

func open(t *testing.T, address string, words ...string) sink.Sink {
	t.Helper()
	opener, err := Parse(sink.Address{Target: address}, sinktest.Options(t, words...))
	return sinktest.Open(t, opener, err)
}

// receiver verifies signatures and takes what it is sent.
type receiver struct {
	*httptest.Server
	key    []byte
	ids    []string
	bodies []string
	bad    string // in a body: refuse it
	status int
	retry  string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	id := req.Header.Get("Webhook-Id")
	if r.key != nil {
		mac := hmac.New(sha256.New, r.key)
		fmt.Fprintf(mac, "%s.%s.%s", id, req.Header.Get("Webhook-Timestamp"), body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if !slices.Contains(strings.Fields(req.Header.Get("Webhook-Signature")), want) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
	}
	if r.bad != "" && strings.Contains(string(body), r.bad) {
		http.Error(w, "no such\nfield", http.StatusBadRequest)
		return
	}
	if r.status != 0 {
		w.Header().Set("Retry-After", r.retry)
		w.Header().Set("Location", "http://192.0.2.1/")
		w.WriteHeader(r.status)
		return
	}
	r.ids = append(r.ids, id)
	r.bodies = append(r.bodies, string(body))
}

func TestSend(t *testing.T) {
	r := newReceiver(t)
	if n, err := open(t, r.URL).Send(t.Context(), batch(2)); n != 2 || err != nil {
		t.Fatalf("Got %d sent and error %v, want 2", n, err)
	}
	if want := []string{`{"n":0}`, `{"n":1}`}; !slices.Equal(r.bodies, want) {
		t.Errorf("Got bodies %q, want %q", r.bodies, want)
	}
	if want := []string{"id-0", "id-1"}; !slices.Equal(r.ids, want) {
		t.Errorf("Got ids %q, want %q", r.ids, want)
	}
}

func TestBatches(t *testing.T) {
	r := newReceiver(t)
	if n, err := open(t, r.URL, "batch=2").Send(t.Context(), batch(3)); n != 3 || err != nil {
		t.Fatalf("Got %d sent and error %v, want 3", n, err)
	}
	if want := []string{`[{"n":0},{"n":1}]`, `[{"n":2}]`}; !slices.Equal(r.bodies, want) {
		t.Errorf("Got bodies %q, want %q", r.bodies, want)
	}
	if want := []string{"id-0-2", "id-2"}; !slices.Equal(r.ids, want) { // a full stop may not be in one
		t.Errorf("Got ids %q, want %q", r.ids, want)
	}
	var v any
	if err := json.Unmarshal([]byte(r.bodies[0]), &v); err != nil {
		t.Error(err)
	}
}

func TestSignature(t *testing.T) {
	r := newReceiver(t)
	r.key = []byte("the key of the receiver.")
	path := filepath.Join(t.TempDir(), "secret")
	write := func(keys ...string) {
		var text []byte
		for _, k := range keys {
			text = fmt.Appendln(text, "whsec_"+base64.StdEncoding.EncodeToString([]byte(k)))
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("the key of the receiver.")
	s := open(t, r.URL, "secret_file="+path)
	send := func(want error) {
		t.Helper()
		if _, err := s.Send(t.Context(), batch(1)); (err == nil) != (want == nil) || want != nil && !errors.As(err, new(*sink.Denied)) {
			t.Errorf("Got error %v, want %v", err, want)
		}
	}
	send(nil)
	write("another key of a receiver")
	send(&sink.Denied{})
	write("another key of a receiver", "the key of the receiver.") // while it changes
	send(nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	send(&sink.Denied{})
}

// TestStatus says what each answer means.
func TestStatus(t *testing.T) {
	tests := []struct {
		status int
		retry  string
		want   any           // the kind of error
		after  time.Duration // of a Later
	}{
		{200, "", nil, 0},
		{204, "", nil, 0},
		{429, "7", new(*sink.Later), 7 * time.Second},
		{503, "120", new(*sink.Later), 2 * time.Minute},
		{503, "", new(error), 0},
		{503, "soon", new(error), 0},
		{500, "", new(error), 0},
		{408, "", new(error), 0},
		{404, "", new(error), 0},
		{302, "", new(error), 0},
		{401, "", new(*sink.Denied), 0},
		{403, "", new(*sink.Denied), 0},
		{400, "", new(*sink.Refused), 0},
		{422, "", new(*sink.Refused), 0},
	}
	for _, tc := range tests {
		t.Run(fmt.Sprint(tc.status, tc.retry), func(t *testing.T) {
			r := newReceiver(t)
			r.status, r.retry = tc.status, tc.retry
			n, err := open(t, r.URL).Send(t.Context(), batch(1))
			if (n == 1) != (tc.want == nil) {
				t.Errorf("Got %d sent and error %v", n, err)
			}
			if tc.want == nil {
				return
			}
			if !errors.As(err, tc.want) {
				t.Errorf("Got error %#v, want %T", err, tc.want)
			}
			if later := (*sink.Later)(nil); errors.As(err, &later) && later.After != tc.after {
				t.Errorf("Got after %v, want %v", later.After, tc.after)
			}
			if _, kind := tc.want.(*error); kind && (errors.As(err, new(*sink.Refused)) || errors.As(err, new(*sink.Denied))) {
				t.Errorf("Got error %#v, want one that is tried again", err)
			}
		})
	}
}

// TestOneRefused holds that one bad record of a batch stops none of the others.
func TestOneRefused(t *testing.T) {
	r := newReceiver(t)
	r.bad = `{"n":5}`
	s := open(t, r.URL, "batch=8")
	all := batch(8)
	n, err := s.Send(t.Context(), all)
	if n != 5 || !errors.As(err, new(*sink.Refused)) {
		t.Fatalf("Got %d sent and error %v, want 5 and the sixth refused", n, err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("Got error %q, want one line", err)
	}
	if n, err := s.Send(t.Context(), all[6:]); n != 2 || err != nil {
		t.Errorf("Got %d sent and error %v, want the other 2", n, err)
	}
}

// TestFaults holds that a receiver that misbehaves costs time, not records.
func TestFaults(t *testing.T) {
	tests := []struct {
		name  string
		serve func(net.Conn)
	}{
		{"hangs", func(net.Conn) { time.Sleep(time.Second) }},
		{"resets", func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }},
		{"closes half way", func(c net.Conn) {
			c.Read(make([]byte, 1000))
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
		}},
		{"talks nonsense", func(c net.Conn) { fmt.Fprint(c, "220 smtp.example.org ESMTP\r\n") }},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err == nil {
					tc.serve(c)
					c.Close()
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if n, err := open(t, "http://"+l.Addr().String()).Send(ctx, batch(1)); n != 0 || err == nil {
				t.Errorf("Got %d sent and error %v, want none", n, err)
			}
			l.Close()
			wait.For(t, "the server to end", done)
		})
	}
}

func TestOpenFails(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(bad, []byte("whsec_!!!"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("EMPTY", "")
	for _, tc := range []struct{ word, want string }{
		{"secret_file=/nowhere/secret", "secret_file: open /nowhere/secret"},
		{"secret_file=" + bad, "is not whsec_ and base64"},
		{"secret_env=EMPTY", "variable EMPTY is empty"},
		{"ca=/nowhere/ca.pem", "ca: open /nowhere/ca.pem"},
	} {
		o, err := sink.ParseOptions([]string{tc.word})
		if err != nil {
			t.Fatal(err)
		}
		opener, err := Parse(sink.Address{Target: "https://soc.example.org"}, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opener(sink.Env{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Got error %v with %s, want one with %q", err, tc.word, tc.want)
		}
	}
}

// TestSecretLength follows the Standard Webhooks specification: 24 to 64 octets.
func TestSecretLength(t *testing.T) {
	for _, tc := range []struct {
		n    int
		good bool
	}{{0, false}, {1, false}, {23, false}, {24, true}, {64, true}, {65, false}} {
		t.Setenv("SECRET", "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, tc.n)))
		opener, err := Parse(sink.Address{Target: "http://127.0.0.1"}, sinktest.Options(t, "secret_env=SECRET"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opener(sink.Env{}); (err == nil) != tc.good || err != nil && !strings.Contains(err.Error(), "want 24 to 64") {
			t.Errorf("Got error %v with a secret of %d octets, want it good: %v", err, tc.n, tc.good)
		}
	}
}

// TestQuery holds that the query of an address goes with each request, and into
// no error.
func TestQuery(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.RequestURI()
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, "no %s here", got)
	}))
	defer server.Close()
	_, err := open(t, server.URL+"/hook?sig=geheim").Send(t.Context(), batch(1))
	if got != "/hook?sig=geheim" || err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("Got %q asked for and error %v", got, err)
	}
}

func TestHostile(t *testing.T) {
	sinktest.Survives(t, nil, true, func(t *testing.T, address string) sink.Sink {
		t.Helper()
		return open(t, "http://"+address)
	})
}
