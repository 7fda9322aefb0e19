from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def ready(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")), path("ready", ready)]
