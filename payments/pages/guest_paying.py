"""Guest pay, the second half: method, review, the bank's own question, and the receipt.

Every view starts from `guests.own`: a payment of another visit does not exist (FAULTS G07).
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.policies import Policy, allow
from accounts.requests import client_address
from bills import pdf as documents
from payments import (
    checkout,
    declines,
    guest_limits,
    guest_receipts,
    guests,
    mandates,
    methods,
    wording,
)
from payments.checkout import CheckoutError, NotADraft
from payments.guest_forms import MethodForm, ReviewForm
from payments.models import Payment, PaymentMethod
from payments.pages import stripe_pages
from payments.pages.acceptance import acceptance_of
from payments.pages.guest import INVALID, ended, has_proof, refused, steps, who_asks
from payments.pages.stripe_pages import with_stripe
from payments.provider import GatewayError, Refused
from payments.states import PaymentStatus


@allow(Policy.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def method(request: HttpRequest, number: str) -> HttpResponse:
    """Type a card or a bank account into the provider's frame, or choose Apple Pay there."""
    payment = own(request, number)
    if payment.status != PaymentStatus.DRAFT:
        return redirect(where(payment))
    if not guests.may_go_on(payment):
        return ended(request)
    form = MethodForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = INVALID
        if form.is_valid():
            try:
                guest_limits.before_method(who_asks(request), guests.visit_of(request.session))
                _choose(request, payment, form.cleaned_data["confirmation_token"])
                return redirect("guest_review", payment.number)
            except CheckoutError as refusal:
                status, _challenge = refused(refusal)
                form.add_error(None, str(refusal))
    context = {
        **_told(payment),
        "form": form,
        "declined": _declined(request),
        "stripe": stripe_pages.settings_to_pay(payment, back="guest_return"),
    }
    return with_stripe(render(request, "guest/method.html", context, status=status))


@allow(Policy.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, number: str) -> HttpResponse:
    """What will be charged to what, and where the receipt goes; the button that charges it, once."""
    payment = own(request, number)
    if payment.status != PaymentStatus.DRAFT:
        return redirect(where(payment))
    if not payment.confirmation_token:
        return redirect("guest_method", payment.number)
    form = ReviewForm(request.POST if request.method == "POST" else None)
    status, challenge = 200, None
    if request.method == "POST":
        status = INVALID
        if form.is_valid():
            try:
                return _after(request, _confirm(request, payment, form))
            except CheckoutError as refusal:
                status, challenge = refused(refusal)
                form.add_error(None, str(refusal))
    context = {
        **_told(payment),
        "form": form,
        "challenge": challenge,
        "mandate_text": mandates.text_for_payment(payment) if mandates.is_needed(payment) else "",
        "is_bank_debit": payment.method_kind == PaymentMethod.Kind.BANK_ACCOUNT,
    }
    return render(request, "guest/review.html", context, status=status)


