"""Two methods for one payment: how much the first pays; and paying what of it did not go through."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from bills.models import Bill
from ledger.money import InvalidAmount, format_usd, parse_usd
from payments import eligibility, legs, pacing, parts, receipts, splitting
from payments.checkout import CheckoutError
from payments.forms import PartForm
from payments.offering import is_payable
from payments.pages import pay
from payments.states import PaymentStatus


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def part(request: MemberRequest, number: str) -> HttpResponse:
    """Ask how much the first method pays, and lead on to choose it; or go back to one method for all."""
    payment = pay.own(request, number)
    if payment.status != PaymentStatus.DRAFT or payment.scheduled_on is not None:
        return redirect(pay.where(payment))
    if not is_payable(payment, request.scope):
        return pay.no_longer(request)
    is_joining = request.method == "POST" and "join" in request.POST
    form = PartForm(
        request.POST if request.method == "POST" and not is_joining else None,
        initial={"amount": _suggested(request.GET.get("amount", ""))},
    )
    try:
        if is_joining:
            return redirect("pay_method", splitting.join(payment).number)
        if form.is_bound and form.is_valid():
            splitting.part(payment, first_cents=form.cleaned_data["amount"])
            return redirect("pay_method", payment.number)
    except CheckoutError as error:
        form.add_error("amount" if form.is_bound else None, str(error))
    most_cents = eligibility.most_cents(payment) if payment.kind == Bill.Kind.MEDICAL else payment.amount_cents
    context = {
        **receipts.summary(payment, request.scope),
        "whole": parts.of(payment, request.scope),
        "steps": pay.steps(),
        "form": form,
        "position": len(legs.of(payment)),
        "pretax_cents": most_cents if most_cents < payment.amount_cents else 0,
    }
    return render(request, "pay/split.html", context, status=pay.INVALID if form.errors else 200)


@allow(Policy.MEMBER)
@require_POST
def again(request: MemberRequest, number: str) -> HttpResponse:
    """Start a payment of what did not go through, for another method."""
    payment = pay.own(request, number)
    try:
        pacing.before_begin(request.user)
        draft = splitting.rest_again(payment, request.scope)
    except CheckoutError as error:
        pay.tell(request, str(error))
        return redirect("payment", payment.number)
    if draft.status != PaymentStatus.DRAFT:
        return redirect(pay.where(draft))
    return redirect(f"{reverse('pay_method', args=[draft.number])}?{urlencode({'after': payment.number})}")


def _suggested(text: str) -> str:
    """An amount out of an address, as it is typed; empty where it is none."""
    try:
        return format_usd(parse_usd(text)).removeprefix("$")
    except InvalidAmount:
        return ""
