// Package istio_test holds this project's images and resources against Istio's own code: the
// fetcher of Istio's agent pulls from a real registry, and istiod's validation judges what
// stands under examples/istio. Nothing of Istio is imitated here.
//
// `make test-registry` builds what these tests read (the module, its images, the push tool)
// and says what is missing on this machine before it starts.
package istio_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The project's root, seen from this package's folder, where `go test` runs.
const root = "../.."

// forms are the three images that `make image` writes: their folders' names, and what FORM= takes.
var forms = []string{"oci", "docker", "artifact"}

func builtModule(t *testing.T) []byte {
	t.Helper()
	wasm, err := os.ReadFile(filepath.Join(root, "target/basic_auth.wasm"))
	if err != nil {
		t.Fatalf("%v: these tests need the built module, run them by `make test-registry`", err)
	}
	return wasm
}

func imageTool(t *testing.T) string {
	t.Helper()
	tool, err := filepath.Abs(filepath.Join(root, "target/tools/image"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tool); err != nil {
		t.Fatalf("%v: these tests need the push tool, run them by `make test-registry`", err)
	}
	return tool
}

// sameModule is the question behind all of these tests: are the pulled bytes those of the module
// that was built? TestAnotherModuleIsNoticed shows that it can be answered with no.
func sameModule(pulled, built []byte) error {
	if bytes.Equal(pulled, built) {
		return nil
	}
	return fmt.Errorf("the pulled module (%d bytes, sha256 %s) is not target/basic_auth.wasm (%d bytes, sha256 %s)",
		len(pulled), fileDigest(pulled), len(built), fileDigest(built))
}

func fileDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// alteredModule is a valid module that does the same as the built one and is not it: a custom
// section named "altered" stands at its end.
func alteredModule(t *testing.T) []byte {
	t.Helper()
	const name = "altered"
	section := append([]byte{0, byte(len(name) + 1), byte(len(name))}, name...)
	return append(bytes.Clone(builtModule(t)), section...)
}

// run starts a program and fails the test if the program fails.
func run(t *testing.T, environment []string, program string, arguments ...string) string {
	t.Helper()
	output, err := try(environment, program, arguments...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(arguments, " "), err, output)
	}
	return output
}

func try(environment []string, program string, arguments ...string) (string, error) {
	command := exec.Command(program, arguments...)
	command.Env = append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	return string(output), err
}

// noCredentials takes away what the person who runs the tests may have logged in to.
func noCredentials(t *testing.T) {
	t.Helper()
	empty := t.TempDir()
	t.Setenv("HOME", empty)
	t.Setenv("DOCKER_CONFIG", empty)
	t.Setenv("REGISTRY_AUTH_FILE", filepath.Join(empty, "none.json"))
	t.Setenv("XDG_RUNTIME_DIR", empty)
}
