package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Timeout is the error of a wait that took too long.
type Timeout struct {
	What  string // was waited for: "the answer"
	After time.Duration
	Err   error
}

func (e *Timeout) Error() string {
	return fmt.Sprintf("waited %v for %s, which did not come", e.After.Round(time.Millisecond), e.What)
}

// Unwrap returns the error that the wait ended with.
func (e *Timeout) Unwrap() error { return e.Err }

// Waited turns an error that only reports a timeout into one that says what was
// waited for, and how long. Other errors, and nil, stay as they are. If the end
// of ctx has closed the connection, the error counts as one of ctx.
func Waited(ctx context.Context, what string, after time.Duration, err error) error {
	if err == nil || errors.As(err, new(*Timeout)) {
		return err
	}
	if late := ctx.Err(); late != nil && errors.Is(err, net.ErrClosed) {
		err = late
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		if late := ctx.Err(); late != nil && !errors.Is(err, late) {
			err = errors.Join(err, late)
		}
		return &Timeout{What: what, After: after, Err: err}
	}
	return err
}

// ExplainTLS adds the cure to the error of a TLS handshake. It returns other
// errors, and nil, as they are.
func ExplainTLS(err error) error {
	if cure := tlsCure(err); cure != "" {
		return fmt.Errorf("%w (%s)", err, cure)
	}
	return err
}

func tlsCure(err error) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     *net.OpError
	)
	switch {
	case errors.As(err, &authority):
		return "name the file with the certificate of its authority: ca=FILE"
	case errors.As(err, &name):
		return "say which name the certificate has: servername=NAME"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the receiver's certificate, or set this machine's clock"
	case errors.As(err, &invalid):
		return "have the authority issue another certificate, or name another one: ca=FILE"
	case errors.As(err, &record):
		return "the receiver speaks no TLS at this port"
	case errors.As(err, &alert) && alert.Op == "remote error": // so package tls has the peer's alerts
		return "the receiver ends the handshake: it may want a client's certificate, cert=FILE key=FILE, or another name, servername=NAME"
	}
	return ""
}
