"""The page of confidential communications: for oneself alone."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import confidentiality, reauthentication
from accounts.confidential_forms import ConfidentialForm
from accounts.models import Member
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def confidential(request: MemberRequest) -> HttpResponse:
    """Ask that what concerns oneself reaches oneself alone, or change where it goes."""
    mine = _mine(request)
    if not mine:
        return redirect("family")
    stands = confidentiality.standing(mine[0])
    first = {name: getattr(stands, name) for name in confidentiality.FIELDS} if stands else None
    addresses = confidentiality.addresses_of(request.user)
    form = ConfidentialForm(addresses, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        for member in mine:
            confidentiality.begin(member, where=form.cleaned_data, actor=f"user:{request.user.pk}")
        messages.success(request, _("It is in force now, also for everything that was about to be sent."))
        return redirect("confidential")
    context = {"form": form, "stands": stands, "is_on": mine[0].is_confidential, "is_holder": mine[0].is_primary_holder}
    return render(request, "family/confidential.html", context, status=422 if form.errors else 200)


@allow(Policy.MEMBER)
@require_POST
@reauthentication.required
def confidential_withdraw(request: MemberRequest) -> HttpResponse:
    """End it: after proving who one is, since another may sit at the same screen."""
    mine = _mine(request)
    if not mine:
        raise Http404("nobody of one's own")
    for member in mine:
        confidentiality.withdraw(member, actor=f"user:{request.user.pk}")
    messages.success(request, _("It has ended. The account holder sees your bills again as before."))
    return redirect("confidential")


def _mine(request: MemberRequest) -> list[Member]:
    """The viewer's own members, in every household."""
    return list(Member.objects.people().visible_to(request.scope).filter(pk__in=request.scope.own_ids).order_by("pk"))
