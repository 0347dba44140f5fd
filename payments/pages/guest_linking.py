"""A member lets somebody else pay a bill: makes a link to send, a new one in its place, or revokes them all."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import rate_limits
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.visibility import Scope
from bills.models import Bill
from payments import guest_links
from payments.guest_links import Purpose
from payments.models import GuestLink


@allow(Policy.MEMBER)
@require_POST
def share(request: MemberRequest, number: str) -> HttpResponse:
    """Make, renew or revoke the link of a bill. Whoever may not pay the bill finds nothing here."""
    if "\0" in number:
        raise Http404("no number of a bill")
    bill = get_object_or_404(Bill.objects.visible_to(request.scope), number=number)
    if not guest_links.may_make(bill, request.scope):
        raise Http404("not a bill that this viewer may let others pay")
    wanted = request.POST.get("link")
    if wanted == "revoke":
        guest_links.revoke(bill, user_id=request.user.pk)
        messages.success(request, _("The links to this bill no longer work, printed ones included."))
    elif not rate_limits.take((LINKS_PER_USER, str(request.user.pk))):
        return rate_limits.refuse(request)
    elif wanted == "new":
        guest_links.reissue(bill, user_id=request.user.pk)
        messages.success(request, _("Here is a new link. The ones before it no longer work."))
    else:
        guest_links.ensure(bill, Purpose.SHARED, user_id=request.user.pk)
    return redirect(reverse("bill", args=[bill.number]) + "#somebody-else")


LINKS_PER_USER = rate_limits.Limit("guest-link:user", 30, rate_limits.HOUR)


def shared_link(bill: Bill, scope: Scope) -> dict[str, object] | None:
    """What the bill's page says of its link; None where the viewer may not let others pay it."""
    if not guest_links.may_make(bill, scope) or not bill.balance_cents:
        return None
    link = guest_links.standing(bill, Purpose.SHARED)
    if link is None:
        return {"url": "", "is_printed": guest_links.standing(bill, Purpose.STATEMENT) is not None}
    return _drawn(link)


def printed_link(bill: Bill, scope: Scope) -> dict[str, object] | None:
    """What is printed on a bill, so that whoever holds it can pay it; None where the viewer may not let others pay."""
    if not guest_links.may_make(bill, scope) or not bill.balance_cents:
        return None
    return _drawn(guest_links.ensure(bill, Purpose.STATEMENT, user_id=scope.user_id))


def _drawn(link: GuestLink) -> dict[str, object]:
    url = guest_links.address(link)
    return {"url": url, "code": guest_links.code(url, title=_("QR code of the link to pay")), "until": link.expires_at}
