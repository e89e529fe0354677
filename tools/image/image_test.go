package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// A module with as much variety as a compressor needs to take its different ways.
func someModule() []byte {
	module := []byte("\x00asm\x01\x00\x00\x00")
	state := uint32(1)
	for len(module) < 300_000 {
		state = state*1664525 + 1013904223
		module = append(module, byte(state>>24)&0x1f, "the same words again and again"[state%30])
	}
	return module
}

var about = Metadata{
	Version: "1.2.3", Revision: "0123456789abcdef", Source: "https://example.com/source",
	Licence: "Apache-2.0", Description: "A module.", Created: 1_700_000_000,
}

// The digests of one input, once and for all: neither the Go release, nor the processor, nor an
// update of a library may change what an old commit gives. Run it with -tags noasm too.
func TestDigestsStayTheSame(t *testing.T) {
	expected := map[string]string{
		"oci":      "sha256:b9e82bc38d949cf16fdc4a1a17caea9846ecac5be2e933a158e73ada79ed2713",
		"docker":   "sha256:f0517152c046256a30499a4b3aa1c62b76871eb830639bc53f39c56eba448a1f",
		"artifact": "sha256:af686435e5ccd252cdccbd1738a9483f9ed0defa24e7ba468993105588ac32e6",
	}
	for _, form := range forms {
		image, err := form.build(someModule(), about)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if digest.String() != expected[form.Name] {
			t.Errorf("%s is %s now", form.Name, digest)
		}
	}
}

func TestDigestsFollowTheirInput(t *testing.T) {
	other := about
	other.Revision = "another"
	longer := append(someModule(), 0)
	for _, form := range forms {
		seen := map[string]bool{}
		for _, build := range []func() (string, error){
			func() (string, error) { return digestOf(form, someModule(), about) },
			func() (string, error) { return digestOf(form, longer, about) },
			func() (string, error) { return digestOf(form, someModule(), other) },
		} {
			digest, err := build()
			if err != nil {
				t.Fatal(err)
			}
			if seen[digest] {
				t.Errorf("two images of the form %s are the same", form.Name)
			}
			seen[digest] = true
		}
	}
}

func digestOf(form Form, wasm []byte, about Metadata) (string, error) {
	image, err := form.build(wasm, about)
	if err != nil {
		return "", err
	}
	digest, err := image.Digest()
	return digest.String(), err
}

func TestTheModuleComesOutAgain(t *testing.T) {
	for _, form := range forms {
		image, err := form.build(someModule(), about)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := moduleIn(image)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(packed, someModule()) {
			t.Errorf("%s holds another module than the one that was packed", form.Name)
		}
	}
}

func TestOneLayerOneFile(t *testing.T) {
	for _, expected := range []struct {
		form            string
		manifest, layer types.MediaType
	}{
		{"oci", types.OCIManifestSchema1, types.OCILayer},
		{"docker", types.DockerManifestSchema2, types.DockerLayer},
	} {
		form, err := formNamed(expected.form)
		if err != nil {
			t.Fatal(err)
		}
		image, err := form.build(someModule(), about)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := image.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if manifest.MediaType != expected.manifest || len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != expected.layer {
			t.Errorf("%s has the manifest %s with the layers %v", form.Name, manifest.MediaType, manifest.Layers)
		}
		layers, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		stored, err := readLayer(layers[0])
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := gzip.NewReader(bytes.NewReader(stored))
		if err != nil {
			t.Fatal(err)
		}
		archive := tar.NewReader(unpacked)
		header, err := archive.Next()
		if err != nil {
			t.Fatal(err)
		}
		if header.Name != "plugin.wasm" || header.ModTime.Unix() != 0 || header.Uid != 0 || header.Uname != "" {
			t.Errorf("the file in the layer is %+v", header)
		}
		if _, err := archive.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("there is more in the layer than the module: %v", err)
		}
	}
}

// project writes a module and its images, and returns the options that name them.
func project(t *testing.T, wasm []byte, version string) (options []string, module, layout string) {
	t.Helper()
	folder := t.TempDir()
	module, layout = filepath.Join(folder, "module.wasm"), filepath.Join(folder, "image")
	if err := os.WriteFile(module, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), []string{"build", "-module", module, "-out", layout, "-version", version}, io.Discard); err != nil {
		t.Fatal(err)
	}
	return []string{"-module", module, "-layout", layout}, module, layout
}

func pushArguments(options []string, more ...string) []string {
	return append(append([]string{"push"}, options...), more...)
}

