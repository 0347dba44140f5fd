"""Refusing card numbers that are typed where they do not belong: no route of the portal has a card field (FAULTS M01).

Cards are typed into the provider's own frame. A number that reaches us by form, JSON, query, path or header is refused
before any view sees it, and is written nowhere.
"""

import logging
import re
from collections.abc import Callable, Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.policies import Policy

logger = logging.getLogger(__name__)

MAX_SCANNED_BYTES = 2 * 1024 * 1024  # as much as a body may hold (DATA_UPLOAD_MAX_MEMORY_SIZE)
_DIGITS = re.compile(r"(?<![^\W_])(?:\d[ -]?){12,18}\d(?![^\W_])")
# The networks' number ranges and lengths (ISO/IEC 7812): other long numbers, as of claims, are not cards.
_NETWORKS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12,14}|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|3(?:0[0-5]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}"
)
_OWN_HEADERS = frozenset({"Cookie", "Authorization", "X-Csrftoken"})  # secrets of ours, never typed by hand


def has_card_number(text: str) -> bool:
    """Whether a text holds what can be a card number: of a network's range and length, with the right check digit."""
    for found in _DIGITS.finditer(text):
        digits = "".join(str(int(sign)) for sign in found[0] if sign.isdigit())
        if _NETWORKS.fullmatch(digits) and _luhn(digits):
            return True
    return False


class CardNumberMiddleware:
    """Answers 400 to a request that carries a card number, with words that say what to do instead."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponseBase | None:
        """Look at all that a person can have typed. Other systems' signed calls are left alone."""
        if getattr(view, "access_policy", None) is Policy.MACHINE:
            return None
        if not any(has_card_number(text) for text in _texts(request)):
            return None
        match = request.resolver_match
        logger.warning("a card number was refused at the route %s", match.route if match else "")
        detail = _(
            "Never send a card number here. Card details are typed only into the secure form at the payment step."
        )
        if _is_json(request):
            problem = {"type": "about:blank", "code": "card_number_refused", "detail": detail, "errors": []}
            return JsonResponse(problem, status=400, content_type="application/problem+json")
        next_route = "guest_pay" if request.path.startswith("/guest-pay/") else "pay"
        context = {"detail": detail, "next_address": reverse(next_route)}  # the page repeats nothing of what was sent
        return render(request, "payments/card_number_refused.html", context, status=400)


def _texts(request: HttpRequest) -> Iterator[str]:
    yield request.path
    for values in (request.GET,) if _is_json(request) else (request.GET, request.POST):
        for name, found in values.lists():
            yield name
            yield from found
    for name, value in request.headers.items():
        if name not in _OWN_HEADERS:
            yield value
    if request.method not in ("GET", "HEAD") and not (request.content_type or "").startswith(
        ("multipart/", "application/x-www-form-urlencoded")
    ):
        yield request.body[:MAX_SCANNED_BYTES].decode(errors="replace")


def _is_json(request: HttpRequest) -> bool:
    return "json" in (request.content_type or "")


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + position % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
