//go:build e2e

package test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"golang.org/x/sys/unix"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// openImage unpacks the layout of the image, and returns its one index.
func openImage(t *testing.T, r published) v1.ImageIndex {
	t.Helper()
	dir := t.TempDir()
	said(t, dir, "tar", "-xf", r.file(t, "*-oci.tar"))
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := top.IndexManifest()
	if err != nil || len(list.Manifests) != 1 {
		t.Fatalf("Got %v, want one index (%v)", list, err)
	}
	if got := list.Manifests[0].Annotations["io.containerd.image.name"]; got != "lookalike:"+r.version {
		t.Errorf("The image is named %s, want lookalike:%s", got, r.version)
	}
	index, err := top.ImageIndex(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// manifests returns the digest of the image for each architecture.
func manifests(t *testing.T, r published) map[string]v1.Hash {
	t.Helper()
	list, err := openImage(t, r).IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string]v1.Hash{}
	for _, m := range list.Manifests {
		digests[m.Platform.Architecture] = m.Digest
	}
	return digests
}

// publishedImage reads the images for both architectures, and starts that of this
// machine as a container would: by its entrypoint, as its user, and with no
// capability but that of the file.
func publishedImage(t *testing.T, r published) {
	t.Helper()
	index := openImage(t, r)
	digests := manifests(t, r)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := index.Image(digests[arch])
		if err != nil {
			t.Fatal(err)
		}
		file, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if file.OS != "linux" || file.Architecture != arch || file.Config.User != "65532:65532" || !file.Created.Equal(r.time) {
			t.Errorf("Got %s/%s, user %s, %v; want linux/%s, user 65532:65532, %v",
				file.OS, file.Architecture, file.Config.User, file.Created, arch, r.time)
		}
		if arch == "amd64" {
			root := unpackImage(t, img)
			imageAuthorities(t, root)
			imageStarts(t, root, file.Config)
		}
	}
}

// unpackImage returns a directory with the files of an image. tar sets the
// capability of the file, as it stands in the archive.
func unpackImage(t *testing.T, img v1.Image) string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("Got %d layers, want 1 (%v)", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	root := t.TempDir()
	// The directories above must let the image's user through.
	for dir := root; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := wait.Command(t, wait.Limit, "tar", "-xp", "--numeric-owner", "--xattrs", "--xattrs-include=security.*", "-C", root)
	cmd.Stdin = content
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return root
}

func imageAuthorities(t *testing.T, root string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !c.IsCA {
			t.Errorf("%s is no authority", c.Subject)
		}
		number++
	}
	if number < 100 {
		t.Errorf("Got %d authorities, want 100 or more", number)
	}
}

// imageStarts starts the image in a network of its own, where nobody but root may
// bind port 53. Without an upstream server, a name that only raises an alert is
// answered with SERVFAIL.
func imageStarts(t *testing.T, root string, config v1.Config) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, "etc/resolv.conf"), []byte("nameserver 192.0.2.53\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "etc/resolv.conf"), 0o644); err != nil {
		t.Fatal(err)
	}
	start := func() (*exec.Cmd, string) {
		log := filepath.Join(t.TempDir(), "log")
		file, err := os.Create(log)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		args := slices.Concat([]string{"--net", "sh", "-ec", `ip link set lo up; exec "$@"`, "sh", "chroot", "--userspec=" + config.User, "--groups=", root}, config.Entrypoint)
		cmd := wait.Command(t, 2*wait.Limit, "unshare", args...)
		cmd.Stdout, cmd.Stderr = file, file
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, log
	}
	server, log := start()
	defer func() {
		server.Process.Kill()
		server.Wait()
	}()
	for _, transport := range []string{"+notcp", "+tcp"} {
		wait.Until(t, "an answer of the image on port 53", func() bool {
			out, err := exec.Command("nsenter", "--net=/proc/"+strconv.Itoa(server.Process.Pid)+"/ns/net",
				"dig", transport, "+tries=1", "+time=2", "@127.0.0.1", "army.ml", "MX").CombinedOutput()
			return err == nil && strings.Contains(string(out), "status: SERVFAIL")
		})
	}
	wait.Until(t, "an alert of the image", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && strings.Contains(string(text), `"did_you_mean":["army.mil"]`)
	})
	if status, err := os.ReadFile("/proc/" + strconv.Itoa(server.Process.Pid) + "/status"); err != nil ||
		!strings.Contains(string(status), "\nUid:\t65532\t65532\t65532\t65532\n") || !strings.Contains(string(status), "\nCapEff:\t0000000000000400\n") {
		t.Errorf("Not user 65532 with the one capability (%v):\n%s", err, status)
	}

	// Without the capability it must fail, or nothing above has shown anything.
	if err := unix.Removexattr(filepath.Join(root, "coredns"), "security.capability"); err != nil {
		t.Fatal(err)
	}
	bare, log := start()
	err := bare.Wait()
	if text, _ := os.ReadFile(log); err == nil || !strings.Contains(string(text), "permission denied") {
		t.Errorf("Without its capability: got error %v and\n%s\nwant permission denied", err, text)
	}
}
