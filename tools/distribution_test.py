"""Runs the release's own steps and every command of docs/distribution.md, on this machine.

Two real registries on loopback stand in for ghcr.io and for the private one (which wants a
password); the images are signed with a key made for the occasion, and no transparency log.
Every command block of the page says how it is tested; one that says nothing is a mistake.
Blocks that need cosign are left out, and named, where there is none.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import needs
import problem
import release
from packages import ROOT
from ports import free_port
from problem import Problem

PAGE = ROOT / "docs/distribution.md"
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
USER = "mirror"


@dataclass(frozen=True)
class Block:
    line: int
    text: str
    needs: str


def blocks():
    page = PAGE.read_text()
    found = []
    for match in BLOCK.finditer(page):
        line = page[: match.start()].count("\n") + 1
        mark = match["mark"] or ""
        if match["language"] != "sh" or mark.startswith("not run: "):
            continue
        if mark != "run" and not mark.startswith("run: "):
            cure = "put <!-- run --> or <!-- not run: WHY --> above it"
            raise Problem(f"{PAGE.name}:{line}: this block does not say how it is tested: {cure}")
        found.append(Block(line, match["text"], mark.removeprefix("run").removeprefix(": ")))
    return found


def registry(stack, folder, password=None):
    """Starts Debian's docker-registry and returns where it listens."""
    folder.mkdir()
    host = f"127.0.0.1:{free_port()}"
    settings = (
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}/storage'}}}}\nhttp: {{addr: '{host}'}}\n"
    )
    if password:
        # The registry knows bcrypt alone; the line comes from htpasswd's own tool.
        line = subprocess.run(
            ["htpasswd", "-niB", "-C", "4", USER], input=password, text=True, check=True, capture_output=True
        ).stdout
        (folder / "htpasswd").write_text(line)
        settings += f"auth: {{htpasswd: {{realm: 'https://registry.example.com/', path: '{folder}/htpasswd'}}}}\n"
    (folder / "registry.yml").write_text(settings)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    server = subprocess.Popen(
        ["docker-registry", "serve", folder / "registry.yml"],
        env=environment,
        stdout=(folder / "log").open("w"),
        stderr=subprocess.STDOUT,
    )
    stack.callback(server.wait)
    stack.callback(server.kill)
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://{host}/v2/", timeout=1).close()
            return host
        except urllib.error.HTTPError:
            return host
        except OSError:
            if server.poll() is not None:
                raise Problem(f"docker-registry ended at once: {(folder / 'log').read_text()}") from None
            time.sleep(0.05)
    raise Problem(f"docker-registry does not answer at {host}")


def environment_in(scratch, hosts):
    """A person with nothing logged in, whose two registries speak plain HTTP."""
    home = scratch / "home"
    settings = home / ".config/containers/registries.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("".join(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n' for host in hosts))
    real = Path.home()
    return {
        **os.environ,
        # The compilers stay where they are; everything else that looks at the home finds an empty one.
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME") or str(real / ".rustup"),
        "CARGO_HOME": os.environ.get("CARGO_HOME") or str(real / ".cargo"),
        "HOME": str(home),
        "DOCKER_CONFIG": str(scratch / "docker"),
        "REGISTRY_AUTH_FILE": str(scratch / "docker/config.json"),
        "COSIGN_PASSWORD": "",
        "MIRROR_USER": USER,
        "WEB_PORT": str(free_port()),
    }


def main():
    cosign = shutil.which("cosign") is not None
    if os.environ.get("COSIGN") == "required":
        needs.check("cosign")
    all_blocks = blocks()
    if not all_blocks:
        raise Problem(f"{PAGE} has no command that can be run")
    version = release.version()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="distribution-")))
        password = secrets.token_urlsafe(12)
        public, private = registry(stack, scratch / "public"), registry(stack, scratch / "private", password)
        environment = environment_in(scratch, [public, private])
        (scratch / "docker").mkdir()
        work = scratch / "work"
        work.mkdir()
        (work / "mirror-password").write_text(password)
        image = f"{public}/owner/basic_auth"
        if cosign:
            subprocess.run(["cosign", "generate-key-pair"], cwd=work, env=environment, check=True, capture_output=True)
            publishing = [sys.executable, "tools/release.py", "publish", image, "--key", str(work / "cosign.key")]
        else:
            publishing = ["target/tools/image", "push", "-form", "all", f"{image}:{version}"]
        done = subprocess.run(
            publishing, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if done.returncode:
            raise Problem(f"the release's own steps failed:\n{done.stdout}")
        print(f"published to {public} by: {' '.join(publishing[:4])}")
        for file in (ROOT / "target/dist").iterdir():
            shutil.copy(file, work)
        if cosign:
            forgeries(image, version, work, environment)
        return walk(all_blocks, cosign, public, private, version, work, environment)


def forgeries(image, version, work, environment):
    """What must not verify: a stranger's key, and a list of checksums that somebody changed."""
    subprocess.run(
        ["cosign", "generate-key-pair", "--output-key-prefix", "stranger"],
        cwd=work,
        env=environment,
        check=True,
        capture_output=True,
    )
    (work / "CHANGED").write_text((work / "SHA256SUMS").read_text().replace("0", "1"))
    for what, command in {
        "an image under a stranger's key": ["verify", f"{image}:{version}", "--key", "stranger.pub"],
        "a list of checksums that was changed": [
            "verify-blob",
            "CHANGED",
            "--bundle",
            "SHA256SUMS.sigstore.json",
            "--key",
            "cosign.pub",
        ],
    }.items():
        said = subprocess.run(
            ["cosign", *command, "--insecure-ignore-tlog"], cwd=work, env=environment, capture_output=True
        )
        if said.returncode == 0:
            raise Problem(f"{what} verifies: the signature is worth nothing")
        print(f"does not verify, as it should be: {what}")


def walk(
    all_blocks,
    cosign,
    public,
    private,
    version,
    work,
    environment,
):
    """All blocks in one shell, as a person would type them one after the other."""
    script, left_out = ["set -euo pipefail"], []
    for block in all_blocks:
        if block.needs == "cosign" and not cosign:
            left_out.append(block)
            continue
        text = (
            block.text.replace("ghcr.io/owner", f"{public}/owner")
            .replace("registry.example.com", private)
            .replace("0.1.0", version)
        )
        if block.needs == "project":
            text = f"(cd '{ROOT}'\n{text})\n"
        script.append(f"echo '=== {PAGE.name}:{block.line}'\nset -x\n{text}{{ set +x; }} 2>/dev/null")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=work,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    print(done.stdout)
    for block in left_out:
        print(f"{PAGE.name}:{block.line} was not run: cosign is missing")
    reached = done.stdout.count(f"=== {PAGE.name}:")
    failed = 1 if done.returncode else 0
    if not failed and reached + len(left_out) != len(all_blocks):
        raise Problem(f"{len(all_blocks)} blocks, but {reached} were run and {len(left_out)} left out")
    print(f"{reached - failed} passed, {failed} failed, {len(left_out)} skipped")
    return failed


if __name__ == "__main__":
    problem.run("distribution", main)
