package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user owns the server's process and its directories in the image. It is a
// number, so that Kubernetes can tell that it is not root.
const user = 65532

// bindPort lets a program that is not root's bind port 53: CAP_NET_BIND_SERVICE,
// permitted and effective, as capabilities(7) lays version 2 out.
const bindPort = "\x01\x00\x00\x02" + "\x00\x04\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// image writes an image for all architectures, as a tar file of OCI's layout.
func image(r *release) error {
	dir, err := os.MkdirTemp(out, "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	layer := func(arch string) string { return filepath.Join(dir, arch+".tar.gz") }
	err = r.each(func(arch string) error { return writeArchive(layer(arch), r.time, imageFiles(arch)) })
	if err != nil {
		return err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range r.arches {
		img, err := platform(r, arch, layer(arch))
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	tree, err := layout.Write(filepath.Join(dir, "layout"), empty.Index)
	if err != nil {
		return err
	}
	err = tree.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": r.version,
		"io.containerd.image.name":          "lookalike:" + r.version,
	}))
	if err != nil {
		return err
	}
	entries, err := walk(string(tree))
	if err != nil {
		return err
	}
	return writeArchive(fmt.Sprintf("%s/lookalike-%s-oci.tar", out, r.version), r.time, entries)
}

// platform returns the image for one architecture, of a layer.
func platform(r *release, arch, layer string) (v1.Image, error) {
	added, err := tarball.LayerFromFile(layer, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.Append(img, mutate.Addendum{Layer: added, History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: "make dist"}})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", arch, v1.Time{Time: r.time}
	config.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		Entrypoint:   []string{"/coredns", "-conf", "/etc/lookalike/Corefile"},
		Env:          []string{"GOGC=200"}, // as in the systemd unit
		WorkingDir:   "/",
		ExposedPorts: map[string]struct{}{"53/udp": {}, "53/tcp": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "lookalike",
			"org.opencontainers.image.version":  r.version,
			"org.opencontainers.image.source":   "https://github.com/lookalike-dns/lookalike",
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return mutate.ConfigFile(img, config)
}

func imageFiles(arch string) []entry {
	return []entry{
		{name: "coredns", path: stage + "/" + arch + "/coredns", mode: 0o755, capability: bindPort},
		{name: "lookalike", path: stage + "/" + arch + "/lookalike", mode: 0o755},
		{name: "LICENSE", path: "LICENSE", mode: 0o644},
		{name: "licences.gz", path: stage + "/licences.gz", mode: 0o644},
		{name: "etc/", mode: 0o755},
		{name: "etc/lookalike/", mode: 0o755},
		{name: "etc/lookalike/Corefile", path: "build/package/image/Corefile", mode: 0o644},
		{name: "etc/lookalike/protected.txt", path: "build/package/conf/protected.txt", mode: 0o644},
		{name: "etc/lookalike/allowed.txt", path: "build/package/conf/allowed.txt", mode: 0o644},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", content: authorities(), mode: 0o644},
		{name: "tmp/", mode: 0o1777},
		{name: "var/", mode: 0o755},
		{name: "var/lib/", mode: 0o755},
		{name: "var/lib/lookalike/", mode: 0o750, owner: user},
	}
}

// authorities returns the certificates of Mozilla's root program, of the release
// that go.mod names, for destinations of alerts. Those that Mozilla trusts under
// conditions only are left out, since this form of a list cannot say so.
func authorities() string {
	var b strings.Builder
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if c, err := x509.ParseCertificate(root.Certificate); err == nil {
			fmt.Fprintf(&b, "# %s\n", c.Subject)
		}
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
	}
	return b.String()
}

// walk returns the files below a directory as entries of an archive.
func walk(dir string) (entries []entry, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if d.IsDir() {
			entries = append(entries, entry{name: name + "/", mode: 0o755})
		} else {
			entries = append(entries, entry{name: name, path: path, mode: 0o644})
		}
		return err
	})
	return entries, err
}
