"""Guest pay, the first half: naming a bill by its facts or by a link, and choosing how much of it to pay.

These pages are public, and have a gate of their own: payments.guests. They load nothing from other hosts, and the page
on which a method is typed is in payments.pages.guest_paying.
"""

import ipaddress
import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.policies import Policy, allow
from accounts.rate_limits import address_key
from payments import guest_challenge, guest_limits, guest_links, guests
from payments.checkout import CheckoutError
from payments.guest_forms import AmountForm, LookupForm, ProofForm
from payments.guest_limits import ChallengeNeeded, Closed, TooManyTries, Who
from payments.guests import NotSeen

INVALID, TOO_MANY, CLOSED = 422, 429, 503


@allow(Policy.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def lookup(request: HttpRequest) -> HttpResponse:
    """Name a bill by what stands on it. Whatever is wrong, the answer is the same (FAULTS G01, H02)."""
    data = request.POST if request.method == "POST" else None
    form, proof = LookupForm(data), ProofForm(data)
    status, challenge = 200, None
    if request.method == "POST":
        status = INVALID
        if form.is_valid():
            who = who_asks(request)
            try:
                bill_id = guests.look_up(who, form.facts(), has_proof=has_proof(who, proof))
                if bill_id is not None:
                    admit(request, bill_id)
                    return redirect("guest_bill")
                form.add_error(None, _(NOT_FOUND))
            except CheckoutError as refusal:
                status, challenge = refused(refusal)
                form.add_error(None, str(refusal))
    context = {"form": form, "challenge": challenge, "steps": steps()}
    return render(request, "guest/lookup.html", context, status=status)


NOT_FOUND = gettext_noop(
    "We found no bill to pay with what you entered. Check each entry against the bill and try again,"
    " or use the link or the code that is printed on it."
)


@allow(Policy.PUBLIC)
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Open a link, and lead on to an address that no longer holds it (FAULTS G06).

    A link that is dead leads on as well, so that no log line about a refused address repeats it.
    """
    try:
        guest_limits.before_link(who_asks(request))
        found = guest_links.opened(token)
    except CheckoutError as refusal:
        messages.error(request, str(refusal))
        found = None
    else:
        if found is None:
            messages.error(
                request, _("This link no longer works. Ask for a new one, or enter what stands on the bill below.")
            )
    if found is not None:
        admit(request, found.bill_id, link_id=found.pk)
    response = redirect("guest_bill" if found is not None else "guest_pay")
    # On this answer alone: a page under "no-referrer" would post its forms with the origin "null", which is refused.
    response["Referrer-Policy"] = "no-referrer"
    return response


@allow(Policy.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def bill(request: HttpRequest) -> HttpResponse:
    """The bill as far as a guest sees it, and how much of it to pay."""
    try:
        shown = guests.seen(guests.bill_of(request.session))
    except NotSeen:
        return ended(request)
    form = AmountForm(shown, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = INVALID
        if form.is_valid():
            try:
                guest_limits.before_draft(who_asks(request), guests.visit_of(request.session))
                payment = guests.begin(
                    request.session, cents=form.cleaned_data["cents"], form_key=form.cleaned_data["form_key"]
                )
                return redirect("guest_method", payment.number)
            except CheckoutError as refusal:
                status, _challenge = refused(refusal)
                form.add_error(None, str(refusal))
            except NotSeen:
                return ended(request)
    context = {
        "bill": shown,
        "form": form,
        "form_key": request.POST.get("form_key") if status == INVALID and not _is_spent(form) else draw_form_key(),
        "steps": steps(),
    }
    return render(request, "guest/bill.html", context, status=status)


@allow(Policy.PUBLIC)
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Forget the bill on this computer."""
    guests.leave(request.session)
    messages.success(request, _("The bill is no longer shown on this device."))
    return redirect("guest_pay")


def admit(request: HttpRequest, bill_id: int, *, link_id: int | None = None) -> None:
    """Let this browser see the bill, under a new session id (FAULTS H12). Who is signed in keeps theirs."""
    if not request.user.is_authenticated:
        request.session.cycle_key()
    guests.admit(request.session, bill_id, link_id=link_id)


def ended(request: HttpRequest) -> HttpResponse:
    """Back to the start: no bill was named, or its hour is over."""
    if request.method == "POST" or guests.SESSION_KEY in request.session:
        messages.warning(request, _("For privacy this page has closed. Name the bill again to go on."))
    guests.leave(request.session)
    return redirect("guest_pay")


def who_asks(request: HttpRequest) -> Who:
    """Where a request comes from, as payments.guest_limits counts it."""
    address = address_key(request)
    net = ipaddress.ip_network(address.partition("/")[0])
    network = ipaddress.ip_network(f"{net.network_address}/{24 if net.version == 4 else 48}", strict=False)
    browser = request.META.get("CSRF_COOKIE") or request.session.session_key or ""
    return Who(browser=str(browser), address=address, network=str(network))


def has_proof(who: Who, form: ProofForm) -> bool:
    """Whether the challenge's proof came with a form, where one was asked for."""
    if not form.is_valid():
        return False
    given = form.cleaned_data
    return guest_challenge.is_met(who, solution=given.get("altcha", ""), ticket=given.get("ticket", ""))


def refused(refusal: CheckoutError) -> tuple[int, dict[str, Any] | None]:
    """The status of a refusal, and the challenge that goes with it."""
    if isinstance(refusal, ChallengeNeeded):
        return INVALID, {
            "json": guest_challenge.issue(),
            "ticket": guest_challenge.waiting_ticket(),
            "wait_seconds": guest_challenge.WAIT_SECONDS,
            "language": (get_language() or settings.LANGUAGE_CODE)[:2],
        }
    return {TooManyTries: TOO_MANY, Closed: CLOSED}.get(type(refusal), INVALID), None


def draw_form_key() -> str:
    """A key for one form: what is sent twice is one payment."""
    return secrets.token_urlsafe(18)


def steps() -> list[str]:
    """The steps of a guest's payment."""
    return [_("Bill"), _("Amount"), _("Payment method"), _("Review and confirm")]


def _is_spent(form: AmountForm) -> bool:
    return "form_key" in form.errors
