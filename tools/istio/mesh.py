"""The data plane: pods, the proxies of gateway and waypoint, and the workloads at both ends.

No kubelet runs, so this module does its part: it stores the pods with their
status and EndpointSlices, and lays out for each proxy the files that a pod
would mount.
"""

import base64
import json
import shlex
import sys
from string import Template

import build
import cluster
import sandbox
from packages import envoy
from processes import log_of
from project import BIN, MANIFESTS, ROOT, RUN
from sandbox import NODE, PODS, PRODUCTPAGE_SERVICE

# What the gateway's agent and its Envoy say, which the transcript quotes.
GATEWAY_LOG = log_of("gateway")

# The Deployment and Service that serve users, and their pod.
USERS, USERS_POD = "basic-auth-users", "users"

# istiod sends a proxy of this version no factory that only Istio's own build
# of Envoy has.
OLDER_PROXY = "1.29.1"


def start(processes):
    """Start every pod, and wait until both gateways are ready for traffic."""
    store_endpoints("istiod", "istio-system", NODE, {"https-dns": 15012, "https-webhook": 15017})
    store_productpage(processes)
    start_gateway(processes, "gateway")
    start_proxy(
        processes,
        pod="waypoint",
        role="waypoint",
        labels={
            "gateway.networking.k8s.io/gateway-name": "bookinfo-waypoint",
            "gateway.istio.io/managed": "istio.io-mesh-controller",
        },
        account="bookinfo-waypoint",
        ports={"status-port": 15021, "mesh": 15008},
        environment={"ISTIO_META_ISTIO_VERSION": OLDER_PROXY},
    )
    start_client(processes)
    for pod in ("gateway", "waypoint"):
        wait_for_proxy(processes, pod)


def start_gateway(processes, pod, environment=None):
    """Start a pod of the gateway's Deployment."""
    start_proxy(
        processes,
        pod=pod,
        role="router",
        labels={"gateway.networking.k8s.io/gateway-name": "bookinfo-gateway"},
        account="bookinfo-gateway-istio",
        ports={"status-port": 15021, "http": 80},
        environment=environment,
    )


def roll_gateway(processes, old, new):
    """What `kubectl rollout restart` makes happen: a new pod, traffic to it once it is ready, the old one ends."""
    start_gateway(processes, new, container_environment())
    wait_for_proxy(processes, new)
    sandbox.name_hosts(new)
    processes.stop(old)
    cluster.kubectl("delete", "pod", old, "--force", "--grace-period=0")


def container_environment():
    """The variables that istiod merges into the gateway's Deployment, with what a kubelet reads from Secrets."""
    gateway = json.loads(cluster.kubectl("get", "gateway", "bookinfo-gateway", "-o", "json"))
    options = gateway["spec"]["infrastructure"]["parametersRef"]["name"]
    overlay = cluster.kubectl("get", "configmap", options, "-o", "jsonpath={.data.deployment}")
    # kubectl reads the YAML: the overlay is a part of a Deployment, and this one only shows it.
    document = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: overlay}}\n{overlay}"
    shown = cluster.kubectl(
        "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", document=document
    )
    (container,) = json.loads(shown)["spec"]["template"]["spec"]["containers"]
    environment = {}
    for variable in container["env"]:
        secret = variable["valueFrom"]["secretKeyRef"]
        data = json.loads(cluster.kubectl("get", "secret", secret["name"], "-o", "json"))["data"]
        environment[variable["name"]] = base64.b64decode(data[secret["key"]]).decode()
    return environment


def wait_for_proxy(processes, pod):
    """Until a proxy has its configuration and its listeners."""
    processes.wait_until(
        f"the proxy of the {pod} is ready",
        lambda: cluster.answers(f"http://{PODS[pod]}:15021/healthz/ready"),
        60,
    )


def store_productpage(processes):
    """The application behind the gateways: a pod, its endpoints, and a small server in it."""
    store_pod("productpage", {"app": "productpage", "version": "v1"}, "bookinfo-productpage")
    store_endpoints("productpage", "default", PODS["productpage"], {"http": 9080}, pod="productpage")
    processes.start("productpage", [sys.executable, ROOT / "tools" / "upstream.py", "9080"], pod="productpage")


