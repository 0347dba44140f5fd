"""Overpaid money: what there is of it and why, and what the member wants done with it."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import looking
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from ledger.money import format_usd
from payments import overpaid, refunds
from payments.models import CreditMove, Refund
from payments.overpaid import Overpaid, OverpaidError
from payments.overpaid_forms import AskBackForm, MoveForm

INVALID = 422


@allow(Policy.MEMBER)
@require_safe
def overpaid_money(request: MemberRequest) -> HttpResponse:
    """Everything that is overpaid and left, the latest first."""
    found = overpaid.found(request.scope)
    looking.at_members(request, (one.source.bill.member_id for one in found if one.source.bill is not None), "overpaid")
    context = {"found": found, "total_cents": sum(one.source.left_cents for one in found)}
    return render(request, "payments/overpaid.html", context)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def overpaid_one(request: MemberRequest, source_id: int) -> HttpResponse:
    """One source: put it to another bill, or ask it back."""
    one = overpaid.one(request.scope, source_id)
    if one is None:
        if CreditMove.objects.filter(source_id=source_id, moved_by=request.user).exists():  # a second click, or back
            messages.info(request, _("Nothing is left of it: it was used already."))
            return redirect("overpaid")
        raise Http404("nothing overpaid of this id that the viewer sees")
    if one.source.bill is not None:
        looking.at(request, f"overpaid:{source_id}", one.source.bill.member_id)
    posted = request.POST.get("wish") if request.method == "POST" else None
    targets = overpaid.targets(request.scope, one) if one.can_act else []
    returnable = overpaid.returnable_cents(one) if one.can_act else 0
    move = MoveForm(targets, request.scope, request.POST if posted == "move" else None)
    back = AskBackForm(returnable, request.POST if posted == "back" else None)
    if move.is_bound and move.is_valid() and _moved(request, one, move):
        return redirect("overpaid")
    if back.is_bound and back.is_valid() and _asked_back(request, one, back):
        return redirect("overpaid")
    context: dict[str, Any] = {
        "one": one,
        "move": move if targets else None,
        "back": back if returnable else None,
        "returnable_cents": returnable,
        "form_key": secrets.token_urlsafe(16),
        "support_phone": settings.SUPPORT_PHONE,
    }
    return render(request, "payments/overpaid_one.html", context, status=INVALID if posted is not None else 200)


def _moved(request: MemberRequest, one: Overpaid, form: MoveForm) -> bool:
    asked = form.cleaned_data
    try:
        made = overpaid.move(
            request.scope, one, user=request.user, bill_number=asked["bill"], amount_cents=asked["amount"],
            form_key=asked["form_key"],
        )  # fmt: skip
    except OverpaidError as error:
        form.add_error(None, str(error))
        return False
    assert made.bill is not None
    told = {"amount": format_usd(made.amount_cents), "number": made.bill.number}
    messages.success(request, _("%(amount)s now pays bill %(number)s.") % told)
    return True


def _asked_back(request: MemberRequest, one: Overpaid, form: AskBackForm) -> bool:
    asked = form.cleaned_data
    try:
        made = overpaid.ask_back(one, user=request.user, amount_cents=asked["amount"], form_key=asked["form_key"])
    except (OverpaidError, refunds.RefundError) as error:
        form.add_error(None, str(error) if isinstance(error, OverpaidError) else _("It cannot be sent back now."))
        return False
    failed = [refund for refund in made if refund.status in (Refund.Status.FAILED, Refund.Status.CANCELED)]
    if failed:
        messages.error(request, _("It could not be sent back. Nothing is lost: Member Services looks into it."))
        return True
    told = {"amount": format_usd(sum(refund.amount_cents for refund in made))}
    messages.success(request, _("%(amount)s is on its way back to the method that paid it.") % told)
    return True
