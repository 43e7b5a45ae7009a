// Package zonefile writes a response policy zone to a file that resolvers read.
package zonefile

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lookalike-dns/lookalike/build/internal/outfile"
	"github.com/lookalike-dns/lookalike/plugin/rpz/zone"
)

// mode lets resolvers read the file, which run as other users.
const mode = 0o644

// Write replaces a zone file in one step, so that readers find either the old zone
// or the new one. The serial is higher than that of the old file. Write does not
// touch a file that is not a zone.
func Write(path string, z *zone.Zone, origin string, about zone.About) (serial uint32, err error) {
	last, err := serialOf(path)
	if err != nil {
		return 0, err
	}
	serial = zone.NextSerial(last, about.Time)
	return serial, outfile.Write(path, mode, func(w io.Writer) error { return z.Write(w, origin, serial, about) })
}

// serialOf returns the serial of a zone file. It is 0 where there is no file, or an
// empty one, or something that has none, such as a device.
func serialOf(path string) (uint32, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && (!info.Mode().IsRegular() || info.Size() == 0) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	serial, err := zone.ReadSerial(f)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: name another file, or remove this one", path, err)
	}
	return serial, nil
}