func emptyRegistry(t *testing.T) string {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestATagDoesNotMoveByItself(t *testing.T) {
	host := emptyRegistry(t)
	ctx := context.Background()
	first, _, _ := project(t, someModule(), "1.0.0")
	second, _, _ := project(t, someModule(), "1.0.1")
	target := host + "/name/space:1"
	var said strings.Builder
	if err := run(ctx, pushArguments(first, target), &said); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "url: oci://"+target+"\n  sha256: ") {
		t.Errorf("the lines to paste are missing: %s", said.String())
	}
	if err := run(ctx, pushArguments(first, target), io.Discard); err != nil {
		t.Errorf("the same image again should be no trouble: %v", err)
	}
	if err := run(ctx, pushArguments(second, target), io.Discard); err == nil || !strings.Contains(err.Error(), "FORCE=1") {
		t.Errorf("another image under the same tag should be refused, but: %v", err)
	}
	if err := run(ctx, pushArguments(second, "-force", target), io.Discard); err != nil {
		t.Errorf("forced, it should be pushed: %v", err)
	}
	// One of three tags is taken by another image: then none of the three is pushed.
	if err := run(ctx, pushArguments(first, host+"/name/all:1-artifact"), io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := run(ctx, pushArguments(first, "-form", "all", host+"/name/all:1"), io.Discard); err == nil {
		t.Error("a tag of the three is taken, but the push went on")
	}
	answer, err := http.Get("http://" + host + "/v2/name/all/manifests/1")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("the first of the three forms was pushed before the last was looked at: %s", answer.Status)
	}
}

func TestOneClearSentence(t *testing.T) {
	host := emptyRegistry(t)
	options, module, layout := project(t, someModule(), "1.0.0")
	locked := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		answer.WriteHeader(http.StatusUnauthorized)
	}))
	defer locked.Close()
	sick := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/v2/" {
			answer.WriteHeader(http.StatusInsufficientStorage)
		}
	}))
	defer sick.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer encrypted.Close()
	text := filepath.Join(t.TempDir(), "text.wasm")
	if err := os.WriteFile(text, []byte("not a module"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := func(server *httptest.Server) string {
		_, found, _ := strings.Cut(server.URL, "://")
		return found
	}
	for _, mistake := range []struct {
		name      string
		arguments []string
		says      string
	}{
		{"no registry", pushArguments(options, "name/space:1"), "no name for an image"},
		{"no tag", pushArguments(options, host+"/name/space"), "no name for an image"},
		{"a digest", pushArguments(options, host+"/name/space@sha256:"+strings.Repeat("0", 64)), "names a digest"},
		{"capital letters", pushArguments(options, host+"/Name/space:1"), "capital letters"},
		{"an unknown form", pushArguments(options, "-form", "zip", host+"/name/space:1"), `there is no form "zip"`},
		{"an unknown host", pushArguments(options, "nowhere.invalid/name/space:1"), "see whether this machine's network is up"},
		{"nobody listens", pushArguments(options, address(gone)+"/name/space:1"), "nothing listens at"},
		{"no credentials", pushArguments(options, address(locked)+"/name/space:1"), "run `docker login " + address(locked) + "`"},
		{"a sick registry", pushArguments(options, address(sick)+"/name/space:1"), "is in trouble itself"},
		{"a certificate that nobody knows", pushArguments(options, address(encrypted)+"/name/space:1"), "SSL_CERT_FILE"},
		{"no module", []string{"push", "-module", module + "x", "-layout", layout, host + "/name/space:1"}, "run `make build` first"},
		{"no module to pack", []string{"build", "-module", module + "x", "-version", "1"}, "run `make build` first"},
		{"a module that is none", []string{"build", "-module", text, "-version", "1"}, "is not a WebAssembly module"},
		{"no image", []string{"push", "-module", module, "-layout", layout + "x", host + "/name/space:1"}, "run `make image` first"},
		{"no version", []string{"build", "-module", module}, "needs a version"},
		{"no command", nil, "usage:"},
		{"an unknown command", []string{"pull"}, `there is no command "pull"`},
		{"an unknown option", []string{"push", "-insecure", host + "/name/space:1"}, "usage:"},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			err := run(context.Background(), mistake.arguments, io.Discard)
			if err == nil {
				t.Fatalf("no error, but expected %q", mistake.says)
			}
			if !strings.Contains(err.Error(), mistake.says) {
				t.Errorf("expected %q, but: %v", mistake.says, err)
			}
		})
	}
}

func TestAStaleImageIsNotPushed(t *testing.T) {
	host := emptyRegistry(t)
	options, module, _ := project(t, someModule(), "1.0.0")
	if err := os.WriteFile(module, append(someModule(), 0), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(context.Background(), pushArguments(options, host+"/name/space:1"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "holds another module than") {
		t.Errorf("an image of an older build should not be pushed, but: %v", err)
	}
}
