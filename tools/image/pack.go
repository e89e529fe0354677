package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	// The standard library's compressor may change its output from one Go release to the
	// next; this one is pinned by go.sum, so the digests do not depend on the toolchain.
	"github.com/klauspost/compress/gzip"
)

// The file that Istio looks for in the layer of an OCI or Docker image.
const moduleName = "plugin.wasm"

// The layers of a WebAssembly artifact, as the specification that Istio follows names them
// (solo-io/wasm, spec/spec.md).
const (
	artifactConfigLayer  types.MediaType = "application/vnd.module.wasm.config.v1+json"
	artifactContentLayer types.MediaType = "application/vnd.module.wasm.content.layer.v1+wasm"
)

// A Form is one of the ways in which Istio takes a module from a registry.
type Form struct {
	// Name is what FORM= takes and what the layout's folder is called.
	Name string
	// Title says what it is in the words of the specifications.
	Title string
	// TagSuffix keeps the forms apart where all are pushed to one repository.
	TagSuffix string

	build func(wasm []byte, about Metadata) (v1.Image, error)
}

// The first is the one that is pushed unless another is asked for: every registry, mirror and
// scanner of today takes an OCI image. Docker's form is for registries that know nothing else,
// the artifact for tools that want the module as a blob of its own.
var forms = []Form{
	{Name: "oci", Title: "OCI image", TagSuffix: "", build: buildOCI},
	{Name: "docker", Title: "Docker image", TagSuffix: "-docker", build: buildDocker},
	{Name: "artifact", Title: "OCI artifact", TagSuffix: "-artifact", build: buildArtifact},
}

func formNamed(name string) (Form, error) {
	for _, form := range forms {
		if form.Name == name {
			return form, nil
		}
	}
	return Form{}, fmt.Errorf("there is no form %q: take oci (the default), docker, artifact, or all to push each", name)
}

func (form Form) path(directory string) string { return filepath.Join(directory, form.Name) }

// Metadata is what an image says of itself, under the names of the OCI image specification.
type Metadata struct {
	Version, Revision, Source, Licence, Description string
	// Created is in seconds since 1970: the commit's date, never the clock's.
	Created int64
}

func (about Metadata) labels() map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":       "basic_auth",
		"org.opencontainers.image.version":     about.Version,
		"org.opencontainers.image.revision":    about.Revision,
		"org.opencontainers.image.source":      about.Source,
		"org.opencontainers.image.licenses":    about.Licence,
		"org.opencontainers.image.description": about.Description,
		"org.opencontainers.image.created":     about.created().Format(time.RFC3339),
	}
	for key, value := range labels {
		if value == "" {
			delete(labels, key)
		}
	}
	return labels
}

func (about Metadata) created() time.Time { return time.Unix(about.Created, 0).UTC() }

// readModule returns the module's bytes, and refuses a file that is none.
func readModule(path string) ([]byte, error) {
	wasm, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: run `make build` first", path)
	}
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(wasm, []byte("\x00asm\x01\x00\x00\x00")) {
		return nil, fmt.Errorf("%s is not a WebAssembly module: run `make build` again", path)
	}
	return wasm, nil
}

func fileDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// writeLayouts writes one OCI layout for each form and returns the digests of their manifests.
// Each folder is made anew, so that nothing of an older build stays in it.
func writeLayouts(directory string, wasm []byte, about Metadata) (map[string]v1.Hash, error) {
	digests := map[string]v1.Hash{}
	for _, form := range forms {
		image, err := form.build(wasm, about)
		if err != nil {
			return nil, fmt.Errorf("the %s could not be built: %w", form.Title, err)
		}
		path := form.path(directory)
		if err := os.RemoveAll(path); err != nil {
			return nil, err
		}
		written, err := layout.Write(path, empty.Index)
		if err != nil {
			return nil, fmt.Errorf("%s could not be written: %w", path, err)
		}
		name := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": about.Version})
		if err := written.AppendImage(image, name); err != nil {
			return nil, fmt.Errorf("%s could not be written: %w", path, err)
		}
		if digests[form.Name], err = image.Digest(); err != nil {
			return nil, err
		}
	}
	return digests, nil
}

// readLayout returns the one image that writeLayouts left for a form.
func readLayout(directory string, form Form) (v1.Image, error) {
	path := form.path(directory)
	index, err := layout.ImageIndexFromPath(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: run `make image` first", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read (%w): run `make image` again", path, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read (%w): run `make image` again", path, err)
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("%s holds %d images instead of one: run `make image` again", path, len(manifest.Manifests))
	}
	return index.Image(manifest.Manifests[0].Digest)
}

func buildOCI(wasm []byte, about Metadata) (v1.Image, error) {
	layer, err := tarLayer(wasm, types.OCILayer)
	if err != nil {
		return nil, err
	}
	return assemble(about, types.OCIManifestSchema1, types.OCIConfigJSON, mutate.Addendum{Layer: layer})
}

