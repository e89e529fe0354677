"""Starlette with routes and files, on uvicorn."""

import uvicorn
from shared import FILES, PLACES, PORT, marker
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles


def answer(place):
    async def endpoint(_request):
        return PlainTextResponse(marker(place))

    return endpoint


routes = [Route(path, answer(place)) for path, place in PLACES.items() if place not in ("public", "secret")]
routes.append(Route("/admin/{name}", answer("admin-below")))
routes.append(Route("/büro/{name}", answer("buero-below")))
routes.append(Mount("/files", StaticFiles(directory=FILES / "files")))
uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=PORT, log_level="error", access_log=False)
