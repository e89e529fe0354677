"""Django with routes, for gunicorn."""

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path, re_path
from shared import PLACES, marker

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="none of it is secret",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)


def answer(place):
    return lambda request, **_: HttpResponse(marker(place))


urlpatterns = [path(route.removeprefix("/"), answer(place)) for route, place in PLACES.items() if place != "report"]
urlpatterns += [path("admin/<str:name>", answer("admin-below")), re_path(r"^report\.pdf$", answer("report"))]

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402  (the settings come first)

application = get_wsgi_application()
