"""One payment: its page, which refreshes itself while the outcome is unknown, and its PDF."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import looking, rate_limits
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from bills import pdf as documents
from payments import declines, parts, receipts
from payments.models import Payment
from payments.offering import offered
from payments.states import PaymentStatus

POLLING = dt.timedelta(minutes=10)  # after it the page no longer asks by itself


@allow(Policy.MEMBER)
@require_safe
def receipt(request: MemberRequest, number: str) -> HttpResponse:
    """The receipt, in whatever state the payment is; one that waits for its day has a page of its own."""
    context = _context(request, number)
    payment = context["payment"]
    if payment.status == PaymentStatus.DRAFT and payment.scheduled_on is not None:
        return redirect("payment_schedule", payment.number)
    return render(request, "payments/receipt.html", context)


@allow(Policy.MEMBER)
@require_safe
def status(request: MemberRequest, number: str) -> HttpResponse:
    """The part of the receipt that changes, for htmx: it asks again while the outcome is unknown."""
    context = _context(request, number)
    response = render(request, "payments/_state.html", context)
    if not context["is_polling"]:
        response["HX-Refresh"] = "true"  # the rest of the page has changed as well
    return response


@allow(Policy.MEMBER)
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def pdf(request: MemberRequest, number: str) -> HttpResponse:
    """The receipt as a PDF, tagged for screen readers."""
    context = _context(request, number)
    made = documents.rendered("payments/receipt_pdf.html", context, request)
    name = f"receipt-{context['payment'].number}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def _context(request: MemberRequest, number: str) -> dict[str, Any]:
    payment = get_object_or_404(Payment.objects.visible_to(request.scope).select_related("payer"), number=number)
    found = receipts.of(payment, request.scope)
    for member_id in sorted({line.member_id for line in found.lines if line.member_id is not None}):
        looking.at(request, f"payment:{payment.number}", member_id)
    whole = parts.of(payment, request.scope)
    is_young = timezone.now() - (payment.submitted_at or payment.created_at) < POLLING
    return {
        "receipt": found,
        "payment": payment,
        "whole": whole,
        "is_polling": (found.is_undecided or whole.is_undecided) and is_young,
        "other_kind": _other_kind(request, found),
        "declined": _why(payment),
        "support_phone": settings.SUPPORT_PHONE,
        "printed_at": timezone.now(),
    }


def _why(payment: Payment) -> str:
    """Why nothing was charged: a decline, or what ended a payment that waited for its day."""
    has_reason = payment.status == PaymentStatus.FAILED or (
        payment.status == PaymentStatus.CANCELED and payment.scheduled_on is not None
    )
    return str(declines.text_of(payment.failure_code, label=payment.method_label)) if has_reason else ""


def _other_kind(request: MemberRequest, found: receipts.Receipt) -> str:
    """The kind that this payment could not be for, where something of it is to be paid; else empty."""
    if not found.is_own or found.is_retryable:
        return ""
    return next((group.kind for group in offered(request.scope) if group.kind != found.payment.kind), "")
