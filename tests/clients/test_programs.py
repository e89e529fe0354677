"""Programs that people point at a protected service. docs/clients.md says what was seen here."""

import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import tarfile

import grpc
import pytest
import requests
from packages import ROOT


def run(*command, cwd=None, **environment):
    """What a program prints and the status it ends with; it finds no credentials of the person who runs the tests."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/nowhere",
        **environment,
    }
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def curl(*arguments):
    status, printed = run(
        "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code} %{num_connects}", *arguments
    )
    assert status == 0, printed
    return printed.split()[0]


@pytest.mark.parametrize("options", [[], ["--http2-prior-knowledge"], ["--anyauth"], ["--basic"]])
def test_curl(url, options):
    assert curl(*options, f"{url}/shop") == "401"
    assert curl(*options, "--user", "ok:test", f"{url}/shop") == "200"
    assert curl(*options, "--user", "ok:wrong", f"{url}/shop") == "401"
    assert curl(*options, "--user", "ok:test", "--data", "x=1", f"{url}/shop") == "200"


def test_curl_asks_for_basic_when_any_will_do(url):
    status, printed = run("curl", "--verbose", "--anyauth", "--user", "ok:test", f"{url}/shop")
    assert status == 0 and printed.count("> GET /shop") == 2, printed
    assert "HTTP/1.1 401" in printed and "HTTP/1.1 200" in printed


def test_wget(url):
    quiet = ["wget", "--quiet", "--output-document=/dev/null", "--tries=1"]
    assert run(*quiet, f"{url}/shop")[0] == 6, "wget's word for a failed authentication"
    assert run(*quiet, "--user=ok", "--password=test", f"{url}/shop")[0] == 0
    assert run(*quiet, "--auth-no-challenge", "--user=ok", "--password=test", f"{url}/shop")[0] == 0
    assert run(*quiet, "--user=ok", "--password=wrong", f"{url}/shop")[0] == 6


def test_requests(url):
    assert requests.get(f"{url}/shop").status_code == 401
    assert requests.get(f"{url}/shop", auth=("ok", "test")).status_code == 200
    with requests.Session() as session:
        session.auth = ("ok", "test")
        assert session.post(f"{url}/shop", data=b"x" * 100_000).status_code == 200
    # What is no Latin-1 goes as UTF-8, and is just wrong here.
    assert requests.get(f"{url}/shop", auth=("\u00fcser".encode(), "p\u00e4ss".encode())).status_code == 401


def test_go(url):
    status, printed = run("go", "run", ".", f"{url}/shop", cwd=ROOT / "tests" / "clients" / "go", **go_environment())
    assert status == 0 and printed.split() == ["401", "200", "200", "401"], printed


def go_environment():
    """Where Go's own folders are."""
    said = subprocess.run(
        ["go", "env", "-json", "GOPATH", "GOCACHE", "GOROOT"], capture_output=True, text=True, check=True
    )
    folders = json.loads(said.stdout)
    return {**folders, "PATH": f"{folders['GOROOT']}/bin:/usr/bin:/bin"}


def test_git(url, tmp_path):
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
    status, printed = run("git", "clone", f"{url}/git/shop.git", tmp_path / "open", **quiet)
    assert status != 0 and "could not read Username" in printed
    wrong = url.replace("http://", "http://ok:wrong@")
    status, printed = run("git", "clone", f"{wrong}/git/shop.git", tmp_path / "wrong", **quiet)
    assert status != 0 and "Authentication failed" in printed
    right = url.replace("http://", "http://ok:test@")
    clone = tmp_path / "clone"
    assert run("git", "clone", f"{right}/git/shop.git", clone, **quiet) == (0, f"Cloning into '{clone}'...\n")
    # More than a buffer of Envoy's, and more than one request.
    (clone / "large").write_bytes(hashlib.shake_256(b"large").digest(3_000_000))
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    assert run("git", "add", "large", cwd=clone)[0] == 0
    assert run("git", *author, "commit", "--quiet", "--message", "second", cwd=clone)[0] == 0
    status, printed = run("git", "-c", "http.postBuffer=10000000", "push", "origin", "HEAD:main", cwd=clone, **quiet)
    assert status == 0, printed
    assert run("git", "fetch", cwd=clone, **quiet)[0] == 0


def image(folder):
    """An image of one layer with one file, in the layout of the OCI."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def add(content, kind):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("file"), io.BytesIO())
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
    config["rootfs"]["diff_ids"] = [f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"]
    kind = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": add(json.dumps(config).encode(), f"{kind}.config.v1+json"),
        "layers": [add(gzip.compress(layer.getvalue()), f"{kind}.layer.v1.tar+gzip")],
    }
    index = {"schemaVersion": 2, "manifests": [add(json.dumps(manifest).encode(), manifest["mediaType"])]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}"


def test_skopeo(proxy, tmp_path):
    there = f"docker://127.0.0.1:{proxy.ports['web']}/shop:1"
    here = image(tmp_path / "image")
    policy = tmp_path / "policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    skopeo = ["skopeo", "--policy", policy, "copy", "--quiet"]

    def skopeo_env():
        pathlib.Path(tmp_path / "run").mkdir(exist_ok=True)
        return {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "HOME": str(tmp_path)}

    push = [*skopeo, "--dest-tls-verify=false", here, there]
    status, printed = run(*push, **skopeo_env())
    assert status != 0 and "401" in printed + " " + str(status) or "unauthorized" in printed.lower(), printed
    status, printed = run(*skopeo, "--dest-tls-verify=false", "--dest-creds=ok:wrong", here, there, **skopeo_env())
    assert status != 0, printed
    status, printed = run(*skopeo, "--dest-tls-verify=false", "--dest-creds=ok:test", here, there, **skopeo_env())
    assert status == 0, printed
    pull = [*skopeo, "--src-tls-verify=false", "--src-creds=ok:test", there, f"oci:{tmp_path / 'pulled'}:1"]
    status, printed = run(*pull, **skopeo_env())
    assert status == 0 and (tmp_path / "pulled" / "index.json").exists(), printed


def test_grpc(proxy):
    with grpc.insecure_channel(f"127.0.0.1:{proxy.ports['web']}") as channel:
        say = channel.unary_unary("/test.Echo/Say")
        assert say(b"hello", metadata=[("authorization", "Basic b2s6dGVzdA==")], timeout=10) == b"hello"
        for metadata in ([], [("authorization", "Basic b2s6d3Jvbmc=")]):
            with pytest.raises(grpc.RpcError) as refused:
                say(b"hello", metadata=metadata, timeout=10)
            assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
