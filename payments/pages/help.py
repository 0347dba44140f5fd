"""The help page: plain words, and how to reach Member Services. Anybody may read it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.policies import Policy, allow


@allow(Policy.PUBLIC)
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the questions that members ask most, with answers."""
    layout = "layouts/member.html" if request.user.is_authenticated else "layouts/public.html"
    return render(request, "help/help.html", {"layout": layout})
