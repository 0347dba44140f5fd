"""Split tender: one checkout that several methods share, HSA for part and a card for the rest.

Each part is a draft of its own, chosen, charged, posted and refunded by itself; they are reviewed and sent together
(checkout.confirm) and have one receipt.
"""

from django.utils.translation import gettext as _

from accounts.visibility import Scope
from bills import numbers
from ledger.money import format_usd
from ledger.transactions import atomic_with_retry
from payments import checkout, legs
from payments.checkout import MIN_CENTS, AmountExceedsPayable, BelowMinimum, CheckoutError, NotADraft
from payments.models import Payment, PaymentAllocation, PaymentSplit
from payments.states import PaymentStatus

MAX_LEGS = 3
UNPAID = (PaymentStatus.FAILED, PaymentStatus.CANCELED)


class TooManyMethods(CheckoutError):
    """More methods than one checkout takes."""


@atomic_with_retry
def part(payment: Payment, *, first_cents: int) -> Payment:
    """Leave `first_cents` US cents of a draft to its own method; the new draft of the rest, to choose another for.

    Raises TooManyMethods, BelowMinimum, AmountExceedsPayable, NotADraft.
    """
    shared = _drafts(payment.pk)
    leg = next(each for each in shared if each.pk == payment.pk)
    if len(shared) >= MAX_LEGS:
        raise TooManyMethods(_("A payment can be shared by at most %(count)d methods.") % {"count": MAX_LEGS})
    assert leg.payer is not None  # _drafts
    rest_cents = leg.amount_cents - first_cents
    if first_cents < MIN_CENTS:
        raise BelowMinimum(_("The least you can pay is %(amount)s.") % {"amount": format_usd(MIN_CENTS)})
    if rest_cents < MIN_CENTS:
        raise AmountExceedsPayable(
            _("Leave at least %(least)s for the other method: write at most %(most)s.")
            % {"least": format_usd(MIN_CENTS), "most": format_usd(max(0, leg.amount_cents - MIN_CENTS))}
        )
    split_id = leg.split_id or PaymentSplit.objects.create(payer=leg.payer).pk
    rest = Payment.objects.create(
        number=numbers.draw(groups=3), household_id=leg.household_id, payer=leg.payer, kind=leg.kind,
        channel=leg.channel, amount_cents=rest_cents, split_id=split_id,
    )  # fmt: skip
    # A wallet's sheet named the whole amount: what was typed is typed again.
    Payment.objects.filter(pk=leg.pk).update(
        split_id=split_id, amount_cents=first_cents, confirmation_token="", saves_method=False,
        **({} if leg.method_id else _UNCHOSEN),
    )  # fmt: skip
    _share_between(leg, rest, first_cents)
    legs.share_out(legs.locked(leg.pk))
    return rest


@atomic_with_retry
def join(payment: Payment) -> Payment:
    """Give the whole of a checkout that was shared back to its first draft. Raises NotADraft."""
    shared = _drafts(payment.pk)
    first = shared[0]
    wanted = legs.wanted_cents(shared)
    # The others stay as drafts that nobody leads to: whoever sends one is refused what is on its way already.
    Payment.objects.filter(pk__in=[leg.pk for leg in shared]).update(split=None)
    PaymentAllocation.objects.filter(payment=first).delete()
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment=first, bill_id=bill_id, amount_cents=cents) for bill_id, cents in wanted.items()
    )
    Payment.objects.filter(pk=first.pk).update(
        amount_cents=sum(wanted.values()), method=None, confirmation_token="", saves_method=False, **_UNCHOSEN
    )
    first.refresh_from_db()
    return first


def unchosen(payment: Payment) -> Payment | None:
    """The first draft of a checkout for which no method has been chosen yet."""
    return next((leg for leg in legs.of(payment) if not leg.method_id and not leg.confirmation_token), None)


def rest_again(payment: Payment, scope: Scope) -> Payment:
    """The draft that pays what did not go through of a checkout, by another method: the same one however often asked.

    Raises CheckoutError where its bills can no longer take it, or nothing of it failed.
    """
    payer = payment.payer
    unpaid = [leg for leg in legs.of(payment) if leg.status in UNPAID]
    if payer is None or payer.pk != scope.user_id or not unpaid:
        raise NotADraft(_("There is nothing left to pay of this payment."))
    wanted = PaymentAllocation.objects.filter(payment__in=unpaid).order_by("pk")
    amounts: dict[str, int] = {}
    for number, cents in wanted.values_list("bill__number", "amount_cents"):
        amounts[number] = amounts.get(number, 0) + cents
    key = "again:" + "-".join(str(leg.pk) for leg in unpaid)
    return checkout.begin(scope, payer=payer, amounts=amounts, client_key=key)


_UNCHOSEN = {
    "method_kind": "", "method_brand": "", "method_last4": "", "method_wallet": "", "method_label": "",
    "attestation": "",
}  # fmt: skip


def _share_between(leg: Payment, rest: Payment, first_cents: int) -> None:
    """Allocate both parts before it is known which of them is pre-tax."""
    wanted = dict(leg.allocations.order_by("bill_id").values_list("bill_id", "amount_cents"))
    parts = legs.shares(wanted, {}, [(leg.pk, first_cents, False), (rest.pk, rest.amount_cents, False)])
    leg.allocations.all().delete()
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment_id=leg_id, bill_id=bill_id, amount_cents=cents)
        for leg_id, shares in parts.items()
        for bill_id, cents in shares.items()
        if cents
    )


def _drafts(payment_id: int) -> list[Payment]:
    """The payments of a checkout, locked; all of them drafts that wait for their payer. Raises NotADraft."""
    try:
        shared = legs.locked(payment_id)
    except legs.Changed as error:
        raise NotADraft(_("This payment was changed in another window. Look at it again.")) from error
    if any(leg.status != PaymentStatus.DRAFT or leg.payer_id is None or leg.scheduled_on for leg in shared):
        raise NotADraft(_("This payment has been sent already."))
    return shared
