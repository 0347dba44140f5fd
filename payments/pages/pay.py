"""The three steps of paying: amounts, method, review. What is confirmed twice is charged once (payments.checkout)."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import looking
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest, client_address
from bills.models import Bill
from payments import (
    checkout,
    declines,
    eligibility,
    legs,
    mandates,
    methods,
    offering,
    pacing,
    parts,
    receipts,
    retrying,
    splitting,
    wording,
)
from payments.autopay import confirming
from payments.checkout import CheckoutError
from payments.eligibility import Attestation
from payments.forms import NEW, AmountsForm, MethodForm
from payments.models import Payment, PaymentMethod
from payments.offering import is_payable, offered
from payments.pages import stripe_pages
from payments.pages.acceptance import acceptance_of
from payments.pages.stripe_pages import with_stripe
from payments.provider import GatewayError, Refused
from payments.states import PaymentStatus

INVALID = 422


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def amounts(request: MemberRequest) -> HttpResponse:
    """Step 1: how much of which bills. Each group of bills is one charge, with its own button."""
    numbers = list(dict.fromkeys(request.GET.getlist("bill")))
    if any("\0" in number for number in numbers):
        raise Http404("no number of a bill")
    groups = offered(request.scope, numbers)
    if numbers and sum(len(group.offers) for group in groups) < len(numbers):
        raise Http404("a bill that is not there to pay")
    looking.at_members(request, (offer.bill.member_id for group in groups for offer in group.offers), "pay")
    posted = request.POST.get("group") if request.method == "POST" else None
    forms = [
        AmountsForm(group, request.POST if group.key == posted else None, checks_all=not numbers) for group in groups
    ]
    chosen = next((form for form in forms if form.is_bound), None)
    if chosen is not None and chosen.is_valid():
        try:
            pacing.before_begin(request.user)
            payment = checkout.begin(request.scope, payer=request.user, amounts=chosen.amounts())
        except CheckoutError as error:
            chosen.add_error(None, str(error))
        else:
            return redirect("pay_method", payment.number)
    context = {
        "forms": forms,
        "is_part": bool(numbers),
        "is_gone": posted is not None and chosen is None,
        "steps": steps(),
    }
    return render(request, "pay/amounts.html", context, status=INVALID if posted is not None else 200)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def method(request: MemberRequest, number: str) -> HttpResponse:
    """Step 2: a saved method, or a card typed into Stripe's own frame."""
    payment = own(request, number)
    if payment.status != PaymentStatus.DRAFT or payment.scheduled_on is not None:
        return redirect(where(payment))
    if not is_payable(payment, request.scope):
        return no_longer(request)
    saved = list(PaymentMethod.objects.visible_to(request.scope).ready().order_by("-is_default", "-created_at"))
    form = MethodForm([kept for kept in saved if not methods.is_expired(kept)], request.POST or None)
    part_cents = 0
    if request.method == "POST" and form.is_valid():
        if (error := _choose(request, payment, form)) is None:
            waiting = splitting.unchosen(payment)
            return redirect("pay_review" if waiting is None else "pay_method", (waiting or payment).number)
        form.add_error(None, error)
        part_cents = eligibility.most_cents(payment) if payment.kind == Bill.Kind.MEDICAL else 0
    choices = offering.choices(payment, saved)
    shared = legs.of(payment)
    taken = [leg.method_id for leg in shared if leg.method_id is not None and leg.pk != payment.pk]
    context = {
        **receipts.summary(payment, request.scope),
        "whole": parts.of(payment, request.scope),
        "steps": steps(),
        "form": form,
        "choices": choices,
        "selected": form.data.get("method") or offering.preselected(payment, choices, taken) or NEW,
        "exceptions": eligibility.exceptions_for(payment) if payment.kind == Bill.Kind.PREMIUM else [],
        "labels": [choice for choice in PaymentMethod.Label.choices if choice[0]],
        "position": [leg.pk for leg in shared].index(payment.pk) + 1,
        "can_part": len(shared) < splitting.MAX_LEGS and payment.amount_cents >= 2 * checkout.MIN_CENTS,
        "part_cents": part_cents if part_cents >= checkout.MIN_CENTS else 0,
        "new": NEW,
        "declined": _declined(request, payment),
        "consent_text": methods.consent_text(settings.PORTAL_NAME),
        "stripe": stripe_pages.settings_to_pay(payment, back="payment_return"),
    }
    return with_stripe(render(request, "pay/method.html", context, status=INVALID if form.errors else 200))


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: MemberRequest, number: str) -> HttpResponse:
    """Step 3: what will be charged, to what, and when it posts; the button that charges it, once."""
    payment = own(request, number)
    if payment.status != PaymentStatus.DRAFT:
        return redirect(where(payment))
    if not is_payable(payment, request.scope):
        return no_longer(request)
    if (waiting := splitting.unchosen(payment)) is not None:
        return redirect("pay_method", waiting.number)
    if payment.scheduled_on is not None:
        return redirect("payment_schedule", payment.number)
    shared = legs.of(payment)
    error = ""
    if request.method == "POST":
        try:
            pacing.before_confirm(request.user)
            return _after(request, checkout.confirm(payment, acceptance=acceptance_of(request)))
        except CheckoutError as refusal:
            error = str(refusal)
    context = {
        **receipts.summary(payment, request.scope),
        "whole": parts.of(payment, request.scope),
        "steps": steps(),
        "method": wording.method_of(payment),
        "mandate_texts": [mandates.text_for_payment(leg) for leg in shared if mandates.is_needed(leg)],
        "is_bank_debit": any(leg.method_kind == PaymentMethod.Kind.BANK_ACCOUNT for leg in shared),
        "attestation": Attestation(payment.attestation).label if payment.attestation else "",
        "error": error,
        "change_url": f"{reverse('pay')}?{urlencode({'bill': _bill_numbers(payment)}, doseq=True)}",
    }
    return render(request, "pay/review.html", context, status=INVALID if error else 200)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def authenticate(request: MemberRequest, number: str) -> HttpResponse:
    """The bank's own question to the payer (3-D Secure); posted to, it gives the payment up."""
    payment = own(request, number)
    if payment.status != PaymentStatus.REQUIRES_ACTION or not payment.stripe_payment_intent_id:
        return redirect(where(payment))
    if request.method == "POST":
        is_going_on = "confirm" in request.POST  # a charge that began without the payer
        try:
            if is_going_on:
                return redirect(where(confirming.begin(payment)))
            payment = checkout.abandon(payment, actor=f"user:{request.user.pk}")
        except GatewayError:
            messages.error(request, str(declines.CANNOT_PAY_NOW if is_going_on else declines.CANNOT_CANCEL_NOW))
        return redirect("payment", payment.number)
    intent = stripe_pages.intent_of(payment)
    is_unasked = confirming.waits(payment, intent)
    if intent is not None and intent.status != "requires_action" and not is_unasked:
        return redirect("payment_return", payment.number)
    context = {
        **receipts.summary(payment, request.scope),
        "whole": parts.of(payment, request.scope),
        "method": wording.method_of(payment),
        "client_secret": intent.client_secret if intent and not is_unasked else "",
        "is_unasked": is_unasked,
        "starts_at_once": "again" not in request.GET,
        "stripe": stripe_pages.settings_to_pay(payment, back="payment_return"),
    }
    return with_stripe(render(request, "pay/authenticate.html", context))


