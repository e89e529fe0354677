"""One Envoy with the filter, in front of what real clients speak to: HTTP, WebSocket, git, a registry, gRPC."""

import http.server
import os
import subprocess
import threading
import time
import urllib.request
from concurrent import futures

import grpc
import pytest
import upstream
import websockets.sync.server
from envoy import Envoy, bootstrap, listener, wasm_filter
from ports import free_port

USERS = {"credentials": ["ok:test"]}

RULES = [
    {"prefix": "/shop", "realm": "shop", **USERS},
    {"prefix": "/staff", "realm": "staff", "credentials": ["boss:test"]},
    {"prefix": "/api", "realm": "shop", **USERS},
    {"prefix": "/socket", "realm": "shop", **USERS},
    {"prefix": "/git/", "realm": "git", **USERS},
    {"prefix": "/v2/", "realm": "registry", **USERS},
    {"prefix": "/test.Echo/", "realm": "rpc", **USERS},
]

CONFIGURATION = {"forward_username_header": "x-user", "basic_auth_rules": RULES}

CONFIGURATIONS = {
    "web": CONFIGURATION,
    # For pages of other origins: preflights pass, and a refusal may be read.
    "cors": {
        **CONFIGURATION,
        "cors_preflight": "allow",
        "unauthorized": {"headers": {"access-control-allow-origin": "*"}},
    },
    "plain": {**CONFIGURATION, "plain_http": "redirect"},
    "tls": {**CONFIGURATION, "plain_http": "redirect"},
}

CORS = {
    "name": "cors",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"},
}

CORS_POLICY = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    "allow_origin_string_match": [{"prefix": "http"}],
    "allow_methods": "GET, PUT",
    "allow_headers": "authorization",
}


class Git(http.server.BaseHTTPRequestHandler):
    """Repositories by git's own `http-backend`, a CGI program."""

    protocol_version = "HTTP/1.1"
    root = None

    def _answer(self):
        path, _, query = self.path.removeprefix("/git").partition("?")
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            # Whom the filter accepted; git takes pushes of a user alone.
            "REMOTE_USER": self.headers.get("x-user", ""),
        }
        run = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, content = run.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer

    def log_message(self, *_):
        """The tests say enough."""


def serve_git(root):
    handler = type("Repositories", (Git,), {"root": root})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve_sockets():
    """A WebSocket server that says back what it is told."""

    def echo(connection):
        for message in connection:
            connection.send(message)

    server = websockets.sync.server.serve(echo, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.socket.getsockname()[1]


def serve_grpc():
    """One method, `test.Echo/Say`, that says back what it is told."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    method = grpc.unary_unary_rpc_method_handler(lambda message, _: message)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", {"Say": method})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # Without a reference the server would end.
    return server, port


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """The port of a real registry."""
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    configuration = folder / "config.yml"
    configuration.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(["docker-registry", "serve", configuration], **quiet)
    try:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5):
                    break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def repositories(tmp_path_factory):
    """A folder with one repository of one commit, `shop.git`."""
    folder = tmp_path_factory.mktemp("git")
    commands = [
        ["git", "init", "--quiet", "--bare", folder / "shop.git"],
        ["git", "init", "--quiet", folder / "work"],
        ["git", "-C", folder / "work", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet"]
        + ["--allow-empty", "--message", "first"],
        ["git", "-C", folder / "work", "push", "--quiet", folder / "shop.git", "HEAD:refs/heads/main"],
        ["git", "-C", folder / "shop.git", "symbolic-ref", "HEAD", "refs/heads/main"],
    ]
    for command in commands:
        subprocess.run(command, check=True)
    return folder


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The files of a certificate for shop.test and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "1", "-subj", "/CN=shop.test", "-addext", "subjectAltName=DNS:shop.test"]
    subprocess.run(
        [*command, "-keyout", folder / "key", "-out", folder / "certificate"], check=True, capture_output=True
    )
    return folder / "certificate", folder / "key"


def cluster(name, port, *, http2=False):
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    made = {
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    if http2:
        options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        made["typed_extension_protocol_options"] = {
            options: {
                "@type": f"type.googleapis.com/{options}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        }
    return made


@pytest.fixture(scope="session")
def proxy(registry, repositories, certificate):
    rpc, rpc_port = serve_grpc()
    clusters = [
        cluster("http", upstream.start()),
        cluster("socket", serve_sockets()),
        cluster("git", serve_git(repositories)),
        cluster("registry", registry),
        cluster("rpc", rpc_port, http2=True),
    ]
    prefixes = {"/socket": "socket", "/git/": "git", "/v2/": "registry", "/test.Echo/": "rpc", "/": "http"}
    routes = [{"match": {"prefix": prefix}, "route": {"cluster": name}} for prefix, name in prefixes.items()]
    manager = {
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": routes, "typed_per_filter_config": {"cors": CORS_POLICY}}
            ]
        },
    }
    listeners = [
        listener(name, [wasm_filter(configuration), CORS], routes, manager=manager)
        for name, configuration in CONFIGURATIONS.items()
    ]
    files = {"certificate_chain": {"filename": str(certificate[0])}, "private_key": {"filename": str(certificate[1])}}
    listeners[-1]["filter_chains"][0]["transport_socket"] = {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificates": [files], "alpn_protocols": ["h2", "http/1.1"]},
        },
    }
    with Envoy(bootstrap(listeners, clusters)) as proxy:
        yield proxy
    rpc.stop(None)


@pytest.fixture
def url(proxy):
    """The beginning of the URLs of the plain listener."""
    return f"http://127.0.0.1:{proxy.ports['web']}"
