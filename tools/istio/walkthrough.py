"""The steps: Istio's task "Distributing WebAssembly Modules" for ambient, and what users ask next."""

import re

import mesh
from cluster import ISTIOD_LOG, REGISTRY
from hashes import SLOW_NEXT
from mesh import GATEWAY_LOG, pulled_modules
from project import EXAMPLES, MANIFESTS, ROOT
from transcript import contains, matches, says

CURL = "curl"
GATEWAY_URL = "http://bookinfo-gateway-istio"
WAYPOINT_URL = "http://productpage:9080"

ADMIN3 = "-H 'Authorization: Basic YWRtaW4zOmFkbWluMw=='"
OK_TEST = "-u ok:test"

# A change is in force within a second; a first pull compiles the module, too.
SOON = 20
# Once it is, another worker thread of the proxy may be a moment behind.
AT_ONCE = 1


def walk(transcript, processes):
    """All sections, in an order in which each leaves the mesh as the next one needs it."""

    def roll(old, new):
        mesh.roll_gateway(processes, old, new)

    def start_users():
        mesh.start_users(processes)

    for section in (
        publish,
        at_the_gateway,
        at_the_waypoint,
        for_one_service,
        new_credentials,
        refused_change,
        held_up,
        two_plugins,
        refused_at_first,
        wrong_digest,
        plugin_name,
        open_again,
        as_traffic_extension,
        users_from_a_secret,
        new_password,
        users_that_are_fetched,
        checked_only,
    ):
        transcript.heading(section.__doc__.rstrip("."))
        if section in (users_from_a_secret, new_password):
            section(transcript, roll)
        elif section is users_that_are_fetched:
            section(transcript, start_users)
        else:
            section(transcript)
        if transcript.failed:
            # What follows builds on it.
            break


# The docstring of a section is its heading.


def publish(transcript):
    """The module goes to a registry."""
    transcript.run(f"make push IMAGE={image()} PLAIN_HTTP=1", contains(f"url: oci://{image()}", "sha256:"))


def at_the_gateway(transcript):
    """At a gateway."""
    status(transcript, GATEWAY_URL, "", "200", within=SOON)
    apply(transcript, EXAMPLES / "gateway.yaml", "basic-auth-at-gateway created")
    status(transcript, GATEWAY_URL, "", "401", within=SOON)
    status(transcript, GATEWAY_URL, ADMIN3, "200")
    status(transcript, GATEWAY_URL, OK_TEST, "200")
    challenge(transcript, GATEWAY_URL, 'Basic realm="istio"')
    transcript.say("What the gateway's agent pulled is what was built here.")
    transcript.run(f"cmp target/basic_auth.wasm {shown(pulled_modules('gateway'))}/*/*.wasm && echo same", says("same"))


def at_the_waypoint(transcript):
    """At a waypoint."""
    status(transcript, WAYPOINT_URL, "", "200", within=SOON)
    apply(transcript, EXAMPLES / "waypoint.yaml", "basic-auth-at-waypoint created")
    status(transcript, WAYPOINT_URL, "", "401", within=SOON)
    status(transcript, WAYPOINT_URL, OK_TEST, "200")
    status(transcript, WAYPOINT_URL, ADMIN3, "200")
    transcript.say("It went through HBONE: ztunnel's stand-in has shaken hands with the waypoint, over HTTP/2.")
    transcript.run(
        "curl -s 'http://127.0.0.1:15000/stats?filter=waypoint.(ssl.handshake|upstream_cx_http2_total)'",
        matches(r"(?s)ssl\.handshake: [1-9].*http2_total: [1-9]", "neither number is 0"),
        pod=CURL,
    )
    transcript.run("kubectl get wasmplugin", contains("basic-auth-at-gateway", "basic-auth-at-waypoint"))


def for_one_service(transcript):
    """At the waypoint, for one Service alone."""
    patch(
        transcript,
        '[{"op":"replace","path":"/spec/targetRefs","value":[{"group":"","kind":"Service","name":"productpage"}]},'
        '{"op":"add","path":"/spec/pluginConfig/realm","value":"productpage"}]',
        plugin="basic-auth-at-waypoint",
    )
    challenge(transcript, WAYPOINT_URL, 'realm="productpage"', within=SOON)
    status(transcript, WAYPOINT_URL, "", "401")
    status(transcript, WAYPOINT_URL, OK_TEST, "200")


