package istio_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	httprbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	httpwasm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	"google.golang.org/protobuf/types/known/anypb"
	extensions "istio.io/api/extensions/v1alpha1"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pkg/wasm"
)

// throughIstio takes a plugin the way that it goes in a cluster: istiod builds Envoy's filter
// from the resource, the proxy's agent fetches the module and puts a local file in the url's
// place. What comes back is what Envoy is told to load.
func throughIstio(t *testing.T, plugin *extensions.WasmConfig) *anypb.Any {
	t.Helper()
	wrapper := &model.TrafficExtensionWrapper{
		Name: "basic-auth", Namespace: "default", ResourceVersion: "1",
		TrafficExtension: &extensions.TrafficExtension{
			FilterConfig: &extensions.TrafficExtension_Wasm{Wasm: plugin},
		},
	}
	filter, err := anypb.New(wrapper.BuildHTTPWasmFilter())
	if err != nil {
		t.Fatal(err)
	}
	resource, err := anypb.New(&core.TypedExtensionConfig{Name: "default.basic-auth", TypedConfig: filter})
	if err != nil {
		t.Fatal(err)
	}
	resources := []*anypb.Any{resource}
	if err := wasm.MaybeConvertWasmExtensionConfig(resources, agent(t)); err != nil {
		t.Fatal(err)
	}
	told := &core.TypedExtensionConfig{}
	if err := resources[0].UnmarshalTo(told); err != nil {
		t.Fatal(err)
	}
	return told.TypedConfig
}

func loadedFile(t *testing.T, told *anypb.Any) string {
	t.Helper()
	filter := &httpwasm.Wasm{}
	if err := told.UnmarshalTo(filter); err != nil {
		t.Fatalf("Envoy is told to load no module: %v", err)
	}
	file := filter.GetConfig().GetVmConfig().GetCode().GetLocal().GetFilename()
	if file == "" {
		t.Fatalf("Envoy is told to load no local file: %v", filter)
	}
	return file
}

func TestEnvoyLoadsWhatWasBuilt(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	name := server.host + "/project/basic_auth:0.1.0"
	digest := push(t, "oci", name)
	mounted, err := filepath.Abs(filepath.Join(root, "target/basic_auth.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for url, sha256 := range map[string]string{"oci://" + name: digest, "file://" + mounted: ""} {
		scheme, _, _ := strings.Cut(url, ":")
		t.Run(scheme, func(t *testing.T) {
			file := loadedFile(t, throughIstio(t, &extensions.WasmConfig{Url: url, Sha256: sha256}))
			loaded, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := sameModule(loaded, builtModule(t)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What stands in the module's place while it cannot be fetched: a filter that refuses every
// request, unless the resource says FAIL_OPEN.
func TestFailStrategyWithoutModule(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, nil)
	for strategy, open := range map[extensions.FailStrategy]bool{
		extensions.FailStrategy_FAIL_CLOSE:  false,
		extensions.FailStrategy_FAIL_RELOAD: false,
		extensions.FailStrategy_FAIL_OPEN:   true,
	} {
		t.Run(strategy.String(), func(t *testing.T) {
			told := throughIstio(t, &extensions.WasmConfig{Url: "oci://" + server.host + "/not/there:1", FailStrategy: strategy})
			filter := &httprbac.RBAC{}
			if err := told.UnmarshalTo(filter); err != nil {
				t.Fatalf("the agent should have put a filter of its own in the module's place: %v", err)
			}
			// Rules that list nothing refuse everything; no rules at all let everything pass.
			if passes := filter.GetRules() == nil; passes != open {
				t.Errorf("without the module every request passes: %t, but expected %t", passes, open)
			}
		})
	}
}
