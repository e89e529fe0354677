"""Bottle with routes and static files, on the server of the standard library that it runs on by itself."""

from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import bottle
from shared import FILES, PLACES, PORT, marker

app = bottle.Bottle()


@app.get("/files/public/<name:path>")
def public(name):
    return bottle.static_file(name, root=FILES / "files" / "public")


for path, place in PLACES.items():
    if place != "public":
        app.get(path, callback=lambda place=place: marker(place))


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 256


class Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


bottle.run(app, host="127.0.0.1", port=PORT, server="wsgiref", quiet=True, server_class=Server, handler_class=Handler)