func buildDocker(wasm []byte, about Metadata) (v1.Image, error) {
	layer, err := tarLayer(wasm, types.DockerLayer)
	if err != nil {
		return nil, err
	}
	return assemble(about, types.DockerManifestSchema2, types.DockerConfigJSON, mutate.Addendum{Layer: layer})
}

func buildArtifact(wasm []byte, about Metadata) (v1.Image, error) {
	// No root ids: the module works under any.
	runtime, err := json.Marshal(map[string]any{
		"type":        "envoy_proxy",
		"abiVersions": []string{"v0.2.1"},
		"config":      map[string]any{},
	})
	if err != nil {
		return nil, err
	}
	return assemble(about, types.OCIManifestSchema1, types.OCIConfigJSON,
		mutate.Addendum{
			Layer:       static.NewLayer(runtime, artifactConfigLayer),
			Annotations: map[string]string{"org.opencontainers.image.title": "runtime-config.json"},
		},
		mutate.Addendum{
			Layer:       static.NewLayer(wasm, artifactContentLayer),
			Annotations: map[string]string{"org.opencontainers.image.title": moduleName},
		})
}

// assemble puts layers, labels and media types together, with no clock and no machine in it.
func assemble(about Metadata, manifest, config types.MediaType, layers ...mutate.Addendum) (v1.Image, error) {
	for i := range layers {
		// Without it the library would give the layers of a Docker base an OCI one's type.
		mediaType, err := layers[i].Layer.MediaType()
		if err != nil {
			return nil, err
		}
		layers[i].MediaType = mediaType
		layers[i].History = v1.History{Created: v1.Time{Time: about.created()}, CreatedBy: "tools/image"}
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, manifest), config)
	image, err := mutate.Append(base, layers...)
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	// The module runs on every machine. Istio does not read these two, but `docker pull`
	// refuses what it takes for another system's, and a pull is how many a mirror works;
	// they are what `docker build` writes for a file put into an empty image.
	file.OS, file.Architecture = "linux", "amd64"
	file.Created = v1.Time{Time: about.created()}
	file.Config.Labels = about.labels()
	if image, err = mutate.ConfigFile(image, file); err != nil {
		return nil, err
	}
	if manifest == types.DockerManifestSchema2 {
		// A Docker manifest has no annotations; its labels say the same.
		return image, nil
	}
	annotated, ok := mutate.Annotations(image, about.labels()).(v1.Image)
	if !ok {
		return nil, errors.New("an annotated image is no image")
	}
	return annotated, nil
}

// tarLayer packs the module as the only file of a layer. Its date is always zero: the layer
// then changes with the module alone, and registries keep one copy for many commits.
func tarLayer(wasm []byte, mediaType types.MediaType) (v1.Layer, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	header := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     moduleName,
		Size:     int64(len(wasm)),
		Mode:     0o444,
		ModTime:  time.Unix(0, 0),
		Format:   tar.FormatUSTAR,
	}
	if err := errors.Join(writer.WriteHeader(header), write(writer, wasm), writer.Close()); err != nil {
		return nil, err
	}
	diffID, _, err := v1.SHA256(bytes.NewReader(archive.Bytes()))
	if err != nil {
		return nil, err
	}
	var compressed bytes.Buffer
	compressor, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(write(compressor, archive.Bytes()), compressor.Close()); err != nil {
		return nil, err
	}
	return &gzippedLayer{
		Layer:   static.NewLayer(compressed.Bytes(), mediaType),
		diffID:  diffID,
		archive: archive.Bytes(),
	}, nil
}

func write(to io.Writer, content []byte) error {
	_, err := to.Write(content)
	return err
}

// A gzippedLayer knows both what is stored and what that unpacks to; a static layer takes them
// for the same.
type gzippedLayer struct {
	v1.Layer
	diffID  v1.Hash
	archive []byte
}

func (layer *gzippedLayer) DiffID() (v1.Hash, error) { return layer.diffID, nil }

func (layer *gzippedLayer) Uncompressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(layer.archive)), nil
}

// moduleIn takes the module out of an image again, the way Istio's agent does.
func moduleIn(image v1.Image) ([]byte, error) {
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	for _, layer := range layers {
		mediaType, err := layer.MediaType()
		if err != nil {
			return nil, err
		}
		switch mediaType {
		case artifactContentLayer:
			return readLayer(layer)
		case types.OCILayer, types.DockerLayer:
			stored, err := readLayer(layer)
			if err != nil {
				return nil, err
			}
			return moduleInArchive(stored)
		}
	}
	return nil, errors.New("no layer of the image holds a module")
}

func readLayer(layer v1.Layer) ([]byte, error) {
	stored, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer stored.Close()
	return io.ReadAll(stored)
}

func moduleInArchive(stored []byte) ([]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, err
	}
	archive := tar.NewReader(unpacked)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the layer holds no %s", moduleName)
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimPrefix(header.Name, "./") == moduleName {
			return io.ReadAll(archive)
		}
	}
}
