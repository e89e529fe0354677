"""Namespaces of the walk-through's own.

Everything runs behind one unshare(1): a network of its own, so that pod
addresses and ports stay inside; a mount namespace, so that /run and /etc/hosts
are private; and a PID namespace, so that the kernel ends every process when
the walk-through ends, however it ends.
"""

import ctypes
import os
import signal
import subprocess
import sys

from problem import Problem
from project import RUN, TOOL

BRIDGE = "mesh"
# The address of the "node": istiod, the API server and the registry.
NODE = "10.10.0.1"
PODS = {
    "gateway": "10.10.0.11",
    "waypoint": "10.10.0.12",
    "productpage": "10.10.0.13",
    "curl": "10.10.0.14",
    # Those that take the gateway's place when its Deployment is rolled.
    "gateway-2": "10.10.0.15",
    "gateway-3": "10.10.0.16",
    "users": "10.10.0.17",
}
# The Service's address, where the client's ztunnel listens: one of the first
# 16, which Kubernetes never hands out by itself.
PRODUCTPAGE_SERVICE = "10.96.0.10"

HOSTS = RUN / "hosts"

# Said to the second start of this program, the one inside.
INSIDE = "--inside"

PR_SET_PDEATHSIG = 1


def unshare():
    """The command that makes the namespaces; root is only root inside if it is not outside."""
    rootless = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *rootless, "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]


def obstacle():
    """Why such namespaces cannot be made here, or None if they can."""
    attempt = f"mount -t tmpfs none /run && ip link add {BRIDGE} type bridge && ip link add there type veth peer here"
    tried = subprocess.run([*unshare(), "sh", "-c", attempt], capture_output=True, text=True)
    return tried.stderr.strip().splitlines()[-1] if tried.returncode else None


def enter():
    """Run this program again inside, wait for it, and return its exit code."""
    libc = ctypes.CDLL(None)
    inner = subprocess.Popen(
        [*unshare(), sys.executable, str(TOOL), INSIDE],
        # If this process is killed outright, the namespaces go with it.
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )
    try:
        return inner.wait()
    finally:
        # unshare takes the first process of the PID namespace with it, and
        # the kernel all the others.
        if inner.poll() is None:
            inner.kill()
            inner.wait()


def prepare():
    """Inside: private /run and /etc/hosts, a bridge, and a network namespace per pod."""
    name_hosts("gateway")
    # ip-netns keeps its names in /run/netns.
    run("mount", "-t", "tmpfs", "none", "/run")
    run("mount", "--bind", HOSTS, "/etc/hosts")
    ip("link set lo up")
    ip(f"link add name {BRIDGE} type bridge")
    ip(f"addr add {NODE}/24 dev {BRIDGE}")
    ip(f"link set {BRIDGE} up")
    for name, address in PODS.items():
        ip(f"netns add {name}")
        ip(f"link add name {name} type veth peer name eth0 netns {name}")
        ip(f"link set {name} master {BRIDGE} up")
        ip(f"-n {name} addr add {address}/24 dev eth0")
        ip(f"-n {name} link set lo up")
        ip(f"-n {name} link set eth0 up")
    ip(f"-n curl addr add {PRODUCTPAGE_SERVICE}/32 dev lo")


def name_hosts(gateway):
    """The names that everybody inside knows; the gateway's Service is one pod at a time."""
    HOSTS.write_text(f"""\
127.0.0.1 localhost
{NODE} istiod.istio-system.svc registry.local
{PODS[gateway]} bookinfo-gateway-istio
{PRODUCTPAGE_SERVICE} productpage
""")


def ip(arguments):
    """One ip(8) command."""
    run("ip", *arguments.split())


def run(*command):
    """One administrative command, which has to work."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Problem(f"{' '.join(str(word) for word in command)} failed: {done.stderr.strip()}")
