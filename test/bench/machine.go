package main

import (
	"debug/buildinfo"
	"fmt"

	"github.com/lookalike-dns/lookalike/test/perf"
)

// printMachine prints what the figures of a run depend on.
func printMachine(binary string) error {
	machine, err := perf.Machine()
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	version, profile := "unknown", "without a profile"
	for _, m := range info.Deps {
		if m.Path == "github.com/coredns/coredns" {
			version = m.Version
		}
	}
	for _, s := range info.Settings {
		if s.Key == "-pgo" {
			profile = "with a profile"
		}
	}
	_, err = fmt.Printf("%s.\n%s is built by %s %s, from CoreDNS %s.\n", machine, binary, info.GoVersion, profile, version)
	return err
}
