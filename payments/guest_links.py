"""Links to pay one bill without a sign-in: printed on it, and sent by a member ("let somebody else pay").

The address says nothing: a random number of 128 bits and its signature. It opens one bill, as far as a guest sees it,
until it ends, is revoked, or the bill's member asks for confidentiality (payments.models.guests).
"""

import datetime as dt
import secrets

import qrcode
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.visibility import Scope
from activity.recording import record
from bills.models import Bill
from payments.models import GuestLink

SALT = "payments.guest_links"
MAX_TOKEN = 120
Purpose = GuestLink.Purpose


def may_make(bill: Bill, scope: Scope) -> bool:
    """Whether the viewer may let others pay this bill: who may pay it alone, and of a confidential member the member.

    A holder to whom it is shared may not: the link would outlive the sharing (FAULTS G05).
    """
    if bill.voided_at is not None:
        return False
    return bill.member_id in (scope.own_ids if bill.member.is_confidential else scope.payable_ids)


def standing(bill: Bill, purpose: Purpose) -> GuestLink | None:
    """The link of this bill that is good longest; None where there is none."""
    return GuestLink.objects.live(timezone.now()).filter(bill=bill, purpose=purpose).order_by("-expires_at").first()


@transaction.atomic
def ensure(bill: Bill, purpose: Purpose, *, user_id: int) -> GuestLink:
    """The bill's link of this purpose: the one that stands while half its life is left, else a new one beside it.

    The older one stays good until its end: it is printed, in somebody's hands.
    """
    Bill.objects.select_for_update().get(pk=bill.pk)  # two at once make one
    life = dt.timedelta(days=settings.GUEST_LINK_DAYS)
    found = standing(bill, purpose)
    if found is not None and found.expires_at - timezone.now() > life / 2:
        return found
    return _make(bill, purpose, user_id=user_id)


@transaction.atomic
def reissue(bill: Bill, *, user_id: int) -> GuestLink:
    """A new link to send; all before it are dead, the printed ones too."""
    revoke(bill, user_id=user_id)
    return _make(bill, Purpose.SHARED, user_id=user_id)


@transaction.atomic
def revoke(bill: Bill, *, user_id: int) -> int:
    """Revoke every link to a bill, sent and printed; how many there were."""
    revoked = GuestLink.objects.filter(bill=bill, revoked_at__isnull=True).update(revoked_at=timezone.now())
    if revoked:
        record(
            "bill.links_revoked",
            subject=f"bill:{bill.number}",
            owner_id=bill.household_id,
            actor=f"user:{user_id}",
            bill_id=bill.pk,
        )
    return revoked


def address(link: GuestLink) -> str:
    """The link as it is printed and sent."""
    token = _signer().sign(link.nonce)
    return settings.PORTAL_URL + reverse("guest_link", args=[token])


def opened(token: str) -> GuestLink | None:
    """The link that a token is for, if it is good now. A token that we did not sign asks the database nothing."""
    if len(token) > MAX_TOKEN:
        return None
    try:
        nonce = _signer().unsign(token)
    except signing.BadSignature:
        return None
    return GuestLink.objects.live(timezone.now()).filter(nonce=nonce).first()


def code(url: str, *, title: str) -> SafeString:
    """The QR code of an address as an SVG drawing with a title, for a page and for a PDF."""
    drawn = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    drawn.add_data(url)
    rows = drawn.get_matrix()
    path = "".join(f"M{x},{y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="qr-code" viewBox="0 0 {size} {size}" role="img"'
        ' shape-rendering="crispEdges"><title>{title}</title><rect width="{size}" height="{size}" fill="#fff"/>'
        '<path d="{path}"/></svg>',
        size=len(rows), title=title, path=path,
    )  # fmt: skip


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT, sep=".")


def _make(bill: Bill, purpose: Purpose, *, user_id: int) -> GuestLink:
    link = GuestLink.objects.create(
        bill=bill, purpose=purpose, nonce=secrets.token_urlsafe(16), made_by_id=user_id,
        expires_at=timezone.now() + dt.timedelta(days=settings.GUEST_LINK_DAYS),
    )  # fmt: skip
    record(
        "bill.link_made",
        subject=f"bill:{bill.number}",
        owner_id=bill.household_id,
        actor=f"user:{user_id}",
        bill_id=bill.pk,
        purpose=str(purpose),
    )
    return link