def new_credentials(transcript):
    """New credentials, under load."""
    load = transcript.begin(f"python3 tools/istio/load.py {GATEWAY_URL}/productpage ok:test", pod=CURL)
    patch(
        transcript,
        '[{"op":"add","path":"/spec/pluginConfig/basic_auth_rules/0/credentials/-","value":"new:secret"}]',
    )
    status(transcript, GATEWAY_URL, "-u new:secret", "200", within=SOON)
    transcript.interrupt(load, matches(r"^[1-9]\d* requests answered 200, 0 otherwise$", "0 otherwise"))


def refused_change(transcript):
    """A configuration with a slip in it."""
    transcript.say("kubectl is content, istiod is told, Envoy logs the module's reason, and the last good rules stay.")
    patch(transcript, '[{"op":"add","path":"/spec/pluginConfig/basic_auth_rule","value":[]}]')
    transcript.run(
        f"grep -o 'ADS:ECDS: ACK ERROR.*' {shown(ISTIOD_LOG)} | tail -n 1",
        contains("basic-auth-at-gateway", "Unable to create Wasm plugin"),
        within=SOON,
    )
    transcript.run(
        f"grep -o 'wasm log.*basic_auth_rule.*' {shown(GATEWAY_LOG)} | tail -n 1",
        contains("basic_auth_rule"),
        within=SOON,
    )
    status(transcript, GATEWAY_URL, "", "401")
    status(transcript, GATEWAY_URL, "-u new:secret", "200")


def held_up(transcript):
    """While the slip stands, the gateway takes no other plugin."""
    transcript.say("Envoy refuses the listener as a whole. Nothing protects /login, and kubectl does not tell.")
    apply(transcript, MANIFESTS / "second-plugin.yaml", "second-plugin created")
    transcript.run(
        f"grep -o 'ADS:LDS: ACK ERROR.*' {shown(ISTIOD_LOG)} | tail -n 1",
        contains("Error adding/updating listener", "basic-auth-at-gateway"),
        within=SOON,
    )
    status(transcript, GATEWAY_URL, "", "200", path="/login")
    transcript.say("Mended; the other plugin comes into force when it is sent again, for which any change will do.")
    patch(
        transcript,
        '[{"op":"remove","path":"/spec/pluginConfig/basic_auth_rule"},'
        '{"op":"add","path":"/spec/pluginConfig/realm","value":"mended"}]',
    )
    challenge(transcript, GATEWAY_URL, 'realm="mended"', within=SOON)
    transcript.run("kubectl annotate wasmplugin second-plugin sent=again", contains("second-plugin annotated"))
    status(transcript, GATEWAY_URL, "", "401", path="/login", within=SOON)


def two_plugins(transcript):
    """Two plugins of one image: each keeps its own rules."""
    status(transcript, GATEWAY_URL, "-u second:user", "200", path="/login")
    status(transcript, GATEWAY_URL, OK_TEST, "401", path="/login")
    status(transcript, GATEWAY_URL, OK_TEST, "200")
    status(transcript, GATEWAY_URL, "-u second:user", "401")
    delete(transcript, "wasmplugin second-plugin")
    status(transcript, GATEWAY_URL, "", "200", path="/login", within=SOON)
    status(transcript, GATEWAY_URL, "", "401")


def refused_at_first(transcript):
    """A slip at the first load: nothing passes, under FAIL_OPEN either."""
    status(transcript, GATEWAY_URL, OK_TEST, "200")
    apply(transcript, MANIFESTS / "refused-plugin.yaml", "refused-plugin created")
    status(transcript, GATEWAY_URL, OK_TEST, "500", within=SOON)
    status(transcript, GATEWAY_URL, "", "500", path="/logout")
    delete(transcript, "wasmplugin refused-plugin")
    status(transcript, GATEWAY_URL, OK_TEST, "200", within=SOON)


def wrong_digest(transcript):
    """A digest that is not the image's: nothing passes."""
    patch(transcript, f'[{{"op":"add","path":"/spec/sha256","value":"{"0" * 64}"}}]')
    transcript.run(
        f"curl -s -w ' %{{http_code}}\\n' {OK_TEST} {GATEWAY_URL}/productpage",
        says("RBAC: access denied 403"),
        pod=CURL,
        within=SOON,
    )
    patch(transcript, '[{"op":"remove","path":"/spec/sha256"}]')
    status(transcript, GATEWAY_URL, OK_TEST, "200", within=SOON)
    status(transcript, GATEWAY_URL, "", "401")