@allow(Policy.MEMBER)
@require_safe
def returned(request: MemberRequest, number: str) -> HttpResponse:
    """Where the browser comes back to from the bank: asks the provider how it ended, and leads on."""
    payment = own(request, number)
    try:
        payment = stripe_pages.ended(request, payment) or payment
    except GatewayError:
        return redirect("payment", payment.number)
    return _after(request, payment, is_back=True)


def steps() -> list[str]:
    return [_("Amount"), _("Payment method"), _("Review and confirm")]


def tell(request: MemberRequest, text: str) -> None:
    """Say at the top of the next page why something could not be done."""
    messages.error(request, text)


def own(request: MemberRequest, number: str) -> Payment:
    """The viewer's own payment of this number. Raises Http404 for everything else."""
    mine = Payment.objects.visible_to(request.scope).filter(payer_id=request.scope.user_id)
    return get_object_or_404(mine.select_related("payer", "method"), number=number)


def where(payment: Payment) -> str:
    """The address at which a payment stands now."""
    if payment.status == PaymentStatus.DRAFT and payment.scheduled_on is not None:
        return reverse("payment_schedule", args=[payment.number])
    name = {PaymentStatus.REQUIRES_ACTION: "pay_authenticate", PaymentStatus.DRAFT: "pay_method"}
    return reverse(name.get(PaymentStatus(payment.status), "payment"), args=[payment.number])


