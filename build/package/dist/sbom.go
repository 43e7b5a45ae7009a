package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const cyclonedx = "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0"

// materials writes the bill of materials of each program, in the form of CycloneDX.
func materials(r *release) error {
	return r.each(func(arch string) error {
		for _, name := range []string{"coredns", "lookalike"} {
			path := filepath.Join(out, fmt.Sprintf("%s-%s-linux-%s.cdx.json", name, r.version, arch))
			err := command(nil, goTool(), "run", cyclonedx, "bin", "-json", "-std", "-noserial", "-version", r.version,
				"-output", path, filepath.Join(stage, arch, name)).Run()
			if err == nil {
				err = settle(path, r.time)
			}
			if err != nil {
				return fmt.Errorf("%s for %s: %w", name, arch, err)
			}
		}
		return nil
	})
}

// settle puts the commit's time for the present one in a bill of materials, and
// leaves out the checksums of the tool that wrote it, which differ from machine
// to machine.
func settle(path string, made time.Time) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var bill map[string]any
	if err := json.Unmarshal(text, &bill); err != nil {
		return err
	}
	metadata, _ := bill["metadata"].(map[string]any)
	tools, _ := metadata["tools"].([]any)
	if len(tools) != 1 {
		return fmt.Errorf("%s: got %d tools in its metadata, want 1: the form of cyclonedx-gomod has changed", path, len(tools))
	}
	delete(tools[0].(map[string]any), "hashes")
	metadata["timestamp"] = made.Format(time.RFC3339)
	text, err = json.MarshalIndent(bill, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
