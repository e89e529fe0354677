"""aiohttp with routes and files."""

from aiohttp import web
from shared import FILES, PLACES, PORT, marker


def answer(place):
    async def handler(_request):
        return web.Response(text=marker(place))

    return handler


app = web.Application()
for route, place in PLACES.items():
    if not route.startswith("/files/"):
        app.router.add_get(route, answer(place))
app.router.add_get("/admin/{name}", answer("admin-below"))
app.router.add_static("/files", FILES / "files")
web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)
