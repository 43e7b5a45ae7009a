package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/test/proof"
)

const childDir = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// child writes until it is killed, and says how far it is.
func child(dir string) {
	j, _, err := Open(dir, testLimit)
	for err == nil {
		if err = j.Commit(told(j, 1+rand.IntN(4))); err == nil {
			fmt.Println(j.End())
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// told is a commit of n records that tell their positions, and a state that tells
// the end.
func told(j *Journal, n int) Commit {
	c := Commit{Keep: j.Oldest(testLimit)}
	for range n {
		at := j.End() + uint64(len(c.Records))
		c.Records = append(c.Records, json.RawMessage(fmt.Sprintf(`{"at":%d,"pad":"%0*d"}`, at, rand.IntN(900), 0)))
	}
	c.Keys = map[string]json.RawMessage{
		"below": json.RawMessage(strconv.FormatUint(j.End()+uint64(n), 10)),
		"keep":  json.RawMessage(strconv.FormatUint(c.Keep, 10)),
	}
	return c
}

// checkTold holds that a journal has what told has given it.
func checkTold(t *testing.T, j *Journal, acked uint64) {
	t.Helper()
	end, err := j.Value("below")
	if err != nil || j.End() < acked || string(end) != strconv.FormatUint(j.End(), 10) {
		t.Errorf("Got an end at %d, %s in the state, and error %v, want %d at least", j.End(), end, err, acked)
	}
	keep, err := j.Value("keep")
	if err != nil {
		t.Fatal(err)
	}
	for at := max(parsePosition(keep), 1); at < j.End(); at++ {
		var r struct{ At uint64 }
		line, err := j.Record(at)
		if err != nil || json.Unmarshal(line, &r) != nil || r.At != at {
			t.Fatalf("Got record %s at %d and error %v", line, at, err)
		}
	}
}

// TestKilled kills a process that writes, again and again.
func TestKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	for i := range proof.N(2, 50) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acked, lines := uint64(0), bufio.NewScanner(out)
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() }) // should it hang
		for n := 20 + rand.IntN(60); lines.Scan(); n-- {
			if at := parsePosition(lines.Text()); at > 0 {
				acked = at
			} else {
				t.Fatalf("Got %q of the process", lines.Text())
			}
			if n == 0 {
				kill.Reset(time.Duration(rand.IntN(3000)) * time.Microsecond)
			}
		}
		_ = cmd.Wait() // killed
		j, found, err := Open(dir, testLimit)
		if err != nil {
			t.Fatal(err)
		}
		if acked == 0 || found.Damaged > 0 || found.Doubt {
			t.Errorf("Got %+v after kill %d at %d, want nothing damaged", found, i, acked)
		}
		checkTold(t, j, acked)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fill leaves so much room on a disk.
func fill(t *testing.T, ballast string, room int64) {
	t.Helper()
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := int64(0)
	for b := make([]byte, 4096); err == nil; {
		var more int
		more, err = f.Write(b)
		n += int64(more)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Got error %v, want a full disk", err)
	}
	if err := f.Truncate(max(n-room, 0)); err != nil {
		t.Fatal(err)
	}
}

// TestDiskFillsUp has the room on a disk go and come again, and the journal opened
// anew on a full disk: it heals, and has all that it has taken.
func TestDiskFillsUp(t *testing.T) {
	dir := sinktest.SmallDisk(t, "1m")
	ballast, refused := filepath.Join(dir, "ballast"), 0
	acked := uint64(1)
	for range proof.N(2, 25) {
		j, found, err := Open(filepath.Join(dir, "journal"), testLimit)
		if err != nil || found.Damaged > 0 || found.Doubt {
			t.Fatalf("Got error %v, %+v", err, found)
		}
		for range 100 {
			switch rand.IntN(10) {
			case 0:
				fill(t, ballast, int64(rand.IntN(32<<10)))
			case 1:
				_ = os.Remove(ballast)
			}
			if err := j.Commit(told(j, 1+rand.IntN(8))); err == nil {
				acked = j.End()
			} else if refused++; !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("Got error %v", err)
			}
			if j.End() != acked {
				t.Fatalf("Got an end at %d, want %d", j.End(), acked)
			}
		}
		_ = os.Remove(ballast)
		if err := j.Commit(told(j, 1)); err != nil {
			t.Errorf("Got error %v of a disk that has room again", err)
		}
		acked = j.End()
		checkTold(t, j, acked)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := os.ReadDir(filepath.Join(dir, "journal"))
	if err != nil || len(names) > 2*segmentsOf || refused == 0 || strings.Contains(fmt.Sprint(names), ".new") {
		t.Errorf("Got files %v, error %v and %d commits refused", names, err, refused)
	}
}
