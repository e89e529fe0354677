"""Gets the programs of a cluster, from Go modules built here and from the project's own Envoy.

Each is made once and kept under target/istio; what went into it is noted
beside it, and it is made again when that changes.
"""

import hashlib
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from packages import envoy
from problem import Problem
from project import BIN, MODULES, TARGET

# CRDs, and the template of a proxy's bootstrap configuration.
DOCUMENTS = TARGET / "documents"


class Program(NamedTuple):
    """A Go program: its name, the module under modules/ that pins it, and how it is built."""

    name: str
    module: str
    package: str
    tags: str = ""
    linker_flags: str = ""

    @property
    def path(self):
        """Where the binary goes."""
        return BIN / self.name


def kubernetes_version_flags():
    """istiod asks the API server for its version, which a plain build leaves out."""
    pinned = (MODULES / "kubernetes" / "go.mod").read_text()
    version = re.search(r"k8s\.io/kubernetes v([0-9.]+)", pinned)[1]
    major, minor, _ = version.split(".")
    package = "k8s.io/component-base/version"
    return f"-X {package}.gitVersion=v{version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"


# The tags are those of Istio's own release build.
PROGRAMS = (
    Program("pilot-discovery", "istio", "istio.io/istio/pilot/cmd/pilot-discovery", "vtprotobuf,disable_pgv"),
    Program("pilot-agent", "istio", "istio.io/istio/pilot/cmd/pilot-agent", "agent,vtprotobuf,disable_pgv"),
    Program("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl", "", kubernetes_version_flags()),
    Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", "", kubernetes_version_flags()),
)

SECONDS_BETWEEN_PROGRESS = 15


def build():
    """Make what is not there yet."""
    BIN.mkdir(parents=True, exist_ok=True)
    stale = [program for program in PROGRAMS if not is_current(program.path, recipe_of(program))]
    if stale:
        print(
            f"Building {', '.join(program.name for program in stale)} from Go modules. The first time takes "
            "10 minutes on two free cores, more on busy ones, and 8 GB in Go's caches; later runs start at once.",
            flush=True,
        )
    for program in stale:
        build_program(program)
    copy_documents()
    envoy()


def build_program(program):
    """Compile one Go program, telling how far it is."""
    command = [
        "go", "build", "-v", f"-tags={program.tags}", f"-ldflags=-s -w {program.linker_flags}",
        "-o", str(program.path), program.package,
    ]  # fmt: skip
    log = TARGET / f"build-{program.name}.log"
    started = told = time.monotonic()
    with log.open("w") as output:
        compiler = subprocess.Popen(command, cwd=MODULES / program.module, stdout=output, stderr=output)
        try:
            while compiler.poll() is None:
                time.sleep(0.5)
                if time.monotonic() - told > SECONDS_BETWEEN_PROGRESS:
                    told = time.monotonic()
                    # With -v, Go writes a line for each package it compiles.
                    packages = len(log.read_text().splitlines())
                    print(f"  {program.name}: {told - started:.0f} s, {packages} packages so far", flush=True)
        finally:
            compiler.kill()
    if compiler.returncode:
        raise Problem(f"go build of {program.name} failed; see {log}")
    note(program.path, recipe_of(program))
    print(f"  {program.name}: built in {time.monotonic() - started:.0f} s", flush=True)


def copy_documents():
    """Copy what the walk-through reads of Istio and the Gateway API out of Go's module cache."""
    recipe = pins_of("istio")
    if is_current(DOCUMENTS, recipe):
        return
    shutil.rmtree(DOCUMENTS, ignore_errors=True)
    (DOCUMENTS / "gateway-api").mkdir(parents=True)
    istio = folder_of("istio.io/istio")
    sources = {
        istio / "manifests/charts/base/files/crd-all.gen.yaml": DOCUMENTS,
        istio / "tools/packaging/common/envoy_bootstrap.json": DOCUMENTS,
    }
    for crd in (folder_of("sigs.k8s.io/gateway-api") / "config/crd/standard").glob("*.yaml"):
        sources[crd] = DOCUMENTS / "gateway-api"
    for source, folder in sources.items():
        # The contents alone: what lies in the module cache is write-protected.
        shutil.copyfile(source, folder / source.name)
    note(DOCUMENTS, recipe)


def folder_of(module):
    """Where a dependency of modules/istio lies, once downloaded."""
    command = ["go", "mod", "download", "-json", module]
    said = subprocess.run(command, cwd=MODULES / "istio", capture_output=True, text=True)
    if said.returncode:
        raise Problem(f"{' '.join(command)} failed: {json.loads(said.stdout)['Error']}")
    return Path(json.loads(said.stdout)["Dir"])


def recipe_of(program):
    """A digest of everything that decides what a Go program becomes."""
    return hashlib.sha256("\0".join([*program, pins_of(program.module)]).encode()).hexdigest()


def pins_of(module):
    """The exact versions of everything that a module under modules/ is built from."""
    folder = MODULES / module
    return (folder / "go.mod").read_text() + (folder / "go.sum").read_text()


def is_current(product, recipe):
    """Whether a product is there and was made by this recipe."""
    noted = stamp_of(product)
    return product.exists() and noted.exists() and noted.read_text() == recipe


def note(product, recipe):
    """Remember by which recipe a product was made."""
    stamp_of(product).write_text(recipe)


def stamp_of(product):
    """The file beside a product that holds its recipe."""
    return product.with_name(product.name + ".recipe")
