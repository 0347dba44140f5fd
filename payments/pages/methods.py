"""Saved cards and accounts: the list, a name, a label, the default, the mandate, removal."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from payments import mandates, method_rows, methods, sharing, wording
from payments.forms import NicknameForm
from payments.method_forms import LabelForm
from payments.methods import MethodInUse
from payments.models import Payment, PaymentMethod


@allow(Policy.MEMBER)
@require_safe
def payment_methods(request: MemberRequest) -> HttpResponse:
    """The methods that the viewer has kept, and those that others share with the viewer."""
    visible = PaymentMethod.objects.visible_to(request.scope).usable().order_by("-is_default", "-created_at")
    own = [method for method in visible if method.user_id == request.scope.user_id]
    rows = [
        {
            "row": row,
            "name_form": NicknameForm(initial={"nickname": row.method.nickname}, auto_id=f"id_%s_{row.method.pk}"),
            "label_form": LabelForm(initial={"label": row.method.label}, auto_id=f"id_%s_{row.method.pk}"),
        }
        for row in method_rows.of(own)
    ]
    context = {
        "rows": rows,
        "shared": [wording.option(method) for method in visible.ready() if method.user_id != request.scope.user_id],
        "can_share": bool(sharing.candidates(request.user)),
        "most": methods.MAX_METHODS,
        "is_full": len(own) >= methods.MAX_METHODS,
    }
    return render(request, "payments/methods.html", context)


@allow(Policy.MEMBER)
@require_POST
def rename(request: MemberRequest, method_id: int) -> HttpResponse:
    """Give a method a name of one's own."""
    method = own(request, method_id)
    form = NicknameForm(request.POST)
    if form.is_valid():
        methods.rename(method, nickname=form.cleaned_data["nickname"])
        messages.success(request, _("The name was changed."))
    else:
        messages.error(request, _("The name was not changed: use at most 60 letters."))
    return redirect("payment_methods")


@allow(Policy.MEMBER)
@require_POST
def relabel(request: MemberRequest, method_id: int) -> HttpResponse:
    """Say whether a card is an HSA's or an FSA's."""
    method = own(request, method_id)
    form = LabelForm(request.POST)
    if form.is_valid():
        methods.relabel(method, label=form.cleaned_data["label"])
        messages.success(request, _("It was changed."))
    return redirect("payment_methods")


@allow(Policy.MEMBER)
@require_POST
def make_default(request: MemberRequest, method_id: int) -> HttpResponse:
    """Offer a method first from now on."""
    method = own(request, method_id)
    if method.is_ready:
        methods.make_default(method)
        messages.success(request, _("%(method)s is your default now.") % {"method": wording.saved(method)})
    else:
        messages.error(request, _("This method cannot pay at the moment."))
    return redirect("payment_methods")


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, method_id: int) -> HttpResponse:
    """Ask whether to remove a method, with what hangs on it; posted to, remove it."""
    method = own(request, method_id)
    if request.method == "POST":
        try:
            methods.remove(method, actor=f"user:{request.user.pk}")
        except MethodInUse as refusal:
            messages.error(request, str(refusal))
            return redirect("payment_method_remove", method.pk)
        messages.success(request, _("%(method)s was removed.") % {"method": wording.saved(method)})
        return redirect("payment_methods")
    context = {
        "option": wording.option(method),
        "planned": methods.scheduled_by_owner(method),
        "shares": sharing.of([method])[method.pk],
        "is_in_use": methods.is_in_use(method),
        "pays_autopay": methods.pays_autopay(method),
        "is_bank_account": method.kind == PaymentMethod.Kind.BANK_ACCOUNT,
    }
    return render(request, "payments/method_remove.html", context)


@allow(Policy.MEMBER)
@require_safe
def mandate(request: MemberRequest, method_id: int) -> HttpResponse:
    """What the owner of a bank account agreed to, word for word. Other methods have none: back to the list."""
    method = own(request, method_id)
    agreed = mandates.of_method(method)
    if agreed is None:
        return redirect("payment_methods")
    return render(request, "payments/mandate.html", {"mandate": agreed, "name": wording.saved(method)})


@allow(Policy.MEMBER)
@require_safe
def payment_mandate(request: MemberRequest, number: str) -> HttpResponse:
    """What the payer of one payment by bank account agreed to. Other payments have none: back to the payment."""
    mine = Payment.objects.visible_to(request.scope).filter(payer_id=request.scope.user_id)
    payment = get_object_or_404(mine.select_related("method"), number=number)
    agreed = mandates.of_payment(payment)
    if agreed is None or agreed.user_id != request.scope.user_id:
        return redirect("payment", payment.number)
    return render(request, "payments/mandate.html", {"mandate": agreed, "name": wording.method_of(payment)})


def own(request: MemberRequest, method_id: int) -> PaymentMethod:
    """The viewer's own method of this id, not removed. Raises Http404 for everything else, shared ones too."""
    return get_object_or_404(PaymentMethod.objects.owned_by(request.scope).usable(), pk=method_id)
