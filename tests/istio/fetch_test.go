package istio_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"istio.io/istio/pkg/util/sets"
	"istio.io/istio/pkg/wasm"
)

// agent is a new cache of Istio's agent, as pilot-agent makes one when a proxy starts.
func agent(t *testing.T) *wasm.LocalFileCache {
	t.Helper()
	cache := wasm.NewLocalFileCache(t.TempDir(), wasm.Options{
		HTTPRequestTimeout:    5 * time.Second,
		HTTPRequestMaxRetries: 1,
		PurgeInterval:         time.Hour,
		ModuleExpiry:          time.Hour,
		InsecureRegistries:    sets.New[string](),
	})
	t.Cleanup(cache.Cleanup)
	return cache
}

// pull gets a url the way Istio's agent does and returns the bytes that Envoy would load.
func pull(cache *wasm.LocalFileCache, url string, options wasm.GetOptions) ([]byte, error) {
	options.RequestTimeout = 20 * time.Second
	if options.ResourceName == "" {
		options.ResourceName = "default.basic-auth"
	}
	path, err := cache.Get(url, options)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func mustPull(t *testing.T, cache *wasm.LocalFileCache, url string, options wasm.GetOptions) {
	t.Helper()
	pulled, err := pull(cache, url, options)
	if err != nil {
		t.Fatal(err)
	}
	if err := sameModule(pulled, builtModule(t)); err != nil {
		t.Fatal(err)
	}
}

func mustRefuse(t *testing.T, url string, options wasm.GetOptions, says string) {
	t.Helper()
	_, err := pull(agent(t), url, options)
	if err == nil {
		t.Fatalf("Istio took %s, but should have said %q", url, says)
	}
	if !strings.Contains(err.Error(), says) {
		t.Fatalf("Istio refused %s, but for another reason than %q: %v", url, says, err)
	}
}

// Every form, in every way in which a WasmPlugin may name it.
func TestIstioPullsWhatWasBuilt(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			name := server.host + "/project/basic_auth"
			tag := "0.1.0-" + form
			digest := push(t, form, name+":"+tag)

			t.Run("by tag", func(t *testing.T) {
				mustPull(t, agent(t), "oci://"+name+":"+tag, wasm.GetOptions{})
			})
			t.Run("by tag and sha256", func(t *testing.T) {
				mustPull(t, agent(t), "oci://"+name+":"+tag, wasm.GetOptions{Checksum: digest})
			})
			t.Run("by digest", func(t *testing.T) {
				mustPull(t, agent(t), "oci://"+name+"@sha256:"+digest, wasm.GetOptions{})
			})
			t.Run("by tag and digest", func(t *testing.T) {
				mustPull(t, agent(t), "oci://"+name+":"+tag+"@sha256:"+digest, wasm.GetOptions{Checksum: digest})
			})
			t.Run("with a wrong sha256", func(t *testing.T) {
				mustRefuse(t, "oci://"+name+":"+tag, wasm.GetOptions{Checksum: strings.Repeat("0", 64)}, "which does not match")
			})
			t.Run("with the file's sha256 where the manifest's belongs", func(t *testing.T) {
				mustRefuse(t, "oci://"+name+":"+tag, wasm.GetOptions{Checksum: fileDigest(builtModule(t))}, "which does not match")
			})
			t.Run("by a digest that is not there", func(t *testing.T) {
				mustRefuse(t, "oci://"+name+"@sha256:"+strings.Repeat("0", 64), wasm.GetOptions{}, "could not fetch manifest")
			})
		})
	}
}

// FORM=all pushes three images side by side, the default one under the plain tag.
func TestAllFormsAtOnce(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	name := server.host + "/project/basic_auth:0.1.0"
	push(t, "all", name)
	for _, suffix := range []string{"", "-docker", "-artifact"} {
		mustPull(t, agent(t), "oci://"+name+suffix, wasm.GetOptions{})
	}
}

// The sha256 of an http url is the file's, and the manifest's is refused there.
func TestPlainFile(t *testing.T) {
	built := builtModule(t)
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		_, _ = answer.Write(built)
	}))
	defer server.Close()
	mustPull(t, agent(t), server.URL+"/basic_auth.wasm", wasm.GetOptions{})
	mustPull(t, agent(t), server.URL+"/basic_auth.wasm", wasm.GetOptions{Checksum: fileDigest(built)})
	manifest := strings.TrimPrefix(strings.TrimSpace(run(t, nil, imageTool(t), "digest",
		"-layout", filepath.Join(root, "target/image"), "oci")), "sha256:")
	mustRefuse(t, server.URL+"/basic_auth.wasm", wasm.GetOptions{Checksum: manifest}, "which does not match")
}

