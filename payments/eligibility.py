"""What may be paid with pre-tax money: HSA and FSA cards (IRS Publications 502 and 969; RULES section 2).

The card network does not say that a card is one: its owner labels it. An FSA never pays a premium; an HSA pays one only
under an exception, which the payer attests; neither pays interest or a fee, which are no medical care.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, models
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Coverage, Member
from bills.models import Bill
from bills.relief import PAID
from ledger.chart import Code
from ledger.money import format_usd
from payments.allocating import payable_cents
from payments.models import Payment, PaymentAllocation, PaymentMethod
from payments.states import IN_FLIGHT, SETTLED

Label = PaymentMethod.Label
AGE_OF_MEDICARE = 65
PUB_969 = "IRS Publication 969 (2025), Qualified medical expenses: insurance premiums"
IRC_223 = "26 U.S.C. 223(d)(2)(C)"


class Attestation(models.TextChoices):
    """Under which exception an HSA pays a premium, in the words that the payer agrees to."""

    COBRA = "cobra", gettext_lazy("It is continuation coverage from a former job (COBRA).")
    UNEMPLOYMENT = "unemployment", gettext_lazy("I am receiving unemployment benefits under federal or state law.")
    LONG_TERM_CARE = "long_term_care", gettext_lazy("It is long-term care insurance, within the limit for my age.")
    MEDICARE_65 = "medicare_65", gettext_lazy("I am 65 or older and this is Medicare (Part A, B, C or D).")
    EMPLOYER_65 = "employer_65", gettext_lazy("I am 65 or older and this is coverage from my or my spouse's employer.")


@dataclass(frozen=True, slots=True)
class Rule:
    """Under which exceptions an HSA may pay the premium of one kind of coverage, and where that is written."""

    exceptions: tuple[Attestation, ...]
    source: str


# A Medigap premium is never paid from an HSA, and one of a plan bought for oneself not before 65 but for the months of
# unemployment benefits: the portal does not know how a family's plan was bought, so the payer says so.
PREMIUMS: dict[str, Rule] = {
    Coverage.Kind.COBRA: Rule((Attestation.COBRA,), PUB_969),
    Coverage.Kind.INDIVIDUAL: Rule(
        (Attestation.UNEMPLOYMENT, Attestation.EMPLOYER_65, Attestation.LONG_TERM_CARE), f"{PUB_969}; {IRC_223}"
    ),
    Coverage.Kind.FAMILY: Rule((Attestation.UNEMPLOYMENT, Attestation.EMPLOYER_65), f"{PUB_969}; {IRC_223}"),
    Coverage.Kind.CHARITABLE: Rule((Attestation.UNEMPLOYMENT,), PUB_969),
    Coverage.Kind.MEDICARE_ADVANTAGE: Rule((Attestation.MEDICARE_65,), PUB_969),
    Coverage.Kind.MEDICARE_PART_D: Rule((Attestation.MEDICARE_65,), PUB_969),
    Coverage.Kind.MEDIGAP: Rule((), f"{PUB_969}; {IRC_223}(iv)"),
}
FROM_65 = frozenset({Attestation.MEDICARE_65, Attestation.EMPLOYER_65})

# What is charged on a bill beside care (RULES section 2, last row; Publication 502 has none of it).
NOT_CARE = (Code.FINANCE_CHARGE, Code.FINANCE_CHARGE_WAIVED, Code.RETURN_FEE)

NET_OF = """
    SELECT account_id, sum(cents) FILTER (WHERE code = ANY(%(not_care)s))::bigint,
           sum(-cents) FILTER (WHERE code = ANY(%(paid)s))::bigint
    FROM (SELECT debit_id AS account_id, code, amount_cents AS cents FROM ledger_transfer
          WHERE debit_id = ANY(%(accounts)s)
          UNION ALL
          SELECT credit_id, code, -amount_cents FROM ledger_transfer WHERE credit_id = ANY(%(accounts)s)) sides
    GROUP BY account_id
"""


NO_HSA_HERE = gettext_lazy(
    "An HSA cannot pay the premium of this coverage (IRS Publication 969). Choose another way to pay."
)


def label_of(payment: Payment) -> str:
    """How its card is labelled: as it was when it was chosen, or as it has been labelled since."""
    return payment.method_label or (payment.method.label if payment.method is not None else "")


def exceptions_for(payment: Payment, *, method: PaymentMethod | None = None) -> list[Attestation]:
    """The exceptions under which an HSA may pay the premiums of a payment: those that hold for every one of them.

    From 65 on counts for the card's owner, whose birth date we know where the owner is a member.
    """
    kinds = list(payment.allocations.values_list("bill__coverage__kind", flat=True))
    return exceptions_of(kinds, owner_id=method.user_id if method is not None else payment.payer_id)


def exceptions_of(kinds: Collection[str | None], *, owner_id: int | None) -> list[Attestation]:
    """The exceptions that hold for the premium of every one of these kinds of coverage, for a card of this user's."""
    if not kinds:
        return []
    allowed = [exception for exception in Attestation if all(_allows(kind, exception) for kind in kinds)]
    if not _is_too_young(owner_id):
        return allowed
    return [exception for exception in allowed if exception not in FROM_65]


