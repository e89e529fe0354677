"""Flask with routes and files, for gunicorn."""

from flask import Flask, send_from_directory
from shared import FILES, PLACES, marker

application = Flask(__name__, static_folder=None)

for route, place in PLACES.items():
    if not route.startswith("/files/"):
        application.add_url_rule(route, place, lambda place=place: marker(place))


@application.get("/files/<path:name>")
def files(name):
    return send_from_directory(FILES / "files", name)


@application.get("/admin/<name>")
def below(name):
    return marker("admin-below")
