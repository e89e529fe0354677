"""A small upstream that shows what reached it."""

import http.server
import threading


class _Show(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        lines = [f"This reached the upstream: {self.command} {self.path}"]
        lines += [f"  {name}: {value}" for name, value in self.headers.items()]
        if body:
            lines.append(f"  ({len(body)} bytes of body)")
        text = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _answer

    def log_message(self, *_):
        """Envoy's access log is enough."""


def start():
    """Starts the upstream in the background and returns its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Show)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
