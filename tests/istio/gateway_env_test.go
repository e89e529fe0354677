package istio_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/dynamic/fake"
	kube "k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"istio.io/istio/pilot/pkg/config/kube/gatewaycommon"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/mesh/meshwatcher"
	istiokube "istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/inject"
	"istio.io/istio/pkg/kube/kclient"
	"istio.io/istio/pkg/revisions"
	"istio.io/istio/pkg/test/util/yml"
	"istio.io/istio/pkg/util/sets"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// istiod's own controller writes the Deployment of examples/istio/secret.yaml: the container that
// runs Envoy has the variable that the plugin names, from the Secret, beside all of its others.
func TestGatewayEnvironment(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "examples/istio/secret.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var plugin struct {
		Spec struct {
			VMConfig struct {
				Env []struct{ Name, ValueFrom string } `json:"env"`
			} `json:"vmConfig"`
		}
	}
	objects := []runtime.Object{decode(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n")}
	var gateways []*gateway.Gateway
	secretKeys := sets.New[string]()
	for _, document := range yml.SplitString(string(text)) {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			t.Fatal(err)
		}
		switch object.GetKind() {
		case "WasmPlugin":
			err = yaml.Unmarshal([]byte(document), &plugin)
		case "Gateway":
			found := &gateway.Gateway{}
			err = yaml.Unmarshal([]byte(document), found)
			found.Namespace = "default"
			gateways = append(gateways, found)
		case "Secret":
			data, _, _ := unstructured.NestedStringMap(object.Object, "stringData")
			for key := range data {
				secretKeys.Insert(object.GetName() + "/" + key)
			}
		default:
			// A field that no Deployment has would be dropped in silence.
			overlay, _, _ := unstructured.NestedString(object.Object, "data", "deployment")
			strict := serializer.NewCodecFactory(kube.Scheme, serializer.EnableStrict).UniversalDeserializer()
			if _, _, err := strict.Decode([]byte("apiVersion: apps/v1\nkind: Deployment\n"+overlay), nil, nil); err != nil {
				t.Error(err)
			}
			object.SetNamespace("default")
			inDefault, _ := yaml.Marshal(object.Object)
			objects = append(objects, decode(t, string(inDefault)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(gateways) != 1 || len(plugin.Spec.VMConfig.Env) != 1 {
		t.Fatalf("one Gateway and one variable belong in the example, not %d and %d", len(gateways), len(plugin.Spec.VMConfig.Env))
	}

	names := map[string]bool{}
	for _, variable := range containerEnvironment(t, objects, gateways[0]) {
		names[variable.Name] = true
		if variable.Name != plugin.Spec.VMConfig.Env[0].Name {
			continue
		}
		reference := variable.ValueFrom.SecretKeyRef
		if key := reference.Name + "/" + reference.Key; !secretKeys.Contains(key) {
			t.Errorf("%s is of %s, which the example does not have", variable.Name, key)
		}
	}
	for _, name := range []string{plugin.Spec.VMConfig.Env[0].Name, "POD_NAME", "CA_ADDR"} {
		if !names[name] {
			t.Errorf("the gateway's container lacks the variable %s", name)
		}
	}
}

type variable struct {
	Name      string
	ValueFrom struct {
		SecretKeyRef struct{ Name, Key string }
	}
}

// containerEnvironment is what istiod's controller asks the API server for when it sees the gateway.
func containerEnvironment(t *testing.T, objects []runtime.Object, of *gateway.Gateway) []variable {
	t.Helper()
	client := istiokube.NewFakeClient(objects...)
	patches := make(chan []byte, 10)
	client.Dynamic().(*fake.FakeDynamicClient).PrependReactor("patch", "*",
		func(action clienttesting.Action) (bool, runtime.Object, error) {
			if action.GetResource().Resource == "deployments" {
				patches <- action.(clienttesting.PatchAction).GetPatch()
			}
			return true, &unstructured.Unstructured{}, nil
		})
	kclient.NewWriteClient[*gateway.Gateway](client).Create(of)
	environment := model.NewEnvironment()
	environment.Watcher = meshwatcher.NewTestWatcher(mesh.DefaultMeshConfig())
	environment.PushContext().InitDone.Store(true)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	tags := revisions.NewTagWatcher(client, "", "istio-system")
	go tags.Run(stop)
	controller := gatewaycommon.NewDeploymentController(client, "Kubernetes", environment, gatewayTemplate(t), func(func()) {}, tags, "", "istio-system")
	client.RunAndWait(stop)
	go controller.Run(stop)

	select {
	case patch := <-patches:
		var deployment struct {
			Spec struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Name string
							Env  []variable
						}
					}
				}
			}
		}
		if err := json.Unmarshal(patch, &deployment); err != nil {
			t.Fatal(err)
		}
		containers := deployment.Spec.Template.Spec.Containers
		if len(containers) != 1 || containers[0].Name != "istio-proxy" {
			t.Fatalf("not one container istio-proxy but %v", containers)
		}
		return containers[0].Env
	case <-time.After(30 * time.Second):
		t.Fatal("istiod wrote no Deployment")
	}
	return nil
}

// gatewayTemplate is the one that Istio's charts install.
func gatewayTemplate(t *testing.T) func() inject.WebhookConfig {
	t.Helper()
	folder := strings.TrimSpace(run(t, nil, "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"))
	text, err := os.ReadFile(filepath.Join(folder, "manifests/charts/istio-control/istio-discovery/files/kube-gateway.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	templates, err := inject.ParseTemplates(map[string]string{"kube-gateway": string(text)})
	if err != nil {
		t.Fatal(err)
	}
	values, err := inject.NewValuesConfig("global:\n  hub: none\n  tag: none\n")
	if err != nil {
		t.Fatal(err)
	}
	return func() inject.WebhookConfig {
		return inject.WebhookConfig{Templates: templates, Values: values, MeshConfig: mesh.DefaultMeshConfig()}
	}
}

func decode(t *testing.T, document string) runtime.Object {
	t.Helper()
	object, _, err := kube.Codecs.UniversalDeserializer().Decode([]byte(document), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return object
}
