package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/lookalike-dns/lookalike/build/internal/render"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/rpz"
)

// defaultConf is the Corefile that CoreDNS reads by default.
const defaultConf = "Corefile"

// confFlag defines the flag -conf.
func confFlag(fs *flag.FlagSet, conf *string) { fs.StringVar(conf, "conf", *conf, "") }

// policies reads the directives of a Corefile. Where conf is empty, it is set to the
// Corefile in this directory; where there is none, it is one directive without a
// block.
func (e *env) policies(conf *string) ([]*lookalike.Policy, error) {
	if _, err := os.Stat(defaultConf); err == nil && *conf == "" {
		*conf = defaultConf
	}
	var file *lookalike.Corefile
	var err error
	if *conf == "" {
		file, err = lookalike.Default()
	} else {
		file, err = e.load(*conf)
	}
	if err != nil {
		return nil, err
	}
	return file.Policies, nil
}

// classesFlag defines the flag -classes, of classes that can be listed.
func classesFlag(fs *flag.FlagSet, classes *[]detect.Class) {
	fs.Func("classes", "", func(s string) (err error) {
		*classes, err = rpz.ParseClasses(strings.FieldsFunc(s, isComma))
		return err
	})
}

// tldFlag defines the flag -tld, of TLDs.
func tldFlag(fs *flag.FlagSet, tlds *[]string) {
	fs.Func("tld", "", func(s string) (err error) {
		*tlds, err = rpz.ParseTLDs(strings.FieldsFunc(s, isComma))
		return err
	})
}

func isComma(r rune) bool { return r == ',' || r == ' ' }

// formatFlag defines the flag -format of commands that write text or JSON.
func formatFlag(fs *flag.FlagSet, json *bool) {
	fs.Func("format", "", func(s string) error {
		if s != "text" && s != "json" {
			return errors.New("want text or json")
		}
		*json = s == "json"
		return nil
	})
}

// colorFlag defines the flag -color, and returns a function that applies its
// value to an output.
func colorFlag(fs *flag.FlagSet) func(stdout io.Writer) render.Paint {
	value := "auto"
	fs.Func("color", "", func(s string) error {
		if value = s; s != "auto" && s != "yes" && s != "no" {
			return fmt.Errorf("want auto, yes or no")
		}
		return nil
	})
	return func(stdout io.Writer) render.Paint { return value == "yes" || value == "auto" && wantColor(stdout) }
}

// wantColor reports whether to write in colours: on terminals, unless the user
// has NO_COLOR set (https://no-color.org).
func wantColor(stdout io.Writer) render.Paint {
	return render.Paint(isTerminal(stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// display is short for what stands in every message.
var display = render.Display
