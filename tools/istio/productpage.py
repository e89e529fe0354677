"""The application at the end of the mesh: it answers every request with 200."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ProductPage(BaseHTTPRequestHandler):
    """Answers any path, so that a status other than 200 comes from a proxy."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes, and the second shall not wait for an
    # acknowledgement of the first.
    disable_nagle_algorithm = True

    def answer(self):
        """Read the request to its end and greet."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        page = b"<title>Simple Bookstore App</title>\n"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_GET = do_POST = do_PUT = answer


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), ProductPage).serve_forever()
