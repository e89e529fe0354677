"""The control plane: etcd, kube-apiserver and istiod, and a registry for images."""

import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from string import Template

from build import DOCUMENTS
from problem import Problem
from processes import log_of
from project import BIN, LOGS, MANIFESTS, RUN
from sandbox import NODE, PRODUCTPAGE_SERVICE

KUBECONFIG = RUN / "kubeconfig"
REGISTRY = "registry.local:5000"
ISTIOD = "istiod"
MAKE_VARIABLES = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
API_SERVER = "https://127.0.0.1:6443"

# What istiod says, which the transcript quotes.
ISTIOD_LOG = log_of(ISTIOD)

# Filters that only Istio's own build of Envoy has stay out of the
# configuration, and so does the controller that would ask for Deployments.
ISTIOD_ENVIRONMENT = {
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER": "false",
    "PILOT_ENABLE_AMBIENT": "true",
    "PILOT_CERT_PROVIDER": "istiod",
    "POD_NAMESPACE": "istio-system",
    "POD_NAME": ISTIOD,
    "CLUSTER_ID": "Kubernetes",
}


def start(processes):
    """Start everything that needs no pod, and apply the CRDs and the mesh's own resources."""
    start_registry(processes)
    start_api_server(processes)
    apply_resources()
    start_istiod(processes)


def start_registry(processes):
    """Debian's docker-registry, on the node's address."""
    config = RUN / "registry.yaml"
    # JSON is YAML, too.
    config.write_text(
        json.dumps(
            {
                "version": 0.1,
                "storage": {"filesystem": {"rootdirectory": str(RUN / "registry")}},
                "http": {"addr": f"{NODE}:5000", "secret": secrets.token_hex(16)},
            }
        )
    )
    processes.start("registry", ["docker-registry", "serve", config])
    processes.wait_until("the registry answers", lambda: answers(f"http://{NODE}:5000/v2/"), 20)


def start_api_server(processes):
    """etcd, kube-apiserver, and a kubeconfig for the administrator."""
    etcd = "http://127.0.0.1:2379"
    processes.start(
        "etcd",
        ["etcd", "--data-dir", RUN / "etcd", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
         "--listen-peer-urls", "http://127.0.0.1:2380"],
    )  # fmt: skip
    processes.wait_until("etcd answers", lambda: answers(f"{etcd}/health"), 20)

    key = RUN / "service-account.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    token = secrets.token_hex(16)
    tokens = RUN / "tokens.csv"
    tokens.write_text(f"{token},admin,admin,system:masters\n")
    certificates = RUN / "apiserver"
    processes.start(
        "kube-apiserver",
        [
            BIN / "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--advertise-address={NODE}",
            f"--cert-dir={certificates}",
            "--service-cluster-ip-range=10.96.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            # No controller makes service accounts, so pods may lack theirs.
            "--disable-admission-plugins=ServiceAccount",
            # No kube-proxy serves cluster addresses: istiod's webhook is
            # called at its endpoint.
            "--enable-aggregator-routing=true",
        ],
    )
    KUBECONFIG.write_text(
        Template((MANIFESTS / "kubeconfig.yaml").read_text()).substitute(
            server=API_SERVER, authority=certificates / "apiserver.crt", token=token
        )
    )
    processes.wait_until("kube-apiserver is ready", api_server_is_ready, 60)


def api_server_is_ready():
    """Whether kube-apiserver says so itself."""
    asked = subprocess.run([BIN / "kubectl", "get", "--raw", "/readyz"], env=environment(), capture_output=True)
    return asked.returncode == 0


def apply_resources():
    """The CRDs of Istio and the Gateway API, then the mesh as an installation leaves it."""
    kubectl("apply", "--server-side", "-f", DOCUMENTS / "crd-all.gen.yaml", "-f", DOCUMENTS / "gateway-api")
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    apply(Template((MANIFESTS / "mesh.yaml").read_text()).substitute(productpage_service=PRODUCTPAGE_SERVICE))
    kubectl("apply", "-f", MANIFESTS / "upstream-envoy.yaml")


def start_istiod(processes):
    """istiod, which signs its own root certificate."""
    folder = RUN / ISTIOD
    folder.mkdir()
    processes.start(
        ISTIOD,
        [BIN / "pilot-discovery", "discovery", "--kubeconfig", KUBECONFIG,
         "--meshConfig", MANIFESTS / "meshconfig.yaml"],
        environment=ISTIOD_ENVIRONMENT,
        directory=folder,
    )  # fmt: skip
    processes.wait_until("istiod is ready", lambda: answers("http://127.0.0.1:8080/ready"), 60)


def answers(url):
    """Whether a server answers a plain GET with success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def environment():
    """The environment in which kubectl is this run's kubectl, and make is not a part of make istio."""
    inherited = {name: value for name, value in os.environ.items() if name not in MAKE_VARIABLES}
    return {**inherited, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "KUBECONFIG": str(KUBECONFIG)}


def kubectl(*arguments, document=None):
    """Run kubectl, which has to succeed, and return what it prints."""
    command = ["kubectl", *(str(argument) for argument in arguments)]
    said = subprocess.run(command, env=environment(), input=document, capture_output=True, text=True)
    if said.returncode:
        raise Problem(f"{' '.join(command)} failed: {said.stderr.strip()}; see the logs in {LOGS}")
    return said.stdout.strip()


def apply(document):
    """Apply a document, YAML or JSON."""
    kubectl("apply", "-f", "-", document=document)
