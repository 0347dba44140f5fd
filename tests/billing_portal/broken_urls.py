"""The portal's addresses, and one that breaks."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.policies import Policy, allow
from billing_portal.urls import urlpatterns as portal


@allow(Policy.PUBLIC)
def raises(request: HttpRequest) -> HttpResponse:
    """Break."""
    raise RuntimeError("secret-cause")


urlpatterns = [path("raises/", raises), *portal]
