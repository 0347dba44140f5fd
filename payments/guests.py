"""Paying for somebody else without a sign-in: naming one bill, seeing next to nothing of it, and paying it.

A guest names a bill by facts that stand on it (GUEST_PAY_FACTS), or by a link (payments.guest_links). From then on it
is seen by that browser's session alone, for an hour, one bill at a time: its number, an initial, what can be paid and
by when (DESIGN section 7, RULES section 6, FAULTS G03). The session is the only gate: nothing is looked up by a number
that a browser sends without the visit's secret beside it.
"""

import datetime as dt
import hashlib
import secrets
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.ages import apart_from
from activity.recording import record
from bills.models import Bill
from ledger.money import format_usd
from payments import checkout, guest_limits
from payments.allocating import payable_cents
from payments.checkout import (
    AmountExceedsPayable,
    BelowMinimum,
    BillNotPayable,
    CheckoutError,
    ClientKeyReused,
    NothingToPay,
)
from payments.guest_limits import Who
from payments.mandates import Acceptance
from payments.models import GuestLink, GuestPayment, Payment
from payments.states import PaymentStatus

SEEN_SECONDS = 3600
SESSION_KEY = "guest_pay"
# What stands in for a bill that there is none of, so that the comparison is made all the same.
LONG_AGO = dt.date(1900, 1, 1)
NOBODY = (
    0, None, LONG_AGO, "", "", dt.datetime(1900, 1, 2, tzinfo=dt.UTC), None, None, LONG_AGO, None, None, False, None,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a guest sees of the bill of this session; amounts in US cents."""

    number: str
    initial: str
    due_on: dt.date
    balance_cents: int
    payable_cents: int
    least_cents: int
    is_held: bool


class NotSeen(Exception):
    """No bill was named in this session, or no longer: time is over, or the bill or its link are gone."""


def look_up(who: Who, facts: Mapping[str, str], *, has_proof: bool) -> int | None:
    """The id of the bill that the facts name, counting the try first; None whichever of them is wrong.

    Raises guest_limits.ChallengeNeeded, TooManyTries, Closed: none of them depends on whether the facts are right.
    """
    guest_limits.before_lookup(who, facts["bill_number"], has_proof=has_proof)
    return find(facts)


def find(facts: Mapping[str, str]) -> int | None:
    """The id of the bill that all the facts fit. One query and every comparison, whatever is found (FAULTS H02)."""
    columns = (
        "pk", "voided_at", "member__birth_date", "household__zip", "member__last_name", "created_at",
        "shared_at", "member__confidential_since", "member__joined_on", "member__left_on",
        "member__seen_by_holder_since", "member__is_primary_holder", "moved_aside_at",
    )  # fmt: skip
    found = list(Bill.objects.filter(number=facts["bill_number"]).values_list(*columns)[:1])
    bill_id, voided_at, born, zip_code, last_name, made_at, shared_at, *parting = found[0] if found else NOBODY
    known = {"birth_date": born.isoformat(), "zip": zip_code[:5], "last_name": folded(last_name)}
    right = [
        secrets.compare_digest(known[name].encode(), facts.get(name, "").encode())
        for name in settings.GUEST_PAY_FACTS
        if name != "bill_number"
    ]
    is_whole = all(known[name] for name in settings.GUEST_PAY_FACTS if name != "bill_number")
    is_open = voided_at is None and _is_unknown_to_the_kept_out(made_at, shared_at, Parting(born, *parting))
    return bill_id if found and is_whole and is_open and all(right) else None


def folded(name: str) -> str:
    """A name as it is compared: without case, accents, spaces and marks."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


def admit(session: SessionBase, bill_id: int, *, link_id: int | None = None) -> None:
    """Let this session see a bill, in place of any before it. Its payments of the last hour stay its own."""
    secret = visit_of(session) or secrets.token_urlsafe(24)
    until = time.time() + SEEN_SECONDS
    session[SESSION_KEY] = {"bill": bill_id, "link": link_id, "visit": secret, "until": until}
    number, household_id = Bill.objects.values_list("number", "household_id").get(pk=bill_id)
    # A guest is no user, so the look stands among the events (FAULTS N01, N13).
    record(
        "guest.bill_seen", subject=f"bill:{number}", owner_id=household_id, actor="guest", bill_id=bill_id,
        link_id=link_id,
    )  # fmt: skip


def leave(session: SessionBase) -> None:
    """Forget the bill and the visit."""
    session.pop(SESSION_KEY, None)


def visit_of(session: SessionBase) -> str:
    """The visit's secret; empty where there is none or its hour is over."""
    entry = session.get(SESSION_KEY) or {}
    return str(entry["visit"]) if entry and time.time() < entry["until"] else ""


def bill_of(session: SessionBase) -> Bill:
    """The bill that this session named. Raises NotSeen."""
    if not visit_of(session):
        raise NotSeen
    entry = session[SESSION_KEY]
    bill = Bill.objects.select_related("receivable", "member").filter(pk=entry["bill"], voided_at=None).first()
    if bill is None or not _is_open(bill, entry["link"]):
        raise NotSeen
    return bill


def seen(bill: Bill) -> Seen:
    """What a guest may read of a bill."""
    payable = 0 if bill.held_since else payable_cents([bill])[bill.pk]
    return Seen(
        number=bill.number,
        initial=bill.member.first_name.strip()[:1].upper(),
        due_on=bill.due_on,
        balance_cents=bill.balance_cents,
        payable_cents=payable,
        least_cents=min(settings.GUEST_PAY_MIN_CENTS, payable),
        is_held=bill.held_since is not None,
    )


def begin(session: SessionBase, *, cents: int, form_key: str) -> Payment:
    """Draft a guest's payment of the bill of this session. The same form sent again is the same payment.

    Raises NotSeen, or a CheckoutError that says what is wrong.
    """
    bill = bill_of(session)
    visit = digest(visit_of(session))
    if (standing := _of_form(visit, form_key)) is not None:
        return _same(standing, bill, cents)
    shown = seen(bill)
    if shown.is_held:
        raise BillNotPayable(_("This bill cannot be paid right now. Nothing is due on it meanwhile."))
    if cents <= 0:
        raise NothingToPay(_("Write an amount above 0."))
    if cents > shown.payable_cents:
        raise AmountExceedsPayable(_("At most %(amount)s can be paid.") % {"amount": format_usd(shown.payable_cents)})
    if cents < shown.least_cents:
        raise BelowMinimum(_("The least you can pay is %(amount)s.") % {"amount": format_usd(shown.least_cents)})
    try:
        with transaction.atomic():
            payment = checkout.draft([bill], {bill.number: cents}, payer=None, channel=Payment.Channel.GUEST)
            GuestPayment.objects.create(
                payment=payment, visit=visit, form_key=form_key, link_id=session[SESSION_KEY]["link"]
            )
    except IntegrityError:
        standing = _of_form(visit, form_key)
        if standing is None:
            raise
        return _same(standing, bill, cents)
    return payment


def own(session: SessionBase, number: str) -> Payment | None:
    """The payment of this number, if it is of this session's visit."""
    visit = visit_of(session)
    if not visit:
        return None
    mine = Payment.objects.select_related("guest", "method", "payer")
    return mine.filter(number=number, guest__visit=digest(visit), channel=Payment.Channel.GUEST).first()


def may_go_on(payment: Payment) -> bool:
    """Whether a draft's bill may still be paid by this guest: it can be voided or held, its link revoked (F31)."""
    bill = bill_paid(payment)
    return bill.voided_at is None and bill.held_since is None and _is_open(bill, payment.guest.link_id)


def _refuse_closed(payment: Payment) -> None:
    if not may_go_on(payment):
        raise BillNotPayable(_("This bill can no longer be paid here. Nothing was charged."))


def bill_paid(payment: Payment) -> Bill:
    """The one bill that a guest's payment is for."""
    return payment.allocations.select_related("bill").get().bill


def confirm(
    session: SessionBase, payment: Payment, *, who: Who, has_proof: bool, acceptance: Acceptance, email: str = ""
) -> Payment:
    """Send a guest's draft, once, counting the try first. What was sent already is returned as it stands.

    Raises guest_limits.ChallengeNeeded, TooManyTries, Closed, and what checkout.confirm raises.
    """
    if payment.status != PaymentStatus.DRAFT:
        return payment
    _refuse_closed(payment)
    visit = visit_of(session)
    guest_limits.before_charge(who, visit, bill_paid(payment).pk, has_proof=has_proof)
    if email and not guest_limits.takes_receipt(email):  # after the limits of tries: else it could be used up for free
        raise CheckoutError(_("We can send no more receipts to this address today. Leave it empty and try again."))
    GuestPayment.objects.filter(payment=payment).update(email=email, language=acceptance.language[:5])
    payment = checkout.confirm(payment, acceptance=acceptance, refuse=_refuse_closed)
    note(session, payment)
    return payment


def note(session: SessionBase, payment: Payment) -> None:
    """Let the limits know how a charge ended."""
    if payment.status in (PaymentStatus.FAILED, PaymentStatus.SUCCEEDED):
        guest_limits.after_charge(visit_of(session), has_failed=payment.status == PaymentStatus.FAILED)


def again(session: SessionBase, payment: Payment) -> Payment | None:
    """The draft that follows a failed payment: the same one however often it is asked for.

    None where this session has named another bill meanwhile: that one is not to be paid in its place.
    """
    if payment.status != PaymentStatus.FAILED:
        return None
    try:
        if bill_of(session) != bill_paid(payment):
            return None
        return begin(session, cents=payment.amount_cents, form_key=f"again:{payment.pk}")
    except (CheckoutError, NotSeen):
        return None


def paid_by_guests(numbers: list[str]) -> set[str]:
    """Those of these payments' numbers that guests paid: so that a bill's history can say so."""
    found = Payment.objects.filter(number__in=numbers, channel=Payment.Channel.GUEST)
    return set(found.values_list("number", flat=True)) if numbers else set()


def clear(*, now: dt.datetime | None = None) -> int:
    """Delete guests' drafts that were not sent within a day; how many (FAULTS G14). No money is behind a draft."""
    before = (now or timezone.now()) - dt.timedelta(days=1)
    stale = Payment.objects.filter(channel=Payment.Channel.GUEST, status=PaymentStatus.DRAFT, created_at__lt=before)
    deleted = 0
    for payment_id in list(stale.values_list("pk", flat=True)[:MAX_CLEARED]):
        deleted += _delete_draft(payment_id)
    return deleted


MAX_CLEARED = 10_000  # of one run


@transaction.atomic
def _delete_draft(payment_id: int) -> int:
    draft = Payment.objects.select_for_update().filter(pk=payment_id, status=PaymentStatus.DRAFT).first()
    if draft is None:
        return 0
    GuestPayment.objects.filter(payment=draft).delete()
    draft.allocations.all().delete()
    draft.delete()
    return 1


def digest(visit: str) -> str:
    """How a visit stands in the database, which does not know its secret."""
    return hashlib.sha256(visit.encode()).hexdigest()


def _is_open(bill: Bill, link_id: int | None) -> bool:
    """Whether a bill is still seen by who named it: by a link that lives, or by its facts."""
    if link_id is None:
        member = bill.member
        parting = Parting(
            member.birth_date, member.confidential_since, member.joined_on, member.left_on,
            member.seen_by_holder_since, member.is_primary_holder, bill.moved_aside_at,
        )  # fmt: skip
        return _is_unknown_to_the_kept_out(bill.created_at, bill.shared_at, parting)
    return GuestLink.objects.live(timezone.now()).filter(pk=link_id).exists()


class Parting(NamedTuple):
    """What keeps a holder out of a member's bills."""

    born: dt.date
    confidential_since: dt.datetime | None
    joined_on: dt.date
    left_on: dt.date | None
    seen_since: dt.datetime | None
    is_holder: bool
    moved_aside_at: dt.datetime | None


def _is_unknown_to_the_kept_out(made_at: dt.datetime, shared_at: dt.datetime | None, of: Parting) -> bool:
    """Whether a bill is as new as what keeps the holder out of it, if anything does (FAULTS G05, F06, F17).

    Whom a confidential request, a departure or a birthday keeps out has seen the number of an older one, and knows the
    birth date.
    """
    if of.confidential_since is not None and (made_at < of.confidential_since or of.moved_aside_at is not None):
        return False
    day = apart_from(
        today=timezone.localdate(), born=of.born, joined_on=of.joined_on, left_on=of.left_on,
        is_seen=of.seen_since is not None,
    )  # fmt: skip
    return day is None or of.is_holder or shared_at is not None or timezone.localdate(made_at) >= day


def _of_form(visit: str, form_key: str) -> Payment | None:
    return Payment.objects.filter(guest__visit=visit, guest__form_key=form_key).first()


def _same(payment: Payment, bill: Bill, cents: int) -> Payment:
    """Raises ClientKeyReused where the form was sent with other content (FAULTS A02)."""
    if (bill_paid(payment).pk, payment.amount_cents) != (bill.pk, cents):
        raise ClientKeyReused(_("This form was already used for another payment. Load the page again."))
    return payment
