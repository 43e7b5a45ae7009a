package alert

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	deadFile  = "dead.jsonl"
	deadLimit = 16 << 20 // bytes
)

// deadLetters is the file of the records that a receiver would not take, one
// JSON object a line: when, which sink, why, and the record as ECS.
type deadLetters struct {
	path string
	mu   sync.Mutex
}

// write appends a record. It fails when the file is full: the letters in it
// are more telling than the ones after them.
func (d *deadLetters) write(sinkName string, why error, r *Record) error {
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
	line := append([]byte(`{"time":`), appendString(nil, time.Now().UTC().Format(timeFormat))...)
	line = append(append(line, `,"sink":`...), appendString(nil, sinkName)...)
	line = append(append(line, `,"reason":`...), appendString(nil, why.Error())...)
	line = append(append(line, `,"record":`...), ecs.Append(nil, r)...)
	line = append(line, "}\n"...)
	if info.Size()+int64(len(line)) > deadLimit {
		return errors.New("the file of dead letters is full, move it away")
	}
	if _, err = f.Write(line); err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return nil
}

func newDeadLetters(dir string) *deadLetters { return &deadLetters{path: filepath.Join(dir, deadFile)} }
