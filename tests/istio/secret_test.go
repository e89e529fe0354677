package istio_test

import (
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"istio.io/istio/pkg/wasm"
)

// pullSecret is the value that `kubectl create secret docker-registry` stores under
// .dockerconfigjson, and that istiod hands to the agent for imagePullSecret.
func pullSecret(t *testing.T, host, user, password string) []byte {
	t.Helper()
	secret, err := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{
		"username": user,
		"password": password,
		"auth":     base64.StdEncoding.EncodeToString([]byte(user + ":" + password)),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestPullSecret(t *testing.T) {
	noCredentials(t)
	server := startRegistry(t, &locked)
	name := server.host + "/private/basic_auth"
	layouts := []string{"-layout", filepath.Join(root, "target/image"), "-module", filepath.Join(root, "target/basic_auth.wasm")}

	t.Run("push without credentials", func(t *testing.T) {
		said, err := try(nil, imageTool(t), append(append([]string{"push"}, layouts...), name+":1")...)
		if err == nil || !strings.Contains(said, "run `docker login "+server.host+"`") {
			t.Errorf("the push should have been refused with the cure, but: %v %s", err, said)
		}
	})

	// skopeo writes the same file as docker, and needs no daemon.
	login := func(folder, password string) []string {
		file := filepath.Join(folder, "config.json")
		run(t, nil, "skopeo", "login", "--tls-verify=false", "--authfile", file, "-u", locked.user, "-p", password, server.host)
		return []string{"DOCKER_CONFIG=" + folder}
	}
	loggedIn := login(t.TempDir(), locked.password)

	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			url := "oci://" + name + ":" + form
			digest := push(t, form, name+":"+form, loggedIn...)
			right := pullSecret(t, server.host, locked.user, locked.password)
			mustPull(t, agent(t), url, wasm.GetOptions{PullSecret: right})
			mustPull(t, agent(t), url, wasm.GetOptions{PullSecret: right, Checksum: digest})
			mustRefuse(t, url, wasm.GetOptions{}, "UNAUTHORIZED")
			mustRefuse(t, url, wasm.GetOptions{PullSecret: pullSecret(t, server.host, locked.user, "wrong")}, "UNAUTHORIZED")
			mustRefuse(t, url, wasm.GetOptions{PullSecret: pullSecret(t, "elsewhere.example", locked.user, locked.password)}, "UNAUTHORIZED")
		})
	}

	t.Run("push with wrong credentials", func(t *testing.T) {
		folder := t.TempDir()
		secret := pullSecret(t, server.host, locked.user, "wrong")
		writeFile(t, filepath.Join(folder, "config.json"), secret)
		said, err := try([]string{"DOCKER_CONFIG=" + folder}, imageTool(t), append(append([]string{"push"}, layouts...), name+":1")...)
		if err == nil || !strings.Contains(said, "refuses the credentials that `docker login` left") {
			t.Errorf("the push should have been refused with the cure, but: %v %s", err, said)
		}
		if strings.Contains(said, "wrong") {
			t.Errorf("the tool prints a password: %s", said)
		}
	})

	t.Run("push with credentials that cannot be read", func(t *testing.T) {
		folder := t.TempDir()
		writeFile(t, filepath.Join(folder, "config.json"), []byte(`{"credsStore": "nowhere"}`))
		said, err := try([]string{"DOCKER_CONFIG=" + folder}, imageTool(t), append(append([]string{"push"}, layouts...), name+":1")...)
		if err == nil || !strings.Contains(said, "docker login "+server.host) {
			t.Errorf("the push should have been refused with the cure, but: %v %s", err, said)
		}
	})
}

// A registry that works with Docker and not with Istio: docs/distribution.md warns of it.
func TestRealmThatIsNoURL(t *testing.T) {
	noCredentials(t)
	words := locked
	words.realm = "Private registry"
	server := startRegistry(t, &words)
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "config.json"), pullSecret(t, server.host, words.user, words.password))
	name := server.host + "/private/basic_auth:1"
	push(t, "oci", name, "DOCKER_CONFIG="+folder)
	mustRefuse(t, "oci://"+name, wasm.GetOptions{PullSecret: pullSecret(t, server.host, words.user, words.password)}, "rejected unsafe bearer realm")
}
