"""The payments that a viewer may see, filtered, a page at a time, the latest first."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.visibility import Scope
from billing_portal.addresses import addresses_of
from payments import receipts, wording
from payments.models import Payment, PaymentAllocation, PaymentQuerySet
from payments.receipts import Line
from payments.states import PaymentStatus

PAGE_SIZE = 20
EXPORT_PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which payments: those of a person, a kind, a state, a span of days (both included), a span of amounts."""

    person: int | None = None
    kind: str = ""
    state: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    at_least_cents: int | None = None
    at_most_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One payment of the list, and where its page is."""

    payment: Payment
    href: str
    lines: list[Line]
    state: wording.State
    method: str

    @property
    def title(self) -> str:
        """What its first bill is called."""
        return self.lines[0].title if self.lines else ""

    @property
    def people(self) -> list[str]:
        """Whose bills it paid, as far as the viewer sees them."""
        return list(dict.fromkeys(line.person for line in self.lines if line.person))

    @property
    def more(self) -> int:
        """How many bills beyond the first."""
        return max(0, len(self.lines) - 1)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the number of the last of them where more follow."""

    rows: list[Row]
    next_after: str


class CursorUnknown(Exception):
    """The cursor names no payment that the viewer sees."""


def page(scope: Scope, wanted: Wanted, *, after: str = "", size: int = PAGE_SIZE) -> Page:
    """The rows after the payment of number `after`, from the latest on. Raises CursorUnknown (FAULTS F05)."""
    found = _found(scope, wanted)
    if after:
        last = None if "\0" in after else _listed(scope).filter(number=after).first()
        if last is None:
            raise CursorUnknown(after)
        found = found.filter(created_at__lte=last.created_at).filter(
            Q(created_at__lt=last.created_at) | Q(pk__lt=last.pk)
        )
    payments = _latest(found, scope, size + 1)
    return Page(_rows(payments[:size], scope), payments[size - 1].number if len(payments) > size else "")


def _rows(payments: list[Payment], scope: Scope) -> list[Row]:
    address, lines = addresses_of("payment"), receipts.lines_of(payments, scope)
    one_of_each = {payment.status: payment for payment in payments}
    states = {status: wording.state_of(payment) for status, payment in one_of_each.items()}
    return [
        Row(
            payment,
            address(payment.number),
            lines[payment.pk],
            states[payment.status],
            receipts.method_of(payment, lines[payment.pk], scope),
        )
        for payment in payments
    ]


def everything(scope: Scope, wanted: Wanted) -> Iterator[Row]:
    """Every row, fetched a page at a time, so that memory stays flat."""
    after = ""
    while True:
        found = page(scope, wanted, after=after, size=EXPORT_PAGE_SIZE)
        yield from found.rows
        after = found.next_after
        if not after:
            return


def _latest(found: PaymentQuerySet, scope: Scope, size: int) -> list[Payment]:
    """The latest of them: those of the payer and of each household by its own index, then the latest of all.

    Asked for at once, as one OR, they would all be read and sorted for a page of 25.
    """
    walks = [found.filter(payer_id=scope.user_id)]
    walks += [found.filter(household_id=household_id) for household_id in sorted(scope.household_ids)]
    ordered = [walk.order_by("-created_at", "-pk")[:size] for walk in walks]
    return list(ordered[0].union(*ordered[1:]).order_by("-created_at", "-pk")[:size])


def _listed(scope: Scope) -> PaymentQuerySet:
    return Payment.objects.visible_to(scope).exclude(status=PaymentStatus.DRAFT).exclude(failure_code="parted")


def _found(scope: Scope, wanted: Wanted) -> PaymentQuerySet:
    found = _listed(scope)
    if wanted.person is not None:
        of_person = PaymentAllocation.objects.filter(payment_id=OuterRef("pk"), bill__member_id=wanted.person)
        found = found.filter(Exists(of_person))
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.state:
        found = found.filter(status=wanted.state)
    if wanted.since is not None:
        found = found.filter(created_at__gte=_midnight(wanted.since))
    if wanted.until is not None:
        found = found.filter(created_at__lt=_midnight(wanted.until + dt.timedelta(days=1)))
    if wanted.at_least_cents is not None:
        found = found.filter(amount_cents__gte=wanted.at_least_cents)
    if wanted.at_most_cents is not None:
        found = found.filter(amount_cents__lte=wanted.at_most_cents)
    return found


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))