def start_users(processes):
    """The Deployment of examples/istio/fetch.yaml: a pod, its endpoints, and nginx over the mounted Secret."""
    store_pod(USERS_POD, {"app": USERS}, USERS)
    store_endpoints(USERS, "default", PODS[USERS_POD], {"http": 8080}, pod=USERS_POD)
    mount_users()
    folder = folder_of(USERS_POD)
    configuration = folder / "nginx.conf"
    configuration.write_text(Template((MANIFESTS / "nginx.conf").read_text()).substitute(folder=folder))
    processes.start(USERS_POD, ["nginx", "-p", folder, "-c", configuration], pod=USERS_POD)
    processes.wait_until(
        "nginx serves the users", lambda: cluster.answers(f"http://{PODS[USERS_POD]}:8080/users.htpasswd"), 20
    )


def mount_users():
    """What a kubelet does about a mounted Secret once a minute: other files, and one link that changes to them."""
    secret = json.loads(cluster.kubectl("get", "secret", "basic-auth-fetched-users", "-o", "json"))
    mount = folder_of(USERS_POD) / "html"
    files = mount / f"..{secret['metadata']['resourceVersion']}"
    files.mkdir(parents=True)
    for name, data in secret["data"].items():
        (files / name).write_bytes(base64.b64decode(data))
        if not (mount / name).is_symlink():
            (mount / name).symlink_to(f"..data/{name}")
    new = mount / "..data_tmp"
    new.symlink_to(files.name)
    new.replace(mount / "..data")


def start_proxy(processes, *, pod, role, labels, account, ports, environment=None):
    """Start pilot-agent, which starts Envoy, as the container of a gateway or waypoint would.

    `environment` is what the container's `env` adds: a plugin's
    `vmConfig.env` with `valueFrom: HOST` reads it.
    """
    store_pod(pod, labels, account)
    # The Service in front of a proxy and its service account share their name.
    store_endpoints(account, "default", PODS[pod], ports, pod=pod)
    folder = lay_out_pod(processes, pod, labels, account)
    template = folder / "var/lib/istio/envoy/envoy_bootstrap_tmpl.json"
    template.parent.mkdir(parents=True)
    template.write_text(without_metadata_discovery((build.DOCUMENTS / "envoy_bootstrap.json").read_text()))
    start_agent(
        processes,
        pod,
        [role, "--proxyLogLevel=warning", "--proxyComponentLogLevel=wasm:info", "--log_output_level=default:info"],
        account,
        {"ISTIO_META_WORKLOAD_NAME": account, **(environment or {})},
    )


def start_client(processes):
    """The pod of the client: a workload certificate from istiod, and an Envoy in ztunnel's place."""
    labels = {"app": "curl"}
    store_pod("curl", labels, "curl")
    folder = lay_out_pod(processes, "curl", labels, "curl")
    certificates = folder / "certificates"
    certificates.mkdir()
    start_agent(processes, "curl", ["sidecar"], "curl", {"DISABLE_ENVOY": "true", "OUTPUT_CERTS": str(certificates)})
    processes.wait_until(
        "istiod has signed the client's certificate",
        lambda: all((certificates / name).exists() for name in ("cert-chain.pem", "key.pem", "root-cert.pem")),
        60,
    )
    configuration = RUN / "ztunnel.yaml"
    configuration.write_text(
        Template((MANIFESTS / "ztunnel.yaml").read_text()).substitute(
            productpage_service=PRODUCTPAGE_SERVICE, waypoint_pod=PODS["waypoint"], certificates=certificates
        )
    )
    processes.start(
        "ztunnel", [envoy(), "-c", configuration, "--concurrency", "1", "--disable-hot-restart"], pod="curl"
    )
    processes.wait_until(
        "ztunnel's stand-in is ready", lambda: cluster.answers(f"http://{PODS['curl']}:15000/ready"), 20
    )