@allow(Policy.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def authenticate(request: HttpRequest, number: str) -> HttpResponse:
    """The bank's own question to the guest (3-D Secure); posted to, it gives the payment up."""
    payment = own(request, number)
    if payment.status != PaymentStatus.REQUIRES_ACTION or not payment.stripe_payment_intent_id:
        return redirect(where(payment))
    if request.method == "POST":
        try:
            payment = checkout.abandon(payment, actor="guest")
        except GatewayError:
            messages.error(request, str(declines.CANNOT_CANCEL_NOW))
        return redirect("guest_receipt", payment.number)
    intent = stripe_pages.intent_of(payment)
    if intent is not None and intent.status != "requires_action":
        return redirect("guest_return", payment.number)
    context = {
        **_told(payment),
        "client_secret": intent.client_secret if intent else "",
        "starts_at_once": "again" not in request.GET,
        "stripe": stripe_pages.settings_to_pay(payment, back="guest_return"),
    }
    return with_stripe(render(request, "guest/authenticate.html", context))


@allow(Policy.PUBLIC)
@require_safe
def returned(request: HttpRequest, number: str) -> HttpResponse:
    """Where the browser comes back to from the bank."""
    payment = own(request, number)
    try:
        ended_now = stripe_pages.ended(request, payment)
    except GatewayError:
        return redirect("guest_receipt", payment.number)
    if ended_now is not None:
        guests.note(request.session, ended_now)
    return _after(request, ended_now or payment, is_back=True)


@allow(Policy.PUBLIC)
@require_safe
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt, in whatever state the payment is: it discloses nothing."""
    payment = own(request, number)
    if payment.status == PaymentStatus.DRAFT:
        return redirect(where(payment))
    return render(request, "guest/receipt.html", _receipt(payment))


@allow(Policy.PUBLIC)
@require_safe
def pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The receipt as a PDF, tagged for screen readers."""
    payment = own(request, number)
    if payment.status == PaymentStatus.DRAFT:
        return redirect(where(payment))
    try:
        guest_limits.before_document(who_asks(request), guests.visit_of(request.session))
    except CheckoutError as refusal:
        messages.error(request, str(refusal))
        return redirect("guest_receipt", payment.number)
    made = documents.rendered("guest/receipt_pdf.html", _receipt(payment), request)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{payment.number}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def own(request: HttpRequest, number: str) -> Payment:
    """The payment of this number, of this browser's visit. Raises Http404 for everything else."""
    payment = guests.own(request.session, number)
    if payment is None:
        raise Http404("no such payment in this visit")
    return payment


def where(payment: Payment) -> str:
    """The address at which a payment stands now."""
    name = {PaymentStatus.REQUIRES_ACTION: "guest_authenticate", PaymentStatus.DRAFT: "guest_method"}
    return reverse(name.get(PaymentStatus(payment.status), "guest_receipt"), args=[payment.number])


def _confirm(request: HttpRequest, payment: Payment, form: ReviewForm) -> Payment:
    """Send it. Raises CheckoutError."""
    who = who_asks(request)
    return guests.confirm(
        request.session,
        payment,
        who=who,
        has_proof=has_proof(who, form),
        acceptance=acceptance_of(request),
        email=form.cleaned_data["email"],
    )


def _choose(request: HttpRequest, payment: Payment, token: str) -> None:
    """Choose what the token names. Raises CheckoutError."""
    try:
        checkout.choose(
            payment,
            confirmation_token=token,
            consent_address=client_address(request),
            consent_version=methods.CONSENT_VERSION,
        )
    except Refused as error:
        raise NotADraft(str(declines.DETAILS)) from error
    except GatewayError as error:
        raise NotADraft(str(declines.CANNOT_PAY_NOW)) from error


def _after(request: HttpRequest, payment: Payment, *, is_back: bool = False) -> HttpResponse:
    """Lead on from the provider's answer: after a decline, to the method step of the same amount."""
    draft = guests.again(request.session, payment)
    if draft is not None and draft.status == PaymentStatus.DRAFT:
        address = reverse("guest_method", args=[draft.number])
        return redirect(f"{address}?{urlencode({'after': payment.number})}")
    if draft is not None:
        return redirect(where(draft))
    is_asked_again = is_back and payment.status == PaymentStatus.REQUIRES_ACTION
    return redirect(where(payment) + ("?again=1" if is_asked_again else ""))


def _told(payment: Payment) -> dict[str, Any]:
    """What every step says of a payment."""
    return {
        "payment": payment,
        "bill_number": guests.bill_paid(payment).number,
        "method": wording.method_of(payment),
        "expected_on": guest_receipts.expected_on(payment),
        "steps": steps(),
    }


def _receipt(payment: Payment) -> dict[str, Any]:
    return {
        "payment": payment,
        "receipt": guest_receipts.of(payment),
        "support_phone": settings.SUPPORT_PHONE,
        "printed_at": timezone.now(),
    }


def _declined(request: HttpRequest) -> str:
    """Why the payment before this draft failed, in words; empty where there was none."""
    number = request.GET.get("after", "")
    failed = guests.own(request.session, number) if number and "\0" not in number else None
    is_failed = failed is not None and failed.status == PaymentStatus.FAILED
    return str(declines.text_of(failed.failure_code)) if failed is not None and is_failed else ""
