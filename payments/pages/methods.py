"""Saved cards: the list, a name of one's own, the default, removal."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from payments import methods, wording
from payments.forms import NicknameForm
from payments.models import PaymentMethod


@allow(Policy.MEMBER)
@require_safe
def payment_methods(request: MemberRequest) -> HttpResponse:
    """The methods that the viewer has kept."""
    kept = PaymentMethod.objects.visible_to(request.scope).usable().order_by("-is_default", "-created_at")
    rows = [
        (wording.option(method), NicknameForm(initial={"nickname": method.nickname}, auto_id=f"id_%s_{method.pk}"))
        for method in kept
    ]
    return render(request, "payments/methods.html", {"rows": rows, "most": methods.MAX_METHODS})


@allow(Policy.MEMBER)
@require_POST
def rename(request: MemberRequest, method_id: int) -> HttpResponse:
    """Give a method a name of one's own."""
    method = _own(request, method_id)
    form = NicknameForm(request.POST)
    if form.is_valid():
        methods.rename(method, nickname=form.cleaned_data["nickname"])
        messages.success(request, _("The name was changed."))
    else:
        messages.error(request, _("The name was not changed: use at most 60 letters."))
    return redirect("payment_methods")


@allow(Policy.MEMBER)
@require_POST
def make_default(request: MemberRequest, method_id: int) -> HttpResponse:
    """Offer a method first from now on."""
    method = _own(request, method_id)
    methods.make_default(method)
    messages.success(request, _("%(method)s is your default now.") % {"method": wording.saved(method)})
    return redirect("payment_methods")


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, method_id: int) -> HttpResponse:
    """Ask whether to remove a method; posted to, remove it."""
    method = _own(request, method_id)
    if request.method == "POST":
        methods.remove(method, actor=f"user:{request.user.pk}")
        messages.success(request, _("%(method)s was removed.") % {"method": wording.saved(method)})
        return redirect("payment_methods")
    return render(request, "payments/method_remove.html", {"option": wording.option(method)})


def _own(request: MemberRequest, method_id: int) -> PaymentMethod:
    return get_object_or_404(PaymentMethod.objects.visible_to(request.scope).usable(), pk=method_id)
