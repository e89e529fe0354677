package istio_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// A registry is Debian's docker-registry on a free port of the loopback interface.
type registry struct {
	host string
	stop func()
}

// A lock makes a registry ask for a password. Istio's agent insists that the realm is an
// http(s) URL of a public host (against registries that send it to other places), while Docker
// takes any words.
type lock struct{ user, password, realm string }

var locked = lock{user: "puller", password: "s3cret:with colon", realm: "https://registry.example/"}

func startRegistry(t *testing.T, guard *lock) *registry {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatal("docker-registry is missing: on Debian and Ubuntu, apt-get install docker-registry")
	}
	// Between the choice of a port and its use somebody else may take it: then once more.
	for attempt := 1; ; attempt++ {
		started, err := launch(t, program, guard)
		if err == nil {
			return started
		}
		if attempt == 3 {
			t.Fatal(err)
		}
	}
}

func launch(t *testing.T, program string, guard *lock) (*registry, error) {
	t.Helper()
	host, err := freeAddress()
	if err != nil {
		return nil, err
	}
	folder := t.TempDir()
	settings := fmt.Sprintf("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: %q}\n",
		filepath.Join(folder, "storage"), host)
	if guard != nil {
		hash, err := bcrypt.GenerateFromPassword([]byte(guard.password), bcrypt.MinCost)
		if err != nil {
			return nil, err
		}
		users := filepath.Join(folder, "htpasswd")
		if err := os.WriteFile(users, fmt.Appendf(nil, "%s:%s\n", guard.user, hash), 0o600); err != nil {
			return nil, err
		}
		settings += fmt.Sprintf("auth: {htpasswd: {realm: %q, path: %q}}\n", guard.realm, users)
	}
	file := filepath.Join(folder, "registry.yml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return nil, err
	}
	var said strings.Builder
	server := exec.Command(program, "serve", file)
	server.Stdout, server.Stderr = &said, &said
	// The registry takes every variable that begins so for a setting, skopeo's REGISTRY_AUTH_FILE too.
	server.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "REGISTRY_")
	})
	if err := server.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait()
		close(ended)
	}()
	stop := func() {
		_ = server.Process.Kill()
		<-ended
	}
	t.Cleanup(stop)
	deadline := time.After(20 * time.Second)
	for {
		if answer, err := http.Get("http://" + host + "/v2/"); err == nil {
			answer.Body.Close()
			return &registry{host: host, stop: stop}, nil
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("docker-registry ended at once: %s", said.String())
		case <-deadline:
			stop()
			return nil, fmt.Errorf("docker-registry does not answer at %s: %s", host, said.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// push sends one form of the built images with the project's own tool and returns the digest
// that the tool prints for the sha256 field of a WasmPlugin.
func push(t *testing.T, form, reference string, environment ...string) string {
	t.Helper()
	said := run(t, environment, imageTool(t), "push",
		"-layout", filepath.Join(root, "target/image"),
		"-module", filepath.Join(root, "target/basic_auth.wasm"),
		"-form", form, reference)
	return field(t, said, "sha256: ")
}

// field returns the rest of the line that begins with the name, blanks apart.
func field(t *testing.T, text, name string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name); found {
			return value
		}
	}
	t.Fatalf("no line %q in:\n%s", name, text)
	return ""
}
