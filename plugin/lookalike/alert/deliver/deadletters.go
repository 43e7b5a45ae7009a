package deliver

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

const (
	deadFile  = "dead.jsonl"
	deadLimit = 16 << 20 // bytes
)

// DeadLetters is the file of the records that a receiver would not take, one
// JSON object a line: when, which sink, why, and the record as ECS. It is safe
// for concurrent use.
type DeadLetters struct {
	path string
	mu   sync.Mutex
}

// NewDeadLetters returns the dead letters in a directory. The file is made when
// there is one.
func NewDeadLetters(dir string) *DeadLetters {
	return &DeadLetters{path: filepath.Join(dir, deadFile)}
}

// write appends a record. It fails when the file is full: the letters in it
// are more telling than the ones after them.
func (d *DeadLetters) write(dest string, why error, r *record.Record) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	line := append([]byte(`{"time":`), format.AppendString(nil, time.Now().UTC().Format(format.TimeLayout))...)
	line = append(append(line, `,"sink":`...), format.AppendString(nil, dest)...)
	line = append(append(line, `,"reason":`...), format.AppendString(nil, why.Error())...)
	line = append(append(line, `,"record":`...), format.ECS().Append(nil, r)...)
	line = append(line, "}\n"...)
	if info.Size()+int64(len(line)) > deadLimit {
		return errors.New("the file of dead letters is full, move it away")
	}
	if _, err = f.Write(line); err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return nil
}
