"""What the Python backends have in common: where they listen, and what each place answers with."""

import os
import pathlib

PORT = int(os.environ.get("PORT", "0"))
FILES = pathlib.Path(os.environ.get("FILES", "."))
PLACES = {
    "/admin": "admin",
    "/admin/x": "admin-x",
    "/files/secret": "secret",
    "/files/public/x": "public",
    "/report.pdf": "report",
    "/büro": "buero",
}
"""The routes without a variable part."""


def marker(place):
    return f"marker<{place}>"
