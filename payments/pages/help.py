"""The front door, and the help page: plain words, and how to reach Member Services. Anybody may read it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.policies import Policy, allow


@allow(Policy.PUBLIC)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the overview, which asks whoever is not signed in to sign in."""
    return redirect("overview")


@allow(Policy.PUBLIC)
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the questions that members ask most, with answers."""
    layout = "layouts/member.html" if request.user.is_authenticated else "layouts/public.html"
    return render(request, "help/help.html", {"layout": layout})
