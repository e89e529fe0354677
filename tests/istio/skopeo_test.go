package istio_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A second pair of eyes: skopeo, which shares no code with the push tool, pulls the images back,
// and the module is taken out with nothing but the standard library.
func TestSkopeoPullsWhatWasBuilt(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			reference := server.host + "/project/basic_auth:" + form
			digest := push(t, form, reference)
			if err := sameModule(pullWithSkopeo(t, reference), builtModule(t)); err != nil {
				t.Fatal(err)
			}
			manifest := run(t, nil, "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://"+reference)
			if fileDigest([]byte(manifest)) != digest {
				t.Errorf("the tool printed %s for the sha256 field, but the manifest in the registry is %s", digest, fileDigest([]byte(manifest)))
			}
		})
	}
}

// What each image says of itself, as a person would look at it.
func TestLabels(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			reference := server.host + "/project/basic_auth:" + form
			push(t, form, reference)
			var config struct {
				Config struct{ Labels map[string]string }
			}
			raw := run(t, nil, "skopeo", "inspect", "--config", "--raw", "--tls-verify=false", "docker://"+reference)
			if err := json.Unmarshal([]byte(raw), &config); err != nil {
				t.Fatal(err)
			}
			cargo, err := os.ReadFile(filepath.Join(root, "Cargo.toml"))
			if err != nil {
				t.Fatal(err)
			}
			wanted := []string{"version", "revision", "licenses", "description", "created"}
			if strings.Contains(string(cargo), "\nrepository = ") || os.Getenv("SOURCE") != "" {
				wanted = append(wanted, "source")
			}
			for _, name := range wanted {
				if config.Config.Labels["org.opencontainers.image."+name] == "" {
					t.Errorf("the image has no label org.opencontainers.image.%s", name)
				}
			}
			version := config.Config.Labels["org.opencontainers.image.version"]
			if !strings.Contains(string(cargo), "\nversion = \""+version+"\"\n") {
				t.Errorf("the image says that it is version %s, but Cargo.toml does not", version)
			}
			if form == "docker" {
				return
			}
			var manifest struct{ Annotations map[string]string }
			raw = run(t, nil, "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://"+reference)
			if err := json.Unmarshal([]byte(raw), &manifest); err != nil {
				t.Fatal(err)
			}
			for name, value := range config.Config.Labels {
				if manifest.Annotations[name] != value {
					t.Errorf("the label %s is %q, but the annotation %q", name, value, manifest.Annotations[name])
				}
			}
		})
	}
}

func pullWithSkopeo(t *testing.T, reference string) []byte {
	t.Helper()
	folder := t.TempDir()
	run(t, nil, "skopeo", "copy", "--quiet", "--src-tls-verify=false", "docker://"+reference, "dir:"+folder)
	raw, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Layers []struct{ MediaType, Digest string }
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	last := manifest.Layers[len(manifest.Layers)-1]
	blob, err := os.ReadFile(filepath.Join(folder, strings.TrimPrefix(last.Digest, "sha256:")))
	if err != nil {
		t.Fatal(err)
	}
	if last.MediaType == string(contentLayer) {
		return blob
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewReader(unpacked)
	header, err := files.Next()
	if err != nil {
		t.Fatal(err)
	}
	if header.Name != "plugin.wasm" {
		t.Fatalf("the layer begins with %s instead of plugin.wasm", header.Name)
	}
	wasm, err := io.ReadAll(files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("the layer holds more than plugin.wasm: %v", err)
	}
	return wasm
}
