package dnslog

import (
	"bytes"
	"encoding/json"
	"time"
)

// raw is a JSON number as it is written, or a string without its quotes and escapes.
// It reuses its memory.
type raw []byte

// UnmarshalJSON implements json.Unmarshaler.
func (r *raw) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' {
		if string(b) != "null" {
			*r = append((*r)[:0], b...)
		}
		return nil
	}
	if bytes.IndexByte(b, '\\') < 0 {
		*r = append((*r)[:0], b[1:len(b)-1]...)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*r = append((*r)[:0], s...)
	return nil
}

func jsonTime(b []byte, layout string) (time.Time, bool) {
	t, err := time.Parse(layout, string(b))
	return t, err == nil
}
