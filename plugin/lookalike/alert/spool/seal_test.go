package spool

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

func TestSeal(t *testing.T) {
	k, v := []byte("key"), []byte(`{"Confidence":3}`)
	good := seal(k, v)
	if got, err := unseal(k, good); err != nil || !bytes.Equal(got, v) {
		t.Fatalf("Got %q and error %v", got, err)
	}
	changed := func(i int) []byte { b := bytes.Clone(good); b[i] ^= 1; return b }
	tests := []struct {
		name   string
		key    string
		sealed []byte
	}{
		{"another checksum", "key", changed(0)},
		{"another value", "key", changed(len(good) - 3)},
		{"a value cut off", "key", good[:len(good)-1]},
		{"another key", "kez", good},
		{"the checksum cut off", "key", good[:3]},
		{"nothing", "key", nil},
		{"no checksum", "key", v},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := unseal([]byte(tc.key), tc.sealed); !errors.Is(err, errCorrupt) || !strings.Contains(err.Error(), tc.key) {
				t.Errorf("Got %q and error %v, want one about the key", got, err)
			}
		})
	}
}

// TestSpoolContradicts holds that a spool whose numbers do not agree is found
// to be corrupt: what has no checksum is compared with what has.
func TestSpoolContradicts(t *testing.T) {
	tests := []struct {
		name   string
		change func(*bbolt.Tx) error
		want   string // part of the error; empty: none
	}{
		{"nothing", func(*bbolt.Tx) error { return nil }, ""},
		{"records end elsewhere", func(tx *bbolt.Tx) error { return tx.Bucket(recordBucket).SetSequence(7) }, "records end at 5, and should end at 7"},
		{"no records", func(tx *bbolt.Tx) error { return empty(tx.Bucket(recordBucket)) }, ""},
		{"no records, far away", func(tx *bbolt.Tx) error {
			return errors.Join(empty(tx.Bucket(recordBucket)), tx.Bucket(recordBucket).SetSequence(1<<63))
		}, "records end at 9223372036854775808"},
		{"a record missing", func(tx *bbolt.Tx) error { return tx.Bucket(recordBucket).Delete(position(2)) }, "a record is at 3, and should be at 2"},
		{"a record without position", func(tx *bbolt.Tx) error { return tx.Bucket(recordBucket).Put([]byte("k"), []byte("v")) }, "a record has no position"},
		{"a cursor beyond the end", func(tx *bbolt.Tx) error {
			return tx.Bucket(cursorBucket).Put([]byte("x"), seal([]byte("x"), []byte(`{"Next":6}`)))
		}, "a cursor is at 6"},
		{"a cursor without checksum", func(tx *bbolt.Tx) error { return tx.Bucket(cursorBucket).Put([]byte("x"), []byte(`{"Next":3}`)) }, `the value of "x" is not what was written`},
		{"no epoch", func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(epochKey) }, `the value of "epoch"`},
		{"another sequence", func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(sequenceKey, position(3)) }, `the value of "sequence"`},
		{"a group that cannot be read", func(tx *bbolt.Tx) error { return tx.Bucket(groupBucket).Put([]byte("k"), []byte("v")) }, ""},
		{"a bucket missing", func(tx *bbolt.Tx) error { return tx.DeleteBucket(cursorBucket) }, "1 of its buckets are missing"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, minSize, newTally())
			s.Attach("x", "x")
			for range 5 {
				s.Append("owner", samples(1), nil)
			}
			if err := errors.Join(s.db.Update(tc.change), s.db.Close()); err != nil {
				t.Fatal(err)
			}
			again := newSpool(Config{Dir: dir, Limit: minSize, Count: newTally()})
			err := again.load(filepath.Join(dir, spoolFile))
			if tc.want == "" && err != nil || tc.want != "" && (!corrupt(err) || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("Got error %v, want %q", err, tc.want)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
