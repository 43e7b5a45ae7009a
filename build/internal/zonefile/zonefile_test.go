package zonefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/rpz/zone"
)

// TestWrite holds what becomes of what is at the path before.
func TestWrite(t *testing.T) {
	const older = "@ 60 IN SOA localhost. hostmaster.localhost. 1795644007 60 30 604800 60\n"
	tests := []struct {
		name    string
		before  string // contents; empty: there is no file
		link    bool   // the path is a link to it
		serial  uint32
		wantErr string
	}{
		{name: "new", serial: 1795644000},
		{name: "over an older zone", before: older, serial: 1795644008},
		{name: "behind a link", before: older, link: true, serial: 1795644008},
		{name: "no zone", before: "not to be lost\n", wantErr: "rpz.zone: "},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "rpz.zone")
			if tc.before != "" {
				if err := os.WriteFile(path, []byte(tc.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			given := path
			if tc.link {
				given = filepath.Join(dir, "link.zone")
				if err := os.Symlink(path, given); err != nil {
					t.Fatal(err)
				}
			}
			serial, err := Write(given, new(zone.Zone), "rpz.example.org.", zone.About{Time: time.Unix(1795644000, 0)})
			text, _ := os.ReadFile(path)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) || string(text) != tc.before {
					t.Errorf("Got error %v and file %q, want error %q and file %q", err, text, tc.wantErr, tc.before)
				}
				return
			}
			if err != nil || serial != tc.serial {
				t.Errorf("Got serial %d, error %v, want %d", serial, err, tc.serial)
			}
			if written, err := serialOf(path); err != nil || written != serial {
				t.Errorf("Got serial %d in the file, error %v, want %d", written, err, serial)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
				t.Errorf("Got mode %v, error %v, want %v", info.Mode().Perm(), err, os.FileMode(mode))
			}
		})
	}
}

// TestDevice holds that a device is written to, and stays one.
func TestDevice(t *testing.T) {
	before, err := os.Stat(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	if serial, err := Write(link, new(zone.Zone), "rpz.example.org.", zone.About{Time: time.Unix(1795644000, 0)}); err != nil || serial != 1795644000 {
		t.Errorf("Got serial %d, error %v", serial, err)
	}
	if after, err := os.Stat(link); err != nil || after.Mode() != before.Mode() {
		t.Errorf("Got mode %v, error %v, want %v", after.Mode(), err, before.Mode())
	}
}
