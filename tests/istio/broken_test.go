package istio_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"istio.io/istio/pkg/wasm"
)

const contentLayer = types.MediaType("application/vnd.module.wasm.content.layer.v1+wasm")

// Images that are not what they should be: Istio takes none of them, and says why.
func TestBrokenImages(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	built := builtModule(t)
	cases := []struct {
		name     string
		manifest types.MediaType
		layers   []v1.Layer
		says     string
	}{
		{
			"the module under another name", types.OCIManifestSchema1,
			[]v1.Layer{static.NewLayer(archive(t, "basic_auth.wasm", built), types.OCILayer)},
			"plugin.wasm not found in the archive",
		},
		{
			"a layer that is not compressed", types.OCIManifestSchema1,
			[]v1.Layer{static.NewLayer(built, types.OCILayer)},
			"failed to parse layer as tar.gz",
		},
		{
			"a text in the module's place", types.OCIManifestSchema1,
			[]v1.Layer{static.NewLayer(archive(t, "plugin.wasm", []byte("<html>not found</html>")), types.OCILayer)},
			"is invalid",
		},
		{
			"a Docker image with a layer of OCI's type", types.DockerManifestSchema2,
			[]v1.Layer{static.NewLayer(archive(t, "plugin.wasm", built), types.OCILayer)},
			"invalid media type",
		},
		{
			"an artifact with one layer", types.OCIManifestSchema1,
			[]v1.Layer{static.NewLayer(built, contentLayer)},
			"number of layers must be 2 but got 1",
		},
		{
			"an artifact of another type", types.OCIManifestSchema1,
			[]v1.Layer{static.NewLayer([]byte("{}"), "application/vnd.module.wasm.config.v1+json"), static.NewLayer(built, "application/wasm")},
			"could not find the layer of type",
		},
		{
			"no layer", types.OCIManifestSchema1, nil, "number of layers must be",
		},
	}
	for number, broken := range cases {
		t.Run(broken.name, func(t *testing.T) {
			image := mutate.MediaType(empty.Image, broken.manifest)
			for _, layer := range broken.layers {
				mediaType, err := layer.MediaType()
				if err != nil {
					t.Fatal(err)
				}
				if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: mediaType}); err != nil {
					t.Fatal(err)
				}
			}
			reference := server.host + "/broken/image:" + string(rune('a'+number))
			tag, err := name.NewTag(reference)
			if err != nil {
				t.Fatal(err)
			}
			if err := remote.Write(tag, image); err != nil {
				t.Fatal(err)
			}
			mustRefuse(t, "oci://"+reference, wasm.GetOptions{}, broken.says)
		})
	}

	t.Run("no such tag", func(t *testing.T) {
		mustRefuse(t, "oci://"+server.host+"/broken/image:none", wasm.GetOptions{}, "MANIFEST_UNKNOWN")
	})
	t.Run("no such registry", func(t *testing.T) {
		away := startRegistry(t, nil)
		away.stop()
		mustRefuse(t, "oci://"+away.host+"/project/basic_auth:1", wasm.GetOptions{}, "connection refused")
		said, err := try(nil, imageTool(t), "push", "-layout", filepath.Join(root, "target/image"),
			"-module", filepath.Join(root, "target/basic_auth.wasm"), away.host+"/project/basic_auth:1")
		if err == nil || !strings.Contains(said, "nothing listens at "+away.host) {
			t.Errorf("the push should have been refused with the cure, but: %v %s", err, said)
		}
	})
}

func archive(t *testing.T, file string, content []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressor := gzip.NewWriter(&packed)
	writer := tar.NewWriter(compressor)
	if err := writer.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressor.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
