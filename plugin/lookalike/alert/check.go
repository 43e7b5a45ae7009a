package alert

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/internal/disk"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/file"
)

// Check returns why the destinations and the spool of a configuration would not
// work on this host. refused has the errors that Open would return; doubtful
// depends on the user that the server runs as. It creates no file and sends
// nothing.
func Check(cfg Config) (refused []error, doubtful []string) {
	if _, err := cfg.complete(); err != nil {
		refused = append(refused, err)
	}
	doubtful = cfg.warnings()
	for _, d := range cfg.Destinations {
		if err := d.check(cfg); err != nil {
			refused = append(refused, at(d.Where, fmt.Errorf("alert %s: %w", d.to.Name, err)))
		}
		for _, name := range d.to.Files {
			if disk.OnlyRoot(name) {
				doubtful = append(doubtful, at(d.Where, fmt.Errorf("alert %s: only root can read %s: let the server's user read it, if that is another", d.to.Name, name)).Error())
			}
		}
	}
	if s := cfg.Spool; s != nil {
		err := disk.CheckDirectory(s.dir, true)
		if err != nil {
			err = at(s.Where, fmt.Errorf("spool %s: %w", s.dir, err))
		}
		switch {
		case errors.Is(err, disk.ErrNotDirectory):
			refused = append(refused, err)
		case err != nil:
			doubtful = append(doubtful, err.Error())
		}
	}
	return refused, doubtful
}

// check opens what a network destination needs of this host, and looks at where
// a file is to be.
func (d Destination) check(cfg Config) error {
	switch {
	case !d.to.Direct:
		s, err := d.open(sink.Env{Sensor: cfg.Sensor, Version: cfg.Version, Guest: true})
		if err == nil {
			err = s.Close()
		}
		return err
	case !strings.Contains(d.to.Name, "/"): // stdout
		return nil
	}
	if err := file.Check(d.to.Name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return disk.CheckDirectory(filepath.Dir(d.to.Name), false)
}
