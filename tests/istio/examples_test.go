package istio_test

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kube "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	istiocrd "istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/test/util/yml"
)

// A judge is what a resource meets in a cluster: the schemas of its definition (Istio's and
// Gateway API's, with their rules in CEL and with unknown fields refused, as kubectl does), then
// istiod's own validation; Kubernetes' own kinds are read strictly into their types.
type judge struct{ schemas *crd.Validator }

func newJudge(t *testing.T) judge {
	t.Helper()
	// Go finds the module's folder; its files are the ones that Istio's charts install.
	folder := strings.TrimSpace(run(t, nil, "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"))
	schemas, err := crd.NewValidatorFromFiles(
		filepath.Join(folder, "manifests/charts/base/files/crd-all.gen.yaml"),
		filepath.Join(folder, "tests/integration/pilot/testdata/gateway-api-crd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return judge{schemas}
}

func (judge judge) verdict(document string) error {
	// As the API server reads it: a whole number is no floating-point one.
	text, err := yaml.YAMLToJSONStrict([]byte(document))
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		return err
	}
	kind := object.GroupVersionKind()
	if kube.Scheme.Recognizes(kind) {
		strict := serializer.NewCodecFactory(kube.Scheme, serializer.EnableStrict)
		_, _, err := strict.UniversalDeserializer().Decode([]byte(document), nil, nil)
		return err
	}
	// Defaults are filled in on the way: the schemas judge a copy.
	if err := judge.schemas.ValidateCustomResource(object.DeepCopy()); err != nil {
		return err
	}
	configs, others, err := istiocrd.ParseInputs(document)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		// A kind that istiod does not read (nor validate): the schema was the judge.
		return nil
	}
	for _, config := range configs {
		schema, found := collections.PilotGatewayAPI().FindByGroupVersionKind(config.GroupVersionKind)
		if !found {
			return fmt.Errorf("istiod does not know %v", config.GroupVersionKind)
		}
		warning, err := schema.ValidateConfig(config)
		if err != nil {
			return err
		}
		if warning != nil {
			return fmt.Errorf("istiod warns: %w", warning)
		}
	}
	return modulePinned(object)
}

// modulePinned asks more than Istio does: a url without a scheme is dropped by istiod, so that
// nothing is protected and nobody is told, and a module that is not pinned by its digest is
// whatever the registry says today. A url with OWNER in it is a blank to be filled in: what is not
// published yet has no digest.
func modulePinned(object *unstructured.Unstructured) error {
	var place []string
	switch object.GetKind() {
	case "WasmPlugin":
		place = []string{"spec"}
	case "TrafficExtension":
		place = []string{"spec", "wasm"}
	default:
		return nil
	}
	spec, found, err := unstructured.NestedMap(object.Object, place...)
	if err != nil || !found {
		return err
	}
	url, _ := spec["url"].(string)
	sha256, _ := spec["sha256"].(string)
	scheme, rest, _ := strings.Cut(url, "://")
	switch scheme {
	case "file":
		return nil
	case "oci", "http", "https":
		if _, inURL, found := strings.Cut(rest, "@sha256:"); found && sha256 == "" {
			sha256 = inURL
		}
	default:
		return fmt.Errorf("the url %q has none of the schemes oci, http, https, file: istiod would drop it in silence", url)
	}
	if strings.Contains(rest, "OWNER") && sha256 == "" {
		return nil
	}
	if digest, err := hex.DecodeString(sha256); err != nil || len(digest) != 32 {
		return fmt.Errorf("the url %q is not pinned by a sha256", url)
	}
	return nil
}

func TestExamples(t *testing.T) {
	judge := newJudge(t)
	folder := filepath.Join(root, "examples/istio")
	judged := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for number, document := range yml.SplitString(string(text)) {
			judged++
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(path), number+1), func(t *testing.T) {
				if err := judge.verdict(document); err != nil {
					t.Error(err)
				}
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if judged == 0 {
		t.Fatalf("%s holds no YAML: nothing was judged", folder)
	}
}

// The judge can say no, to each kind of mistake that it is there for.
func TestJudgeRefuses(t *testing.T) {
	judge := newJudge(t)
	const good = `
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: basic-auth, namespace: default}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gateway}]
  url: oci://registry.example/basic_auth:0.1.0
  sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  phase: AUTHN
`
	if err := judge.verdict(good); err != nil {
		t.Fatalf("the judge refuses a good resource: %v", err)
	}
	for _, bad := range []struct{ name, from, to string }{
		{"an unknown field", "phase:", "phases:"},
		{"an unknown phase", "AUTHN", "AUTHENTICATION"},
		{"a sha256 that is none", "sha256: aaaa", "sha256: sha256:aaaa"},
		{"a module that is not pinned", "  sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", ""},
		{"a url without a scheme", "oci://registry.example", "registry.example:5000"},
		{"a selector beside targetRefs", "  phase:", "  selector: {matchLabels: {app: web}}\n  phase:"},
		{"a target of a kind that Istio does not know", "kind: Gateway,", "kind: Deployment,"},
		{"a key that stands twice", "  phase: AUTHN\n", "  phase: AUTHN\n  phase: AUTHZ\n"},
	} {
		t.Run(bad.name, func(t *testing.T) {
			document := strings.Replace(good, bad.from, bad.to, 1)
			if document == good {
				t.Fatalf("%q is not in the good resource any more", bad.from)
			}
			if judge.verdict(document) == nil {
				t.Errorf("the judge takes:\n%s", document)
			}
		})
	}
	for _, document := range []string{
		"apiVersion: v1\nkind: Secret\nmetadata: {name: users}\nstringdata: {a: b}\n",
		"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: gateway}\nspec: {gatewayClassName: istio}\n",
	} {
		if judge.verdict(document) == nil {
			t.Errorf("the judge takes:\n%s", document)
		}
	}
}