def no_longer(request: MemberRequest) -> HttpResponse:
    """A bill of the draft was voided or withdrawn from the viewer: back to what can be paid."""
    messages.error(request, _("One of these bills can no longer be paid. Nothing was charged. Choose again below."))
    return redirect("pay")


def _after(request: MemberRequest, payment: Payment, *, is_back: bool = False) -> HttpResponse:
    """Lead on from the provider's answer: after a decline, to the method step of the same amounts.

    Who is back from the bank without an answer starts its question anew by hand, so that nothing goes round in circles.
    """
    if payment.split_id is not None:
        return _after_parts(payment, is_back=is_back)
    draft = retrying.again(payment, request.scope)
    if draft is not None and draft.status == PaymentStatus.DRAFT:
        address = reverse("pay_method", args=[draft.number])
        return redirect(f"{address}?{urlencode({'after': payment.number})}")
    if draft is not None:
        return redirect(where(draft))
    is_asked_again = is_back and payment.status == PaymentStatus.REQUIRES_ACTION
    return redirect(where(payment) + ("?again=1" if is_asked_again else ""))


def _after_parts(payment: Payment, *, is_back: bool) -> HttpResponse:
    """Lead on where several methods share the checkout: to a bank that asks, else to the one receipt of all."""
    asking = [leg for leg in legs.of(payment) if leg.status == PaymentStatus.REQUIRES_ACTION]
    asked = next((leg for leg in asking if leg.pk == payment.pk), None) if is_back else None
    if asked is None and asking:
        return redirect("pay_authenticate", asking[0].number)
    return redirect(where(asked) + "?again=1" if asked is not None else reverse("payment", args=[payment.number]))


def _choose(request: MemberRequest, payment: Payment, form: MethodForm) -> str | None:
    """Choose what the form says; what to tell the member where that cannot be."""
    try:
        checkout.choose(
            payment,
            method=form.chosen(),
            confirmation_token=form.cleaned_data["confirmation_token"] or "",
            saves_method=form.cleaned_data["saves_method"],
            consent_address=client_address(request),
            consent_version=methods.CONSENT_VERSION,
            label=form.cleaned_data["label"],
            attestation=form.cleaned_data["attestation"],
        )
    except Refused:
        return str(declines.DETAILS)
    except GatewayError:
        return str(declines.CANNOT_PAY_NOW)
    except CheckoutError as error:
        return str(error)
    return None


def _declined(request: HttpRequest, payment: Payment) -> str:
    """Why the payment before this draft failed, in words; empty where there was none."""
    number = request.GET.get("after")
    if not number or "\0" in number:
        return ""
    failed = Payment.objects.filter(number=number, payer=payment.payer, status=PaymentStatus.FAILED).first()
    return str(declines.text_of(failed.failure_code, label=failed.method_label)) if failed is not None else ""


def _bill_numbers(payment: Payment) -> list[str]:
    return list(payment.allocations.order_by("pk").values_list("bill__number", flat=True))
