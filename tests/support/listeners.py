"""Configurations that change while Envoy runs."""

import json
import time

from envoy import answer_200, bootstrap, listener
from ports import free_port


def wait_until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def verifications(proxy):
    """How many passwords were hashed and compared, once workers have told."""
    return sum(proxy.stats("basic_auth.verifications").values())


class Listeners:
    """A file with a listener, which Envoy reads again whenever it is replaced."""

    def __init__(self, folder, plugin, *, manager=None, clusters=()):
        self.file, self.port = folder / "lds.json", free_port()
        self._plugin, self._manager, self._clusters, self._versions = plugin, manager, clusters, 0

    def write(self, configuration, users="", vm_id=""):
        """A configuration, and the variable `USERS`."""
        filters = [self._plugin(configuration, environment={"USERS": users} if users else None, vm_id=vm_id)]
        resource = {
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            **listener("main", filters, answer_200(), port=self.port, manager=self._manager),
        }
        self._versions += 1
        other = self.file.with_suffix(".new")
        other.write_text(json.dumps({"version_info": str(self._versions), "resources": [resource]}))
        other.replace(self.file)

    def bootstrap(self):
        return {
            **bootstrap([], self._clusters),
            "node": {"id": "test", "cluster": "test"},
            "dynamic_resources": {"lds_config": {"path_config_source": {"path": str(self.file)}}},
        }
