package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"time"
)

// An entry is a file or, with a slash at the end of its name, a directory of an
// archive.
type entry struct {
	name       string
	path       string // of the content, or
	content    string
	mode       int64
	owner      int    // user and group
	capability string // of a program: the value of its attribute security.capability
}

// writeArchive writes a tar file, compressed if its name ends in .gz. It depends
// on nothing but the arguments and the content of the files.
func writeArchive(path string, made time.Time, entries []entry) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var w io.Writer = file
	if strings.HasSuffix(path, ".gz") {
		z := gzip.NewWriter(file)
		defer func() { err = errors.Join(err, z.Close()) }()
		w = z
	}
	archive := tar.NewWriter(w)
	for _, e := range entries {
		if err := e.write(archive, made); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (e *entry) write(archive *tar.Writer, made time.Time) error {
	h := &tar.Header{
		Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner,
		ModTime: made, Size: int64(len(e.content)), Format: tar.FormatPAX,
	}
	if strings.HasSuffix(e.name, "/") {
		h.Typeflag = tar.TypeDir
	}
	if e.capability != "" {
		h.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": e.capability}
	}
	content := io.Reader(strings.NewReader(e.content))
	if e.path != "" {
		file, err := os.Open(e.path)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		h.Size, content = info.Size(), file
	}
	if err := archive.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.Copy(archive, content)
	return err
}
