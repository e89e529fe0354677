"""make istio: the filter in a real Istio, on one machine, without a cluster."""

import fcntl
import shutil
import signal
import sys
import time

import build
import cluster
import mesh
import needs
import problem
import sandbox
import walkthrough
from problem import Problem
from processes import Processes
from project import LOGS, RUN, TARGET
from transcript import Transcript

COMMANDS = ("bash", "curl", "docker-registry", "etcd", "ip", "make", "nginx", "openssl", "sed", "unshare")
"""What the walk-through starts, beside what it builds."""


def main(arguments):
    """Outside: check, build and enter the sandbox. Inside: start the mesh and walk through it."""
    if arguments == [sandbox.INSIDE]:
        return walk()
    if arguments:
        raise Problem("usage: python3 tools/istio (it takes no arguments; run it by make istio)")
    check_machine()
    TARGET.mkdir(parents=True, exist_ok=True)
    with (TARGET / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("another make istio is running in this folder: wait for it") from None
        build.build()
        shutil.rmtree(RUN, ignore_errors=True)
        LOGS.mkdir(parents=True)
        try:
            return sandbox.enter()
        finally:
            # Only the logs are of use afterwards.
            for left in RUN.iterdir():
                if left != LOGS:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()


def check_machine():
    """Everything that is missing, before anything is built or started."""
    lacking = list(needs.missing(*COMMANDS, "go"))
    if not list(needs.missing("ip", "unshare")) and (reason := sandbox.obstacle()):
        lacking.append(f"namespaces cannot be made here ({reason}); run it as root, in a container with --privileged")
    if lacking:
        raise Problem("this machine is not ready:\n  - " + "\n  - ".join(lacking))


def walk():
    """The run itself; 1 if a step was not as expected."""
    started = time.monotonic()
    sandbox.prepare()
    processes = Processes()
    print("Starting etcd, kube-apiserver, istiod, a registry, a gateway and a waypoint.", flush=True)
    cluster.start(processes)
    mesh.start(processes)
    print(f"The mesh is up after {time.monotonic() - started:.0f} s.", flush=True)
    transcript = Transcript()
    walkthrough.walk(transcript, processes)
    transcript.close()
    if transcript.failed:
        print(f"Not as expected; the logs of every program are in {LOGS}.", flush=True)
    print(f"It took {time.monotonic() - started:.0f} s.", flush=True)
    return 1 if transcript.failed else 0


if __name__ == "__main__":
    # Ended from outside is ended like Ctrl-C, cleaning up on the way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    problem.run("make istio", main, sys.argv[1:])
