"""Letting one person of the household pay with a method, and ending that."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import reauthentication
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from payments import sharing, wording
from payments.method_forms import ShareForm
from payments.models import MethodShare
from payments.pages.methods import own
from payments.sharing import NotShared


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: MemberRequest, method_id: int) -> HttpResponse:
    """Choose who may pay with a method."""
    method = own(request, method_id)
    members = sharing.candidates(request.user)
    form = ShareForm(members, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sharing.share(method, member=form.chosen())
        except NotShared as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s can pay with it now.") % {"name": form.chosen().full_name})
            return redirect("payment_methods")
    context = {"option": wording.option(method), "form": form, "members": members}
    return render(request, "payments/method_share.html", context, status=422 if form.errors else 200)


@allow(Policy.MEMBER)
@require_POST
def end(request: MemberRequest, share_id: int) -> HttpResponse:
    """End a share of one's own method, at once."""
    mine = MethodShare.objects.filter(method__user_id=request.scope.user_id, ended_at__isnull=True)
    found = get_object_or_404(mine.select_related("member"), pk=share_id)
    sharing.end(found, reason="ended by owner", actor=f"user:{request.user.pk}")
    messages.success(request, _("%(name)s can no longer pay with it.") % {"name": found.member.full_name})
    return redirect("payment_methods")
