"""The site with one more page: a view that fails."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config import urls


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("A view failed, as a test asked it to.")


urlpatterns = [*urls.urlpatterns, path("broken/", broken)]

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
