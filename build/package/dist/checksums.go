package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const sums = out + "/SHA256SUMS"

// canSign reports why the checksums cannot be signed with the key that
// MINISIGN_KEY names, before the long work begins.
func canSign() error {
	key := os.Getenv("MINISIGN_KEY")
	if key == "" {
		return nil
	}
	if _, err := exec.LookPath("minisign"); err != nil {
		return errors.New("MINISIGN_KEY is set, but there is no minisign: install it, or unset MINISIGN_KEY for a release without a signature")
	}
	if _, err := os.Stat(key); err != nil {
		return fmt.Errorf("MINISIGN_KEY: %w: make a key with minisign -G -s FILE", err)
	}
	return nil
}

// checksums writes the checksums of all files, as sha256sum does, and signs them.
func checksums(r *release) error {
	files, err := filepath.Glob(out + "/*.*")
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, path := range files {
		sum, err := checksum(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sum, filepath.Base(path))
	}
	if err := os.WriteFile(sums, []byte(b.String()), 0o644); err != nil {
		return err
	}
	key := os.Getenv("MINISIGN_KEY")
	if key == "" {
		fmt.Fprintln(os.Stderr, "dist: no signature, since MINISIGN_KEY names no key")
		return nil
	}
	return command(nil, "minisign", "-S", "-s", key, "-m", sums, "-t", "lookalike "+r.version).Run()
}

func checksum(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	_, err = io.Copy(h, file)
	return h.Sum(nil), err
}