def eligible_cents(bills: Iterable[Bill]) -> dict[int, int]:
    """US cents that pre-tax money may still pay on each medical bill, by its id.

    Interest and fees are left out until other money has paid them; what pre-tax money has paid, it paid on care.
    """
    bills = list(bills)
    net = _net_of([bill.receivable_id for bill in bills])
    settled, waiting = _pretax_cents(bills, SETTLED), _pretax_cents(bills, IN_FLIGHT)
    payable = payable_cents(bills)
    left = {}
    for bill in bills:
        not_care, paid = net.get(bill.receivable_id, (0, 0))
        not_care_left = max(0, not_care - max(0, paid - settled.get(bill.pk, 0)))
        care_left = bill.balance_cents - not_care_left - waiting.get(bill.pk, 0)
        left[bill.pk] = max(0, min(payable[bill.pk], care_left))
    return left


def why_not(legs: Sequence[Payment]) -> str:
    """Why the pre-tax ones among the payments of one checkout may not pay what they are for; empty where they may."""
    pretax = [leg for leg in legs if label_of(leg)]
    if not pretax:
        return ""
    if pretax[0].kind == Bill.Kind.PREMIUM:
        return next(filter(None, map(_why_not_a_premium, pretax)), "")
    wanted = dict(
        PaymentAllocation.objects.filter(payment__in=pretax).values_list("bill_id").annotate(Sum("amount_cents"))
    )
    left = eligible_cents(Bill.objects.filter(pk__in=wanted).select_related("receivable"))
    if all(cents <= left[bill_id] for bill_id, cents in wanted.items()):
        return ""
    most = sum(min(cents, left[bill_id]) for bill_id, cents in wanted.items())
    return _(
        "An HSA or FSA card can pay %(amount)s of this. The rest is interest or fees, which are not medical care: "
        "pay that with another card or bank account."
    ) % {"amount": format_usd(most)}


def most_cents(payment: Payment) -> int:
    """How much of what a checkout is for pre-tax money may pay, US cents; of premiums, all or nothing is asked."""
    if payment.kind == Bill.Kind.PREMIUM:
        return payment.amount_cents
    wanted = dict(payment.allocations.values_list("bill_id", "amount_cents"))
    left = eligible_cents(Bill.objects.filter(pk__in=wanted).select_related("receivable"))
    return sum(min(cents, left[bill_id]) for bill_id, cents in wanted.items())


def why_no_premium(label: str) -> str:
    """What stands beside a card that pays no premium: empty for one that may."""
    return _("An FSA cannot pay a premium.") if label == Label.FSA else ""


def _why_not_a_premium(payment: Payment) -> str:
    if Label.FSA in (payment.method_label, label_of(payment)) or (
        payment.method is not None and payment.method.label == Label.FSA
    ):
        return _("An FSA cannot pay a premium (IRS Publication 969). Choose another card or bank account.")
    allowed = exceptions_for(payment, method=payment.method)
    if not allowed:
        return str(NO_HSA_HERE)
    if payment.attestation not in allowed:
        return _(
            "An HSA pays a premium only in a few cases. Say which of them applies to you, or choose another way to pay."
        )
    return ""


def _allows(kind: str | None, exception: Attestation) -> bool:
    return kind is not None and exception in PREMIUMS[kind].exceptions


def _is_too_young(owner_id: int | None) -> bool:
    if owner_id is None:
        return False
    born = Member.objects.filter(user_id=owner_id).order_by("birth_date").values_list("birth_date", flat=True).first()
    if born is None:
        return False
    today = timezone.localdate()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < AGE_OF_MEDICARE


def _net_of(accounts: list[int]) -> dict[int, tuple[int, int]]:
    """Of each receivable: what stands on it beside care, and what was paid on it, both net, US cents: one query."""
    given = {"accounts": accounts, "not_care": [int(code) for code in NOT_CARE], "paid": [int(code) for code in PAID]}
    with connection.cursor() as cursor:
        cursor.execute(NET_OF, given)
        return {account: (not_care or 0, paid or 0) for account, not_care, paid in cursor.fetchall()}


def _pretax_cents(bills: Collection[Bill], statuses: Collection[str]) -> dict[int, int]:
    """US cents of HSA and FSA cards in payments of these states, by bill."""
    rows = (
        PaymentAllocation.objects.filter(bill__in=bills, payment__status__in=statuses)
        .exclude(payment__method_label="")
        .values_list("bill_id")
        .annotate(cents=Sum("amount_cents"))
    )
    return dict(rows)