def plugin_name(transcript):
    """pluginName, which becomes the root id."""
    patch(
        transcript,
        '[{"op":"add","path":"/spec/pluginName","value":"basic_auth"},'
        '{"op":"add","path":"/spec/pluginConfig/realm","value":"named"}]',
    )
    challenge(transcript, GATEWAY_URL, 'realm="named"', within=SOON)
    status(transcript, GATEWAY_URL, "", "401")
    status(transcript, GATEWAY_URL, OK_TEST, "200")


def open_again(transcript):
    """Deleted: open again."""
    transcript.say("The gateway first: what it forwards does not pass the waypoint, whose filter is still there.")
    delete(transcript, "wasmplugin basic-auth-at-gateway")
    status(transcript, GATEWAY_URL, "", "200", within=SOON)
    status(transcript, WAYPOINT_URL, "", "401")
    delete(transcript, "wasmplugin basic-auth-at-waypoint")
    status(transcript, WAYPOINT_URL, "", "200", within=SOON)


def as_traffic_extension(transcript):
    """As a TrafficExtension."""
    apply(transcript, EXAMPLES / "traffic-extension.yaml", "basic-auth-extension created")
    status(transcript, GATEWAY_URL, "", "401", within=SOON)
    status(transcript, GATEWAY_URL, OK_TEST, "200")
    transcript.run("kubectl get trafficextension", contains("basic-auth-extension"))
    delete(transcript, "trafficextension basic-auth-extension")
    status(transcript, GATEWAY_URL, "", "200", within=SOON)


def users_from_a_secret(transcript, roll):
    """Users from a Secret."""
    apply(transcript, EXAMPLES / "secret.yaml", "basic-auth-users created", "basic-auth-from-secret created")
    transcript.say("The pod has run since before the variable was there. Nothing passes, and the log says why.")
    status(transcript, GATEWAY_URL, OK_TEST, "500", within=SOON)
    status(transcript, GATEWAY_URL, "", "500", path="/login")
    transcript.run(
        f"grep -o 'basic_auth: .*configuration refused: .*htpasswd_env.*(Envoy)' {shown(GATEWAY_LOG)} | tail -n 1",
        contains("basic_auth_rules[0].htpasswd_env: no such environment variable"),
        within=SOON,
    )
    transcript.say(
        "istiod changes the Deployment, and Kubernetes rolls it. Here a second pod is started with the variable of "
        "the\n# Secret; the Service is the new pod's once it is ready, and the old one ends."
    )
    roll("gateway", "gateway-2")
    status(transcript, GATEWAY_URL, "", "401", within=SOON)
    status(transcript, GATEWAY_URL, OK_TEST, "200")
    status(transcript, GATEWAY_URL, "-u ok:next", "401")
    status(transcript, GATEWAY_URL, "", "200", path="/login")


def new_password(transcript, roll):
    """A second password for a user of the Secret, under load."""
    load = transcript.begin(f"python3 tools/istio/load.py {GATEWAY_URL}/productpage ok:test", pod=CURL)
    # The first hash is the example's; the second is of `next`.
    hashes = re.findall(r"ok:(\$2y\$\S+)", (EXAMPLES / "secret.yaml").read_text()) + [SLOW_NEXT]
    text = r"\n".join(f"ok:{hash}" for hash in hashes)
    transcript.run(
        f"""kubectl patch secret basic-auth-users -p '{{"stringData":{{"htpasswd":"{text}"}}}}'""",
        contains("basic-auth-users patched"),
    )
    transcript.say("A running pod keeps the environment that it was started with.")
    status(transcript, GATEWAY_URL, "-u ok:next", "401")
    transcript.say("kubectl rollout restart deployment bookinfo-gateway-istio; here, as before, by a third pod.")
    roll("gateway-2", "gateway-3")
    status(transcript, GATEWAY_URL, "-u ok:next", "200", within=SOON)
    status(transcript, GATEWAY_URL, OK_TEST, "200")
    transcript.interrupt(load, matches(r"^[1-9]\d* requests answered 200, 0 otherwise$", "0 otherwise"))
    delete(transcript, "wasmplugin basic-auth-from-secret")
    status(transcript, GATEWAY_URL, "", "200", within=SOON)


