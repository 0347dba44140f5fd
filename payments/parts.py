"""One receipt of a checkout that several methods share: every part with its state, and what came of the whole."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from accounts.visibility import Scope
from payments import declines, eligibility, legs, receipts, wording
from payments.models import Payment, PaymentMethod
from payments.receipts import Line
from payments.states import IN_FLIGHT, SETTLED, PaymentStatus

UNPAID = (PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.RETURNED)


@dataclass(frozen=True, slots=True)
class Part:
    """One payment of a checkout: what it was made with, where it stands, and why it failed."""

    payment: Payment
    method: str
    label: str
    state: wording.State
    why: str


@dataclass(frozen=True, slots=True)
class Whole:
    """The payments of a checkout as one viewer may read them. Amounts in US cents."""

    parts: list[Part]
    lines: list[Line]

    @property
    def is_shared(self) -> bool:
        """Whether several methods share it."""
        return len(self.parts) > 1

    @property
    def total_cents(self) -> int:
        """What all of it is for."""
        return sum(part.payment.amount_cents for part in self.parts)

    @property
    def received_cents(self) -> int:
        """What of it was received, and was not taken back by the bank."""
        return self._cents(status for status in SETTLED if status not in UNPAID)

    @property
    def waiting_cents(self) -> int:
        """What of it is on its way."""
        return self._cents(IN_FLIGHT)

    @property
    def unpaid_cents(self) -> int:
        """What of it did not go through."""
        return self._cents(UNPAID)

    @property
    def is_undecided(self) -> bool:
        """Whether the provider has not said yet what became of one of them."""
        return any(part.payment.status == PaymentStatus.SUBMITTED for part in self.parts)

    @property
    def asking(self) -> Payment | None:
        """The one for which the payer's bank waits to be answered."""
        waiting = (part.payment for part in self.parts if part.payment.status == PaymentStatus.REQUIRES_ACTION)
        return next(waiting, None)

    def _cents(self, statuses: Iterable[str]) -> int:
        wanted = set(statuses)
        return sum(part.payment.amount_cents for part in self.parts if part.payment.status in wanted)


def of(payment: Payment, scope: Scope) -> Whole:
    """The whole checkout of a payment, as far as the viewer sees its payments."""
    shared = [payment]
    if payment.split_id is not None:
        seen = set(Payment.objects.visible_to(scope).filter(split_id=payment.split_id).values_list("pk", flat=True))
        shared = [leg for leg in legs.of(payment) if leg.pk in seen]
    lines = receipts.lines_of(shared, scope)
    return Whole(
        [_part(leg, receipts.method_of(leg, lines[leg.pk], scope)) for leg in shared], _together(lines.values())
    )


def _part(payment: Payment, method: str) -> Part:
    label = eligibility.label_of(payment)
    why = str(declines.text_of(payment.failure_code, label=label)) if payment.status in UNPAID[:2] else ""
    return Part(payment, method, str(PaymentMethod.Label(label).label) if label else "", wording.state_of(payment), why)


def _together(parts: Iterable[list[Line]]) -> list[Line]:
    """The lines of several payments, one a bill."""
    joined: dict[tuple[str, str], Line] = {}
    for line in (line for part in parts for line in part):
        key = (line.number, line.title)
        before = joined[key].amount_cents if key in joined else 0
        joined[key] = replace(line, amount_cents=before + line.amount_cents)
    return list(joined.values())
