package smtpreject

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// selfSignedLife is how long a generated certificate is valid. It lives no
// longer than the configuration, and who trusts it checks nothing anyway.
const selfSignedLife = 10 * 365 * 24 * time.Hour

// selfSigned makes a certificate for hostname. Senders that require TLS without
// verifying the certificate are content with it (RFC 7435).
func selfSigned(hostname string, now time.Time) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("generating a serial number: %w", err)
	}
	cert := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: truncate(hostname, 64)}, // RFC 5280, ub-common-name
		DNSNames:              []string{hostname},
		NotBefore:             now.Add(-24 * time.Hour), // for clients whose clock is late
		NotAfter:              now.Add(selfSignedLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("generating a certificate: %w", err)
	}
	return tlsConfig(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}), nil
}

func tlsConfig(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
}

func truncate(s string, n int) string { return s[:min(len(s), n)] }
