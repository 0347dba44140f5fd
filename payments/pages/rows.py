"""A bill as one row of a page: what it is called, what is owed, where it stands, and what can be done."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.visibility import Scope
from billing_portal.addresses import addresses_of
from bills import history, naming, states
from bills.models import Bill
from bills.states import Pill, State
from ledger.templatetags.portal import day_of_year
from payments import scheduling
from payments.allocating import in_flight_cents


class _Shared:
    """What the rows of one page have in common, worked out once: the words to put a number into, and the routes."""

    def __init__(self) -> None:
        self.number, self.pay = _("Bill %(number)s"), _("Pay %(title)s, bill %(number)s")
        self.address, self.pay_at = addresses_of("bill"), reverse("pay")


@dataclass(frozen=True, slots=True)
class Row:
    """One bill as a viewer may see it, amounts in US cents."""

    bill: Bill
    title: str
    detail: str
    who: str
    on: dt.date
    state: State
    pill: Pill
    balance_cents: int
    in_flight_cents: int
    paid_cents: int
    can_pay: bool
    shared: _Shared

    @property
    def href(self) -> str:
        """Where its page is."""
        return self.shared.address(self.bill.number)

    @property
    def number_words(self) -> str:
        """What the bill is called by its number."""
        return self.shared.number % {"number": self.bill.number}

    @property
    def pay_words(self) -> str:
        """What its button says to a screen reader."""
        return self.shared.pay % {"title": self.title, "number": self.bill.number}

    @property
    def pay_href(self) -> str:
        """Where it is paid."""
        return f"{self.shared.pay_at}?bill={self.bill.number}"

    @property
    def payable_cents(self) -> int:
        """What can still be paid: what is owed less what is on its way."""
        return max(0, self.balance_cents - self.in_flight_cents)

    @property
    def shown_cents(self) -> int:
        """What is owed; where nothing is any more, what the viewer's side paid, not the gross premium."""
        if self.balance_cents:
            return self.balance_cents
        return self.paid_cents if self.state is State.PAID else self.bill.amount_cents


def rows_of(bills: Sequence[Bill], scope: Scope) -> list[Row]:
    """The bills as rows: three queries, however many bills. `coverage__plan` is to be loaded with them."""
    return rows_with(
        bills, scope, in_flight=in_flight_cents(bills), paid=history.paid_cents(bills),
        scheduled=scheduling.scheduled_ids(scope),
    )  # fmt: skip


def rows_with(
    bills: Sequence[Bill], scope: Scope, *, in_flight: Mapping[int, int], paid: Mapping[int, int],
    scheduled: Collection[int] = (),
) -> list[Row]:  # fmt: skip
    """The bills as rows, given what is on its way to each, was paid on each and is scheduled: no query."""
    today, shared = timezone.localdate(), _Shared()
    return [
        _row(
            bill, scope, today, shared, in_flight.get(bill.pk, 0), paid.get(bill.pk, 0),
            is_scheduled=bill.pk in scheduled,
        )
        for bill in bills
    ]  # fmt: skip


def _row(
    bill: Bill, scope: Scope, today: dt.date, shared: _Shared, waiting: int, paid: int, *, is_scheduled: bool
) -> Row:
    state = states.derive(
        states.Standing(
            balance_cents=bill.balance_cents,
            due_on=bill.due_on,
            paid_cents=paid,
            in_flight_cents=waiting,
            is_held=bill.held_since is not None,
            is_void=bill.voided_at is not None,
            is_scheduled=is_scheduled,
            is_on_plan=bill.on_plan_since is not None,
        ),
        today=today,
    )
    may_pay = bill.member_id in scope.payable_ids or bill.member_id in scope.confidential_ids
    return Row(
        bill=bill,
        title=naming.title_of(bill, scope),
        detail=naming.detail_of(bill, scope),
        who=bill.member.shown_first_name,
        on=bill.service_on or bill.issued_on,
        state=state,
        pill=states.pill(
            state, due_on=bill.due_on, today=today, due_text=day_of_year(bill.due_on), in_flight_cents=waiting
        ),
        balance_cents=bill.balance_cents,
        in_flight_cents=waiting,
        paid_cents=paid,
        can_pay=may_pay and state is not State.VOID and bill.balance_cents > waiting,
        shared=shared,
    )
