package sink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret says where to find a secret: in a file or in the environment, never in
// a Corefile. The zero value is no secret.
type Secret struct {
	option    string
	file, env string
}

// Secret returns what NAME_file=PATH or NAME_env=VARIABLE say.
func (o *Options) Secret(name string) Secret {
	s := Secret{option: name, file: o.File(name + "_file"), env: o.String(name+"_env", "")}
	if o.Has(name) {
		o.get(name)
		o.fail(name, "a secret does not belong in a Corefile: use %s_file=PATH or %s_env=VARIABLE", name, name)
	}
	if s.file != "" && s.env != "" {
		o.fail(name+"_env", "%s_file is given as well", name)
	}
	if s.file != "" {
		o.private = append(o.private, s.file)
	}
	return s
}

// SentSecret is Secret for one that is sent to the receiver as it is.
func (o *Options) SentSecret(name string) Secret {
	s := o.Secret(name)
	if s.Given() {
		o.Sends("the " + name)
	}
	return s
}

// PrivateFile is File for one that holds a secret.
func (o *Options) PrivateFile(name string) string {
	path := o.File(name)
	if path != "" {
		o.private = append(o.private, path)
	}
	return path
}

// Given reports whether there is a secret.
func (s Secret) Given() bool { return s.file != "" || s.env != "" }

// Read returns the secret, without white space around it. It is read anew each
// time, so that it can be changed without a restart.
func (s Secret) Read() (string, error) {
	var text, from string
	switch {
	case s.file != "":
		b, err := os.ReadFile(s.file)
		if err != nil {
			return "", fmt.Errorf("%s_file: %w", s.option, err)
		}
		text, from = string(b), s.option+"_file: "+s.file
	case s.env != "":
		text, from = os.Getenv(s.env), s.option+"_env: variable "+s.env
	default:
		return "", nil
	}
	secret := strings.TrimSpace(text)
	if secret == "" {
		return "", errors.New(from + " is empty")
	}
	return secret, nil
}

// TLS is the client's configuration of a TLS connection, from the options. The
// zero value trusts what the system trusts.
type TLS struct{ ca, cert, key, server string }

// TLS returns what the options ca, cert, key (PEM files) and servername say.
func (o *Options) TLS() TLS {
	t := TLS{
		ca: o.File("ca"), cert: o.File("cert"), key: o.PrivateFile("key"), server: o.String("servername", ""),
	}
	if (t.cert == "") != (t.key == "") {
		o.fail("cert", "cert and key are needed together")
	}
	return t
}

// Config reads the files. host is the name to verify where the options give
// no other. The client's certificate is read anew for each connection.
func (t TLS) Config(host string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if t.server != "" {
		c.ServerName = t.server
	}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s has no PEM certificate", t.ca)
		}
	}
	if t.cert != "" {
		load := func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.cert, t.key)
			return &pair, err
		}
		if _, err := load(); err != nil {
			return nil, fmt.Errorf("cert and key: %w", err)
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	return c, nil
}
