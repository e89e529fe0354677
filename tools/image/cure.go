package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// cure turns what went wrong between here and the registry into one sentence that says what to do.
func cure(err error, tag name.Tag, who authn.Authenticator) error {
	registry := tag.RegistryStr()
	var (
		moved       *movedTag
		answer      *transport.Error
		unknownHost *net.DNSError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &moved):
		return moved
	case errors.Is(err, context.Canceled):
		return errors.New("stopped before the push was done: run it again, what was sent is not sent twice")
	// Before the answers: where HTTPS fails on loopback, the library tries HTTP too and reports both.
	case errors.As(err, &certificate), errors.As(err, &authority):
		return fmt.Errorf("this machine does not trust the certificate of %s: name its authority's file in SSL_CERT_FILE (%w)", registry, err)
	case errors.As(err, &answer) && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		if who == authn.Anonymous {
			return fmt.Errorf("%s wants credentials and there are none for it: run `docker login %s`", registry, registry)
		}
		return fmt.Errorf("%s refuses the credentials that `docker login` left: log in again with an account that may write to %s (%w)",
			registry, tag.RepositoryStr(), err)
	case errors.As(err, &answer) && answer.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("%s is in trouble itself: try again later (%w)", registry, err)
	case errors.As(err, &answer):
		return fmt.Errorf("%s does not take the image: %w", registry, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s: start the registry, or correct the name", registry)
	case errors.As(err, &unknownHost) && unknownHost.IsNotFound:
		return fmt.Errorf("there is no host called %s: correct the name, or see whether this machine's network is up", registry)
	case errors.As(err, &unknownHost), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return fmt.Errorf("%s cannot be reached: see whether this machine's network is up (%w)", registry, err)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%s speaks plain HTTP: say PLAIN_HTTP=1 if the way to it is safe", registry)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer: see whether this machine's network is up, and whether it needs HTTPS_PROXY", registry)
	}
	return fmt.Errorf("the push to %s failed: %w", tag, err)
}
