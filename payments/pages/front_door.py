"""The front door."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.policies import Policy, allow


@allow(Policy.PUBLIC)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the overview, which asks whoever is not signed in to sign in."""
    return redirect("overview")
