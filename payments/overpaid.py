"""Overpaid money: where it came from and why, and what the member wants done with it.

What was paid beyond what is owed is credit of the household (DESIGN section 5). Each transfer that made it so is a
source, whose money it is can be told; the member puts it to another bill, or asks it back to the method it came from.
Whoever sees neither the payment nor the bill of a source does not see the source (FAULTS F06).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

import ledger
from accounts.models import Household, User
from accounts.visibility import Scope
from activity.recording import record
from bills import naming
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code
from ledger.locking import hold
from ledger.money import format_usd
from ledger.transactions import atomic_with_retry
from payments import overpaid_sources, refunds
from payments.allocating import bills_to_pay, payable_cents
from payments.models import CreditMove, Payment, PaymentMethod, Refund
from payments.overpaid_sources import Source

PRE_TAX = (PaymentMethod.Label.HSA, PaymentMethod.Label.FSA)
MAX_TARGETS = 100


class OverpaidError(Exception):
    """What was asked for cannot be done; its text tells the member why and what to do."""


@dataclass(frozen=True, slots=True)
class Overpaid:
    """One source as one viewer may read it. US cents; `can_act` where the viewer may say what becomes of it."""

    source: Source
    title: str
    why: str
    can_act: bool

    @property
    def id(self) -> int:
        """What names it in an address: the transfer that made it."""
        return self.source.transfer_id


def found(scope: Scope) -> list[Overpaid]:
    """What is overpaid and left, as far as the viewer may see it, the latest first."""
    households = Household.objects.filter(pk__in=scope.household_ids, credit__balance_cents__lt=0)
    seen: list[Overpaid] = []
    for household in households.order_by("pk"):
        seen += _seen(scope, overpaid_sources.of(household))
    return sorted(seen, key=lambda one: one.id, reverse=True)


def credit_cents(scope: Scope, household: Household) -> int:
    """What of a household's credit the viewer may know of, US cents: the whole tells of who is apart (F06)."""
    return sum(seen.source.left_cents for seen in found(scope) if seen.source.household_id == household.pk)


def one(scope: Scope, source_id: int) -> Overpaid | None:
    """The source of this id, where the viewer sees it and something of it is left."""
    return next((overpaid for overpaid in found(scope) if overpaid.id == source_id), None)


def _seen(scope: Scope, sources: list[Source]) -> list[Overpaid]:
    payments = _visible(Payment.objects.visible_to(scope), [source.payment for source in sources])
    bills = _visible(Bill.objects.visible_to(scope), [source.bill for source in sources])
    seen = []
    for source in sources:
        payment, bill = source.payment, source.bill
        is_holders = payment is None and bill is None and source.household_id in scope.held_household_ids
        if not (
            is_holders or (payment is not None and payment.pk in payments) or (bill is not None and bill.pk in bills)
        ):
            continue
        is_bill_seen = bill is not None and bill.pk in bills
        title = naming.title_of(bill, scope) if bill is not None and is_bill_seen else _("Payment")
        can_act = (
            is_holders
            or (payment is not None and payment.payer_id == scope.user_id)
            or (bill is not None and is_bill_seen and _may_pay_for(scope, bill))
        )
        seen.append(Overpaid(source, title, overpaid_sources.why(source, scope.user_id), can_act))
    return seen


def _visible(queryset: object, wanted: Iterable[Payment | Bill | None]) -> set[int]:
    ids = [row.pk for row in wanted if row is not None]
    return set(queryset.filter(pk__in=ids).values_list("pk", flat=True))  # type: ignore[attr-defined]


def _may_pay_for(scope: Scope, bill: Bill) -> bool:
    return bill.member_id in scope.payable_ids or (
        bill.member_id in scope.confidential_ids and bill.shared_at is not None
    )


def targets(scope: Scope, overpaid: Overpaid) -> list[tuple[Bill, int]]:
    """The bills of the household that the money can be put to, the earliest due first, and up to how much, US cents.

    Pre-tax money never goes to a premium (RULES section 2).
    """
    bills = bills_to_pay(scope).filter(household_id=overpaid.source.household_id, held_since__isnull=True)
    if set(overpaid.source.labels) & set(PRE_TAX):
        bills = bills.filter(kind=Bill.Kind.MEDICAL)
    owed = [bill for kind in Bill.Kind.values for bill in bills.filter(kind=kind).owed()[:MAX_TARGETS]]
    payable = payable_cents(owed)
    left = overpaid.source.left_cents
    return [(bill, min(left, payable[bill.pk])) for bill in owed if payable[bill.pk]]


