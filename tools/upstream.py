"""A small upstream that answers every request with 200 and shows what reached it.

python3 tools/upstream.py 9080    serves on that port of every address, until it is ended
"""

import http.server
import sys
import threading


class _Show(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes, and the second shall not wait for an acknowledgement of the first.
    disable_nagle_algorithm = True

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


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), _Show).serve_forever()