def users_that_are_fetched(transcript, start_users):
    """Users that are fetched from a mounted Secret, changed under load."""
    example = EXAMPLES / "fetch.yaml"
    apply(transcript, example, "basic-auth-fetched-users created", "basic-auth-users created", "fetched created")
    transcript.say("Until the Deployment's pod is there the rule knows no users, and refuses; here one is started now.")
    status(transcript, GATEWAY_URL, OK_TEST, "503", within=SOON)
    start_users()
    status(transcript, GATEWAY_URL, OK_TEST, "200", within=SOON)
    status(transcript, GATEWAY_URL, "-u ok:next", "401")
    load = transcript.begin(f"python3 tools/istio/load.py {GATEWAY_URL}/productpage admin3:admin3", pod=CURL)
    # Another password for one user; the other's line stays as it is.
    kept = re.search(r"admin3:\$2y\$\S+", example.read_text())[0]
    transcript.run(
        "kubectl patch secret basic-auth-fetched-users -p "
        f"""'{{"stringData":{{"users.htpasswd":"ok:{SLOW_NEXT}\\n{kept}"}}}}'""",
        contains("basic-auth-fetched-users patched"),
    )
    transcript.say("kubelet renews what is mounted within a minute or so; here at once.")
    mesh.mount_users()
    status(transcript, GATEWAY_URL, "-u ok:next", "200", within=SOON)
    transcript.say("Each of the proxy's workers fetches for itself; within a second more, none knows the old password.")
    transcript.run(
        "for n in 1 2 3 4 5 6 7 8; do "
        f"curl -s -o /dev/null -w '%{{http_code}}\\n' {OK_TEST} {GATEWAY_URL}/productpage; done | uniq -c",
        matches(r"^8 401$", "8 401"),
        pod=CURL,
        within=6,
    )
    transcript.interrupt(load, matches(r"^[1-9]\d* requests answered 200, 0 otherwise$", "0 otherwise"))
    transcript.run("kubectl get wasmplugin basic-auth-fetched -o jsonpath='{.metadata.generation}'", says("1"))
    transcript.say("The server gone: what was good stays in force.")
    delete(transcript, "service basic-auth-users")
    status(transcript, GATEWAY_URL, "-u ok:next", "200")
    delete(transcript, "wasmplugin basic-auth-fetched")
    status(transcript, GATEWAY_URL, "", "200", within=SOON)


def checked_only(transcript):
    """For sidecars, of which there are none here: checked by the API server and istiod."""
    transcript.run(
        f"kubectl apply --dry-run=server -f {shown(EXAMPLES / 'sidecar.yaml')}",
        contains("basic-auth-in-sidecar created (server dry run)"),
    )


def status(transcript, url, credentials, expected, *, path="/productpage", within=AT_ONCE):
    """The status code that a client in a pod of its own is given."""
    options = f"-s -o /dev/null -w '%{{http_code}}\\n' {credentials}".rstrip()
    transcript.run(f"curl {options} {url}{path}", says(expected), pod=CURL, within=within)


def challenge(transcript, url, expected, *, within=AT_ONCE):
    """The header of a refusal."""
    transcript.run(
        f"curl -s -D - -o /dev/null {url}/productpage | grep -i www-authenticate",
        contains(expected),
        pod=CURL,
        within=within,
    )


def apply(transcript, document, *expected):
    """Apply a document whose image is the one in the local registry."""
    transcript.run(f"sed 's|ghcr.io/OWNER|{REGISTRY}|' {shown(document)} | kubectl apply -f -", contains(*expected))


def patch(transcript, operations, *, plugin="basic-auth-at-gateway"):
    """Change a plugin in place."""
    transcript.run(
        f"kubectl patch wasmplugin {plugin} --type=json -p '{operations}'",
        contains(f"{plugin} patched"),
    )


def delete(transcript, what):
    """Delete a resource, named by kind and name."""
    transcript.run(f"kubectl delete {what}", contains("deleted"))


def image():
    """The image that the examples name, in the local registry."""
    named = re.search(r"url: oci://ghcr\.io/OWNER/(\S+)", (EXAMPLES / "gateway.yaml").read_text())[1]
    return f"{REGISTRY}/{named}"


def shown(path):
    """A path as a user in the project's folder writes it."""
    return path.relative_to(ROOT)
