package alert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

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
		for _, file := range d.to.Files {
			if onlyRoot(file) {
				doubtful = append(doubtful, at(d.Where, fmt.Errorf("alert %s: only root can read %s: let the server's user read it, if that is another", d.to.Name, file)).Error())
			}
		}
	}
	if s := cfg.Spool; s != nil {
		err := checkDirectory(s.dir, true)
		if err != nil {
			err = at(s.Where, fmt.Errorf("spool %s: %w", s.dir, err))
		}
		switch {
		case errors.Is(err, errNotDirectory):
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
	return checkDirectory(filepath.Dir(d.to.Name), false)
}

var errNotDirectory = errors.New("not a directory: name one")

// checkDirectory looks at a directory that is to be written to, or made where
// making is set.
func checkDirectory(dir string, making bool) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir(), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s: %w", dir, errNotDirectory)
	case err == nil && info.Mode().Perm()&0o222 == 0:
		return fmt.Errorf("nobody may write to the directory %s: let the server's user write there", dir)
	case err == nil:
		return nil
	case making && errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
		return checkDirectory(filepath.Dir(dir), making)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s: create it, and let the server's user write there", dir)
	}
	return err
}
