"""Python's http.server with files, as `python3 -m http.server` runs it, but for connections that stay open."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from shared import FILES, PORT


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256


Server(("127.0.0.1", PORT), partial(Handler, directory=FILES)).serve_forever()