def start_agent(processes, pod, arguments, account, environment):
    """Start pilot-agent in the folder and the network namespace of a pod."""
    folder = folder_of(pod)
    proxy_config = {
        "discoveryAddress": "istiod.istio-system.svc:15012",
        "binaryPath": str(envoy()),
        "concurrency": 2,
    }
    # The agent keeps what it pulls at a fixed path, which a pod has to itself.
    kept = pulled_modules(pod)
    kept.mkdir()
    privately = (
        "mount -t tmpfs none /var/lib && mkdir -p /var/lib/istio/data && "
        f'mount --bind {shlex.quote(str(kept))} /var/lib/istio/data && exec "$@"'
    )
    processes.start(
        pod,
        ["sh", "-c", privately, "sh", BIN / "pilot-agent", "proxy", *arguments, "--domain=default.svc.cluster.local"],
        pod=pod,
        directory=folder,
        environment={
            "PROXY_CONFIG": json.dumps(proxy_config),
            "PILOT_CERT_PROVIDER": "istiod",
            "CA_ADDR": "istiod.istio-system.svc:15012",
            # Its filter is one that only Istio's own build of Envoy has.
            "PEER_METADATA_DISCOVERY": "false",
            "POD_NAME": pod,
            "POD_NAMESPACE": "default",
            "INSTANCE_IP": PODS[pod],
            "HOST_IP": NODE,
            "SERVICE_ACCOUNT": account,
            "ISTIO_META_SERVICE_ACCOUNT": account,
            "ISTIO_META_CLUSTER_ID": "Kubernetes",
            "ISTIO_META_NODE_NAME": "node",
            "ISTIO_META_MESH_ID": "cluster.local",
            "ISTIO_META_ENABLE_HBONE": "true",
            **environment,
        },
    )


def lay_out_pod(processes, pod, labels, account):
    """The files that a pod of the mesh mounts: its labels, a token, and istiod's root certificate."""
    folder = folder_of(pod)
    mounted = {
        "etc/istio/pod/labels": "".join(f'{key}="{value}"\n' for key, value in labels.items()),
        "etc/istio/pod/annotations": "",
        "var/run/secrets/tokens/istio-token": cluster.kubectl("create", "token", account, "--audience=istio-ca"),
        "var/run/secrets/istio/root-cert.pem": root_certificate(processes),
    }
    for name, text in mounted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def root_certificate(processes):
    """istiod's root certificate, which it stores in every namespace."""

    def read():
        return cluster.kubectl(
            "get", "configmap", "istio-ca-root-cert", "--ignore-not-found", "-o", r"jsonpath={.data.root-cert\.pem}"
        )  # fmt: skip

    processes.wait_until("istiod has stored its root certificate", read, 30)
    return read() + "\n"


def store_pod(name, labels, account):
    """A service account and a pod that is running and ready, as a kubelet would report it."""
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}}))
    cluster.apply(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "labels": labels},
                "spec": {
                    "serviceAccountName": account,
                    "nodeName": "node",
                    "containers": [{"name": "main", "image": "none"}],
                },
            }
        )
    )
    status = {
        "phase": "Running",
        "podIP": PODS[name],
        "podIPs": [{"ip": PODS[name]}],
        "hostIP": NODE,
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    cluster.kubectl("patch", "pod", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def store_endpoints(service, namespace, address, ports, pod=None):
    """The EndpointSlice of a Service with one endpoint; `ports` maps names to numbers."""
    endpoint = {"addresses": [address], "conditions": {"ready": True}}
    if pod:
        endpoint["targetRef"] = {"kind": "Pod", "name": pod, "namespace": namespace}
    cluster.apply(
        json.dumps(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": service,
                    "namespace": namespace,
                    "labels": {"kubernetes.io/service-name": service},
                },
                "addressType": "IPv4",
                "endpoints": [endpoint],
                "ports": [{"name": name, "port": port, "protocol": "TCP"} for name, port in ports.items()],
            }
        )
    )


def without_metadata_discovery(template):
    """The bootstrap template without the extension that only Istio's own build of Envoy has."""
    start = template.index("{{- if .metadata_discovery }}")
    end = template.index("{{- end }}", start) + len("{{- end }}")
    return template[:start] + template[end:]


def pulled_modules(pod):
    """Where a pod's agent keeps the modules it has pulled."""
    return folder_of(pod) / "pulled"


def folder_of(pod):
    """The root of a pod's files; pilot-agent's paths are relative to it."""
    return RUN / "pods" / pod
