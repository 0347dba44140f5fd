"""Payments in words: what a method is called, and what each state means to the person who paid."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments import methods
from payments.models import Payment, PaymentMethod, Refund
from payments.states import PAPER_CHECK, PaymentStatus

BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
PILLS = {"good": "paid", "waiting": "due", "bad": "late"}
WALLETS = {"apple_pay": "Apple Pay", "google_pay": "Google Pay", "link": "Link"}


@dataclass(frozen=True, slots=True)
class State:
    """A state in words: its name, what it means, and the pill's look (good, waiting, bad or plain)."""

    name: str
    meaning: str
    tone: str

    @property
    def pill(self) -> str:
        """The look of its pill: paid, due, late, or none."""
        return PILLS.get(self.tone, "")


@dataclass(frozen=True, slots=True)
class Option:
    """A saved method as it is offered: what it is called, what is said below, and whether it can be chosen."""

    key: str
    method: PaymentMethod
    name: str
    note: str
    is_expired: bool


MEANINGS: dict[str, tuple[Promise, str]] = {
    PaymentStatus.DRAFT: (gettext_lazy("Nothing has been sent yet."), "plain"),
    PaymentStatus.SUBMITTED: (
        gettext_lazy("We are confirming your payment. You do not need to pay again."), "waiting",
    ),
    PaymentStatus.REQUIRES_ACTION: (
        gettext_lazy("Your bank asks you to confirm this payment. Until then you have not been charged."), "waiting",
    ),
    PaymentStatus.PROCESSING: (
        gettext_lazy("Your payment is on its way. You do not need to pay again."), "waiting",
    ),
    PaymentStatus.SUCCEEDED: (gettext_lazy("Your payment was received and is on your account."), "good"),
    PaymentStatus.FAILED: (gettext_lazy("This payment did not go through. You have not been charged."), "bad"),
    PaymentStatus.CANCELED: (gettext_lazy("This payment was canceled. You have not been charged."), "plain"),
    PaymentStatus.PARTIALLY_REFUNDED: (gettext_lazy("Part of this payment was sent back to you."), "good"),
    PaymentStatus.REFUNDED: (gettext_lazy("All of this payment was sent back to you."), "plain"),
    PaymentStatus.DISPUTED: (gettext_lazy("Your bank has questioned this payment. We are looking into it."), "waiting"),
    PaymentStatus.RETURNED: (
        gettext_lazy("Your bank took this payment back. The amount is owed again."), "bad",
    ),
}  # fmt: skip

REFUND_MEANINGS: dict[str, Promise] = {
    Refund.Status.AWAITING_APPROVAL: gettext_lazy("A second person of Member Services checks it before it is sent."),
    Refund.Status.SUBMITTED: gettext_lazy("We have asked for this refund and wait for it to be confirmed."),
    Refund.Status.PENDING: gettext_lazy("Your bank has it and has not confirmed it yet."),
    Refund.Status.SUCCEEDED: gettext_lazy("It is sent. If you do not see it by then, ask your bank or call us."),
    Refund.Status.FAILED: gettext_lazy(
        "Your bank did not take it, so we still owe you this money. Member Services will reach you to send it another"
        " way."
    ),
    Refund.Status.CANCELED: gettext_lazy("It was canceled. Member Services will reach you about it."),
    Refund.Status.DECLINED: gettext_lazy("It was not approved, and nothing was sent."),
}


def state_of(payment: Payment) -> State:
    """The state of a payment, in words."""
    meaning, tone = MEANINGS[payment.status]
    return State(payment.get_status_display(), str(meaning), tone)


def refund_meaning(refund: Refund) -> str:
    """What the state of a refund means."""
    return str(REFUND_MEANINGS[refund.status])


def method_of(payment: Payment) -> str:
    """What a payment was or will be made with: "Visa ending in 4242". Empty where nothing is chosen yet."""
    return name(payment.method_kind, payment.method_brand, payment.method_last4, payment.method_wallet)


def saved(method: PaymentMethod) -> str:
    """What a saved method is called: "Visa ending in 4242"."""
    return name(method.kind, method.brand, method.last4, method.wallet, bank_name=method.bank_name)


def option(method: PaymentMethod) -> Option:
    """A saved method as it is offered for a choice."""
    is_expired = methods.is_expired(method)
    notes = [method.nickname]
    if method.expires_year is not None and method.expires_month is not None:
        until = f"{method.expires_month:02d}/{method.expires_year % 100:02d}"
        notes.append((_("Expired %(until)s") if is_expired else _("Expires %(until)s")) % {"until": until})
    if method.is_default:
        notes.append(_("your default"))
    return Option(str(method.pk), method, saved(method), " · ".join(filter(None, notes)), is_expired)


def name(kind: str, brand: str, last4: str, wallet: str = "", *, bank_name: str = "") -> str:
    """The words for a method of this kind, brand and last four digits."""
    if not kind:
        return ""
    if kind == PAPER_CHECK:
        return _("Check %(number)s") % {"number": brand}
    if kind == PaymentMethod.Kind.BANK_ACCOUNT:
        what = bank_name or _("Bank account")
    else:
        what = BRANDS.get(brand, brand.title()) or _("Card")
    named = _("%(method)s ending in %(last4)s") % {"method": what, "last4": last4} if last4 else what
    return f"{WALLETS[wallet]}, {named}" if wallet in WALLETS else named
