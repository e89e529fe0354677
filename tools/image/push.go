package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

type pushRequest struct {
	Layout, Module, Form, Reference string
	Force, PlainHTTP                bool
}

// A parcel is one image and the tag that it goes to.
type parcel struct {
	form   Form
	tag    name.Tag
	image  v1.Image
	digest v1.Hash
}

// push checks everything that can be checked before it sends the first byte: the images are of
// the module that was built, the credentials can be read, no tag would silently move.
func push(ctx context.Context, request pushRequest, out io.Writer) error {
	parcels, err := pack(request)
	if err != nil {
		return err
	}
	registry := parcels[0].tag.Registry
	who, err := authn.Resolve(ctx, authn.DefaultKeychain, parcels[0].tag.Repository)
	if err != nil {
		return fmt.Errorf("the credentials for %s cannot be read (%w): run `docker login %s` again", registry, err, registry)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuth(who)}
	for _, parcel := range parcels {
		if err := guardTag(parcel, request.Force, options); err != nil {
			return cure(err, parcel.tag, who)
		}
	}
	for _, parcel := range parcels {
		if err := remote.Write(parcel.tag, parcel.image, options...); err != nil {
			return cure(err, parcel.tag, who)
		}
		stored, err := remote.Head(parcel.tag, options...)
		if err != nil {
			return cure(err, parcel.tag, who)
		}
		if stored.Digest != parcel.digest {
			return fmt.Errorf("%s says that %s is %s now, but %s was pushed: somebody else writes to this tag, or the registry changes what it stores",
				registry, parcel.tag, stored.Digest, parcel.digest)
		}
		fmt.Fprintf(out, "pushed the %s: %s@%s\n", parcel.form.Title, parcel.tag, parcel.digest)
		fmt.Fprintf(out, "  url: oci://%s\n  sha256: %s\n", parcel.tag, parcel.digest.Hex)
	}
	return nil
}

// pack reads the layouts that the request names, and gives each its tag.
func pack(request pushRequest) ([]parcel, error) {
	tag, err := parseTag(request.Reference, request.PlainHTTP)
	if err != nil {
		return nil, err
	}
	chosen := forms
	if request.Form != "all" {
		form, err := formNamed(request.Form)
		if err != nil {
			return nil, err
		}
		// One form alone goes to exactly the tag that was asked for.
		form.TagSuffix = ""
		chosen = []Form{form}
	}
	wasm, err := readModule(request.Module)
	if err != nil {
		return nil, err
	}
	var parcels []parcel
	for _, form := range chosen {
		image, err := readLayout(request.Layout, form)
		if err != nil {
			return nil, err
		}
		packed, err := moduleIn(image)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read (%w): run `make image` again", form.path(request.Layout), err)
		}
		if !bytes.Equal(packed, wasm) {
			return nil, fmt.Errorf("%s holds another module than %s: run `make image` again", form.path(request.Layout), request.Module)
		}
		digest, err := image.Digest()
		if err != nil {
			return nil, err
		}
		parcels = append(parcels, parcel{form, tag.Context().Tag(tag.TagStr() + form.TagSuffix), image, digest})
	}
	return parcels, nil
}

// parseTag takes a full name alone: a registry or tag that was left out would be guessed, and a
// push to a guessed place is a leak.
func parseTag(reference string, plainHTTP bool) (name.Tag, error) {
	const form = "write REGISTRY/NAME:TAG, as in ghcr.io/you/basic_auth:0.1.0"
	reference = strings.TrimPrefix(reference, "oci://")
	if strings.Contains(reference, "@") {
		return name.Tag{}, fmt.Errorf("%q names a digest, which a push cannot choose: %s", reference, form)
	}
	options := []name.Option{name.StrictValidation}
	if plainHTTP {
		options = append(options, name.Insecure)
	}
	tag, err := name.NewTag(reference, options...)
	if err != nil {
		if strings.ToLower(reference) != reference {
			return name.Tag{}, fmt.Errorf("%q is no name for an image, perhaps for its capital letters: %s", reference, form)
		}
		return name.Tag{}, fmt.Errorf("%q is no name for an image: %s", reference, form)
	}
	if host, _, found := strings.Cut(reference, "/"); !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return name.Tag{}, fmt.Errorf("%q names no registry: %s", reference, form)
	}
	return tag, nil
}

// guardTag refuses to move a tag that users may rely on.
func guardTag(parcel parcel, force bool, options []remote.Option) error {
	stored, err := remote.Head(parcel.tag, options...)
	var answer *transport.Error
	switch {
	case errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound:
		return nil
	case err != nil:
		return err
	case stored.Digest != parcel.digest && !force:
		return &movedTag{parcel, stored.Digest}
	}
	return nil
}

type movedTag struct {
	parcel parcel
	stored v1.Hash
}

func (moved *movedTag) Error() string {
	return fmt.Sprintf("%s is already there with another digest (%s, this one is %s): push a new version, or say FORCE=1 to move the tag",
		moved.parcel.tag, moved.stored, moved.parcel.digest)
}
