"""The pages of acting for somebody: whom one has asked, what waits for one's own yes, and how it ends."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import delegates, looking, reauthentication
from accounts.delegate_forms import AcceptForm, InviteForm
from accounts.models import Delegate, Invitation
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest

MOST_LOOKS = 50


@allow(Policy.MEMBER)
@require_safe
def delegates_page(request: MemberRequest) -> HttpResponse:
    """Who acts for the viewer and the viewer's children, for whom the viewer acts, and who looked."""
    mine = delegates.may_grant_for(request.scope)
    acting = Delegate.objects.in_force(timezone.localdate()).filter(
        user_id=request.user.pk, member_id__in=request.scope.grants
    )
    context = {
        "delegates": delegates.visible_delegates(request.scope),
        "invitations": delegates.visible_invitations(request.scope),
        "acting": list(acting.select_related("member").order_by("member__first_name", "pk")),
        "may_invite": bool(mine),
        "has_others": any(member.pk not in request.scope.own_ids for member in mine),
        "looks": looking.by_delegates(mine, most=MOST_LOOKS),
        "waiting": delegates.waiting_for(request.user).count(),
    }
    return render(request, "family/delegates.html", context)


@allow(Policy.MEMBER)
@reauthentication.required
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: MemberRequest) -> HttpResponse:
    """Ask somebody to act for oneself or for one's child."""
    members = delegates.may_grant_for(request.scope)
    form = InviteForm(members, request.POST or None, own_ids=request.scope.own_ids)
    if request.method == "POST" and members and form.is_valid():
        asked = form.cleaned_data
        try:
            delegates.invite(
                form.members[asked["member"]], address=asked["address"], grant=asked["grant"], until=asked["until"],
                by=request.user, language=translation.get_language() or "en",
            )  # fmt: skip
        except delegates.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The invitation is on its way. Nothing is shared until they accept it."))
            return redirect("delegates")
    status = 422 if form.errors else 200
    return render(request, "family/invite.html", {"form": form, "members": members}, status=status)


@allow(Policy.MEMBER)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: MemberRequest, delegate_id: int) -> HttpResponse:
    """Ask whether to end what was granted; posted to, end it. Both sides may."""
    standing = Delegate.objects.in_force(timezone.localdate()).select_related("member", "user")
    delegate = get_object_or_404(standing, pk=delegate_id)
    is_own = delegate.user_id == request.user.pk
    if not is_own and delegate.member not in delegates.may_grant_for(request.scope):
        raise Http404("not a delegate that this viewer can end")
    if request.method == "POST":
        reason = "ended by the delegate" if is_own else "ended by the member"
        delegates.end(delegate, actor=f"user:{request.user.pk}", reason=reason)
        messages.success(request, _("It has ended. They see nothing any more, from now on."))
        return redirect("delegates" if not is_own or request.scope.own_ids else "home")
    return render(request, "family/delegate_end.html", {"delegate": delegate, "is_own": is_own})


@allow(Policy.MEMBER)
@require_POST
def withdraw(request: MemberRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    mine = Invitation.objects.open().filter(member__in=delegates.may_grant_for(request.scope))
    delegates.withdraw(get_object_or_404(mine, pk=invitation_id), actor=f"user:{request.user.pk}")
    messages.success(request, _("The invitation was taken back."))
    return redirect("delegates")


@allow(Policy.SIGNED_IN)
@require_safe
def invitations(request: MemberRequest) -> HttpResponse:
    """What waits for the addresses that the viewer has confirmed: nothing for anybody else's."""
    return render(request, "family/invitations.html", {"invitations": list(delegates.waiting_for(request.user))})


@allow(Policy.SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: MemberRequest, invitation_id: int) -> HttpResponse:
    """Say yes or no to one of them."""
    invitation = get_object_or_404(delegates.waiting_for(request.user), pk=invitation_id)
    form = AcceptForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and request.POST.get("answer") == "no":
        delegates.decline(invitation, user=request.user)
        messages.success(request, _("You declined the invitation."))
        return redirect("invitations")
    if request.method == "POST" and form.is_valid():
        try:
            delegates.accept(invitation, user=request.user)
        except delegates.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("You can now help. What you open is recorded and shown to them."))
            return redirect("overview")
    status = 422 if form.errors else 200
    return render(request, "family/invitation.html", {"invitation": invitation, "form": form}, status=status)
