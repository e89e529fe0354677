"""Bottle as a server of one tree of files, on cheroot's rival waitress."""

import bottle
import waitress
from shared import FILES, PORT

app = bottle.Bottle()


@app.get("/<name:path>")
def static(name):
    return bottle.static_file(name, root=FILES)


waitress.serve(app, host="127.0.0.1", port=PORT, _quiet=True)
