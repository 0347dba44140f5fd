"""The page on which a grown child lets the account holder see again: for oneself alone."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import reauthentication, sight
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def sight_page(request: MemberRequest) -> HttpResponse:
    """Let the holder see and pay, or take that back: after proving who one is, since a parent may sit at the screen."""
    mine = sight.may_give(request.scope)
    if request.method == "POST":
        actor, wanted = f"user:{request.user.pk}", request.POST.get("holder", "")
        change = {"sees": sight.give, "sees_not": sight.take_back}.get(wanted)
        changed = [change(member, request.scope, actor=actor) for member in mine] if change else []
        if any(changed) and wanted == "sees":
            messages.success(request, _("The account holder sees and can pay your bills again."))
        elif any(changed):
            messages.success(request, _("From now on only you see your bills."))
        return redirect("sight")
    context = {
        "mine": mine, "is_seen": any(member.seen_by_holder_since is not None for member in mine),
        "is_confidential": any(member.is_confidential for member in mine),
    }  # fmt: skip
    return render(request, "family/sight.html", context)