@atomic_with_retry
def move(
    scope: Scope, overpaid: Overpaid, *, user: User, bill_number: str, amount_cents: int, form_key: str
) -> CreditMove:
    """Put part of what was overpaid to another bill of the household, once for the form's key. US cents.

    Raises OverpaidError where it is not left, the bill cannot take it, or the key stands with another wish.
    """
    household = Household.objects.get(pk=overpaid.source.household_id)
    wish = (overpaid.id, bill_number, amount_cents)
    if (standing := _standing(household, form_key)) is not None:
        return _same(standing, wish)
    bill = next((bill for bill, _most in targets(scope, overpaid) if bill.number == bill_number), None)
    if bill is None or not overpaid.can_act:
        raise OverpaidError(_("This bill cannot take it. Choose another one."))
    credit_id = _credit_id(household)
    balances = hold([credit_id, bill.receivable_id])
    if (standing := _standing(household, form_key)) is not None:  # the same form, sent at the same moment
        return _same(standing, wish)
    _refuse_more_than_left(household, overpaid, amount_cents)
    bill.receivable.balance_cents = balances[bill.receivable_id]
    if amount_cents > (most := payable_cents([bill])[bill.pk]):
        raise OverpaidError(_("Bill %(number)s takes at most %(amount)s.") % {
            "number": bill.number, "amount": format_usd(most),
        })  # fmt: skip
    made = put(overpaid.source, bill, amount_cents=amount_cents, by=user, key=form_key)
    record(
        "credit.moved",
        subject=f"bill:{bill.number}",
        owner_id=household.pk,
        actor=f"user:{user.pk}",
        bill_id=bill.pk,
        amount_cents=amount_cents,
    )
    return made


def put(source: Source, bill: Bill, *, amount_cents: int, by: User, key: str) -> CreditMove:
    """Put part of a source to a bill of its household, US cents. Once for the key.

    Under the locks of the credit and of the bill's receivable, in the caller's transaction.
    """
    household = bill.household
    made = CreditMove.objects.create(
        household=household, source_id=source.transfer_id, bill=bill, amount_cents=amount_cents, form_key=key,
        moved_by=by,
    )  # fmt: skip
    ledger.post(
        Posting(
            debit_id=_credit_id(household), credit_id=bill.receivable_id, amount_cents=amount_cents,
            code=Code.CREDIT_APPLIED, key=f"{overpaid_sources.MOVED}{made.pk}", reference=f"bill:{bill.number}",
            effective_on=timezone.localdate(), owner_id=household.pk,
        )
    )  # fmt: skip
    return made


def _standing(household: Household, form_key: str) -> CreditMove | None:
    return CreditMove.objects.filter(household=household, form_key=form_key).select_related("bill").first()


def _same(standing: CreditMove, wish: tuple[int, str, int]) -> CreditMove:
    """Raises OverpaidError where the form was sent with another wish (FAULTS A02)."""
    if standing.bill is None or (standing.source_id, standing.bill.number, standing.amount_cents) != wish:
        raise OverpaidError(_("This form was already used. Load the page again."))
    return standing


def ask_back(overpaid: Overpaid, *, user: User, amount_cents: int, form_key: str) -> list[Refund]:
    """Send part of what was overpaid back to the methods that paid it, the latest payment first. US cents.

    Once for the form's key. Raises OverpaidError where it is not left, or no card or bank account paid it.
    """
    made, is_new = _commit(overpaid, user, amount_cents, form_key)
    return [refunds.send(refund) for refund in made] if is_new else made


def returnable_cents(overpaid: Overpaid) -> int:
    """How much of it can go back to cards and bank accounts, US cents; the rest was paid in another way."""
    return min(overpaid.source.left_cents, sum(refunds.refundable_cents(payment) for payment in _payments(overpaid)))


