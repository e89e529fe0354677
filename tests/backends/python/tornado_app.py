"""Tornado with routes, which are regular expressions, and files."""

import asyncio

from shared import FILES, PLACES, PORT, marker
from tornado.web import Application, RequestHandler, StaticFileHandler


class Place(RequestHandler):
    def initialize(self, place):
        self.place = place

    def get(self, *_):
        self.write(marker(self.place))


async def main():
    routes = [
        (route.replace(".", r"\."), Place, {"place": place})
        for route, place in PLACES.items()
        if not route.startswith("/files/")
    ]
    routes += [
        ("/admin/([^/]+)", Place, {"place": "admin-below"}),
        ("/files/(.*)", StaticFileHandler, {"path": FILES / "files"}),
    ]
    Application(routes, log_function=lambda _: None).listen(PORT, address="127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