// A test that compares nothing would pass for any module: this one sends another module through
// the same way and expects to hear of it.
func TestAnotherModuleIsNoticed(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	folder := t.TempDir()
	other := filepath.Join(folder, "other.wasm")
	if err := os.WriteFile(other, alteredModule(t), 0o600); err != nil {
		t.Fatal(err)
	}
	layouts := filepath.Join(folder, "image")
	run(t, nil, imageTool(t), "build", "-module", other, "-version", "0.0.1", "-out", layouts)

	for _, form := range forms {
		name := server.host + "/project/other:" + form
		run(t, nil, imageTool(t), "push", "-layout", layouts, "-module", other, "-form", form, name)
		pulled, err := pull(agent(t), "oci://"+name, wasm.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if sameModule(pulled, builtModule(t)) == nil {
			t.Errorf("%s: another module passed for the built one when Istio pulled it", form)
		}
		if sameModule(pullWithSkopeo(t, name), builtModule(t)) == nil {
			t.Errorf("%s: another module passed for the built one when skopeo pulled it", form)
		}
	}

	said, err := try(nil, imageTool(t), "push", "-layout", layouts,
		"-module", filepath.Join(root, "target/basic_auth.wasm"), server.host+"/project/stale:1")
	if err == nil || !strings.Contains(said, "holds another module than") {
		t.Errorf("a push of an image that is not of the built module should be refused, but: %v %s", err, said)
	}
}

// What docs/distribution.md promises of upgrades and rollbacks.
func TestUpgradeAndRollback(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	name := server.host + "/project/basic_auth"
	first := push(t, "oci", name+":1")
	// Another image of the same module is another digest: enough to tell what was pulled.
	second := push(t, "docker", name+":2")
	cache := agent(t)
	mustPull(t, cache, "oci://"+name+"@sha256:"+first, wasm.GetOptions{})
	mustPull(t, cache, "oci://"+name+"@sha256:"+second, wasm.GetOptions{})

	server.stop()
	t.Run("a rollback does not need the registry", func(t *testing.T) {
		mustPull(t, cache, "oci://"+name+"@sha256:"+first, wasm.GetOptions{})
	})
	t.Run("a new proxy does", func(t *testing.T) {
		mustRefuse(t, "oci://"+name+"@sha256:"+first, wasm.GetOptions{}, "could not fetch manifest")
	})
}

// A tag that moves reaches a proxy only if the resource asks for it.
func TestMovedTag(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	name := server.host + "/project/basic_auth"
	reference := name + ":0.1"
	push(t, "oci", reference)

	cache := agent(t)
	mustPull(t, cache, "oci://"+reference, wasm.GetOptions{ResourceVersion: "1"})

	folder := t.TempDir()
	other := filepath.Join(folder, "other.wasm")
	if err := os.WriteFile(other, alteredModule(t), 0o600); err != nil {
		t.Fatal(err)
	}
	layouts := filepath.Join(folder, "image")
	run(t, nil, imageTool(t), "build", "-module", other, "-version", "0.1.1", "-out", layouts)
	said, err := try(nil, imageTool(t), "push", "-layout", layouts, "-module", other, reference)
	if err == nil || !strings.Contains(said, "already there with another digest") {
		t.Fatalf("a tag must not move unless forced, but: %v %s", err, said)
	}
	run(t, nil, imageTool(t), "push", "-force", "-layout", layouts, "-module", other, reference)

	// The resource changed (another version), the policy did not: the old module stays.
	mustPull(t, cache, "oci://"+reference, wasm.GetOptions{ResourceVersion: "2"})
	pulled, err := pull(cache, "oci://"+reference, wasm.GetOptions{ResourceVersion: "3", PullPolicy: wasm.Always})
	if err != nil {
		t.Fatal(err)
	}
	if sameModule(pulled, alteredModule(t)) != nil {
		t.Error("imagePullPolicy: Always should have pulled what the tag names now")
	}
}