@atomic_with_retry
def _commit(overpaid: Overpaid, user: User, amount_cents: int, form_key: str) -> tuple[list[Refund], bool]:
    household = Household.objects.get(pk=overpaid.source.household_id)
    payments = _payments(overpaid)
    # First the payments, then the accounts: the order in which a refund is posted too.
    list(Payment.objects.select_for_update().filter(pk__in=[payment.pk for payment in payments]).order_by("pk"))
    hold([_credit_id(household)])
    standing = CreditMove.objects.filter(household=household, form_key__startswith=f"{form_key}:").order_by("pk")
    if moves := list(standing.select_related("refund__payment")):
        if (moves[0].source_id, sum(move.amount_cents for move in moves)) != (overpaid.id, amount_cents):
            raise OverpaidError(_("This form was already used. Load the page again."))
        return [move.refund for move in moves if move.refund is not None], False
    if not overpaid.can_act:
        raise OverpaidError(_("Only who paid it can ask for it back."))
    _refuse_more_than_left(household, overpaid, amount_cents)
    if amount_cents > (most := returnable_cents(overpaid)):
        raise OverpaidError(
            _("At most %(amount)s can go back to the card or bank account that paid it.") % {"amount": format_usd(most)}
        )
    return _asked(household, overpaid.source, user, amount_cents, form_key), True


def send_back(source: Source, *, by: User, key: str, waits: bool = False) -> list[Refund]:
    """Send what is left of a source back to the methods that paid it, as far as it can go there. Once for the key.

    For money that a decision of the plan's made too much: nobody asks for it. `waits`: a second person approves it
    first. What paper checks and methods past their time paid stays credit. The key is none that a form can have.
    """
    made, is_new = _commit_back(source, by, key, waits)
    return made if waits or not is_new else [refunds.send(refund) for refund in made]


@atomic_with_retry
def _commit_back(source: Source, user: User, key: str, waits: bool) -> tuple[list[Refund], bool]:  # noqa: FBT001
    household = Household.objects.get(pk=source.household_id)
    payments = _refundable(source)
    list(Payment.objects.select_for_update().filter(pk__in=[payment.pk for payment in payments]).order_by("pk"))
    hold([_credit_id(household)])
    standing = CreditMove.objects.filter(household=household, form_key__startswith=f"{key}:").order_by("pk")
    if moves := list(standing.select_related("refund__payment")):
        return [move.refund for move in moves if move.refund is not None], False
    left = next((now.left_cents for now in overpaid_sources.of(household) if now.transfer_id == source.transfer_id), 0)
    return _asked(household, source, user, left, key, waits=waits), True


def _asked(
    household: Household, source: Source, user: User, cents: int, key: str, *, waits: bool = False
) -> list[Refund]:
    """The rows of refunds of up to so many US cents, the latest payment first. Under the locks of both `_commit`s."""
    made, rest = [], cents
    for payment in _refundable(source):
        if cents := min(rest, refunds.refundable_cents(payment)):
            refund = refunds.commit_of_credit(
                payment.pk, amount_cents=cents, reason="Overpaid", requested_by=user, waits=waits
            )
            CreditMove.objects.create(
                household=household, source_id=source.transfer_id, refund=refund, amount_cents=cents, moved_by=user,
                form_key=f"{key}:{payment.pk}",
            )  # fmt: skip
            made.append(refund)
            rest -= cents
    return made


def _payments(overpaid: Overpaid) -> list[Payment]:
    return _refundable(overpaid.source)


def _refundable(source: Source) -> list[Payment]:
    """The payments that the money came from and can go back to, the latest first."""
    return [payment for payment in source.payments if payment.stripe_payment_intent_id]


def _refuse_more_than_left(household: Household, overpaid: Overpaid, amount_cents: int) -> None:
    """Raise OverpaidError unless so much is left of the source now, under the lock of the credit account."""
    left = next((s.left_cents for s in overpaid_sources.of(household) if s.transfer_id == overpaid.id), 0)
    if not 0 < amount_cents <= left:
        raise OverpaidError(
            _("At most %(amount)s is left of it.") % {"amount": format_usd(left)}
            if left
            else _("Nothing is left of it: it was used already.")
        )


def _credit_id(household: Household) -> int:
    assert household.credit_id is not None
    return household.credit_id


def total_cents(scope: Scope) -> int:
    """What is overpaid and left, as far as the viewer may see it, US cents."""
    return sum(overpaid.source.left_cents for overpaid in found(scope))
