"""A member's private calendar address: making, renewing and ending it, and what is read at it."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import rate_limits, reauthentication
from accounts.policies import Policy, allow
from accounts.rate_limits import HOUR, Limit
from accounts.requests import MemberRequest
from payments.autopay import feed
from payments.models import CalendarFeed

READS_PER_ADDRESS = Limit("calendar:address", 240, HOUR)  # a provider's servers read for many members
READS_PER_FEED = Limit("calendar:feed", 30, HOUR)
MAX_SECRET = 100
PRIVATE = {"Cache-Control": "no-store, private", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


class FeedForm(forms.Form):
    """What the address shows."""

    states_amounts = forms.BooleanField(required=False, label=gettext_lazy("Show amounts in it"))


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def feed_page(request: MemberRequest) -> HttpResponse:
    """Make, renew or end one's address. It is shown once, in the answer to the making."""
    address = ""
    if request.method == "POST":
        if "end" in request.POST:
            feed.end(request.user)
            messages.success(request, _("The address has ended. Calendars that read it find nothing any more."))
            return redirect("calendar_feed_page")
        form = FeedForm(request.POST)
        shows = form.is_valid() and bool(form.cleaned_data["states_amounts"])
        address = settings.PORTAL_URL + feed.renew(request.user, states_amounts=shows)
    standing = CalendarFeed.objects.filter(user=request.user).first()
    initial = {"states_amounts": standing is not None and standing.states_amounts}
    context = {"standing": standing, "address": address, "form": FeedForm(initial=initial, auto_id="id_%s")}
    response = render(request, "autopay/feed.html", context)
    response.headers["Cache-Control"] = "no-store, private"
    return response


@allow(Policy.MACHINE)
@require_safe
def read(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar of whoever gave this address to a calendar. Raises Http404 where there is none."""
    claims = ((READS_PER_FEED, feed.hash_of(token)), (READS_PER_ADDRESS, rate_limits.address_key(request)))
    if not rate_limits.take(*claims):
        return HttpResponse(status=429, headers={"Retry-After": str(HOUR), **PRIVATE})
    found = feed.find(token) if len(token) <= MAX_SECRET else None
    if found is None:
        raise Http404("no such calendar")
    return HttpResponse(feed.written(found), content_type="text/calendar; charset=utf-8", headers=PRIVATE)
