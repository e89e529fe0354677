"""How much processor time and memory a running Envoy has used, by the Linux kernel's own books."""

import pathlib

from problem import Problem

WORKER = "wrk:worker_0"
"""The thread of Envoy's first worker, which does everything that a request costs."""


def require_linux():
    """Fails where the kernel does not keep these books."""
    if not pathlib.Path("/proc/self/schedstat").exists():
        raise Problem(
            "the benchmarks read processor time from /proc/PID/task/*/schedstat, so they need Linux; "
            "a container or a virtual machine will do."
        )


def _spent(task):
    # The first of three numbers: nanoseconds on a processor, in the kernel and out of it.
    return int((task / "schedstat").read_text().split()[0])


class Worker:
    """The processor time of an Envoy's first worker.

    Only this thread: others compile, collect statistics and write logs whenever they like, which is noise here.
    """

    def __init__(self, process):
        tasks = pathlib.Path(f"/proc/{process}/task").iterdir()
        task = next(task for task in tasks if (task / "comm").read_text().strip() == WORKER)
        self._file = (task / "schedstat").open("rb", buffering=0)

    def nanoseconds(self):
        """Processor time so far."""
        self._file.seek(0)
        return int(self._file.read(64).split()[0])


def all_threads(process):
    """Processor time of a whole process so far, in seconds."""
    return sum(_spent(task) for task in pathlib.Path(f"/proc/{process}/task").iterdir()) / 1e9


def resident(process):
    """Bytes of memory that a process holds."""
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"no VmRSS in the status of process {process}")
