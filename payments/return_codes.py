"""The return codes of bank accounts: what each does to the payment's account, and what the payer is told.

The codes are Nacha's, the columns are ours (RULES section 3.3): whether the same debit may be sent again, what becomes
of the saved account, of autopay on it, and whether a person of staff has to look. Every text is plain, true whoever
reads it, and ends with what to do next. A code that is not here is read as a bank that could not take the debit.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Retry(StrEnum):
    """Whether the same debit may be sent again."""

    TWICE = "twice"  # of the same amount, within 180 days: for want of money only
    ON_REQUEST = "on_request"  # when the payer says so
    NEVER = "never"


class Account(StrEnum):
    """What becomes of the saved account."""

    KEPT = "kept"
    DISABLED = "disabled"  # it cannot be debited; the payer gives another
    BLOCKED = "blocked"  # the payer's leave is gone: the mandate with it
    REVIEWED = "reviewed"  # a person decides
    UPDATED = "updated"  # the bank says what has changed
    UNTOUCHED = "untouched"  # not about the account at all


class Autopay(StrEnum):
    """What becomes of autopay on that account."""

    KEPT = "kept"
    SUSPENDED = "suspended"
    CANCELED = "canceled"
    SKIPPED = "skipped"  # this one charge
    UNTOUCHED = "untouched"


class Texts:
    """What the payer reads. Several codes share one: what differs between them helps nobody who reads it."""

    NO_MONEY = _(
        "There was not enough money in the account when your bank was asked. You can pay again once it is there, or"
        " with a card."
    )
    CLOSED = _("Your bank says that this account is closed. Pay with another account or a card.")
    NOT_FOUND = _(
        "Your bank could not find this account. Add the account again with its numbers from a check or your bank's"
        " website, or pay with a card."
    )
    NOT_FOR_DEBITS = _("This kind of account cannot be used for payments like this one. Pay with another or a card.")
    NOT_AUTHORIZED = _(
        "Your bank told us that this payment was not authorized. We will not debit this account again. If that is a"
        " mistake, call us; to pay, use a card or add an account."
    )
    OTHER_TERMS = _(
        "Your bank told us that this payment was not as you had agreed. We will not debit this account again until we"
        " have looked. Call us, or pay with a card."
    )
    STOPPED = _("You asked your bank to stop this payment. When you want to pay after all, start a new payment.")
    FROZEN = _("Your bank does not let money leave this account now. Ask your bank why, or pay another way.")
    HOLDER = _(
        "Your bank cannot take payments from this account any more. Call us: we will help you with what is next."
    )
    ASKED_BACK = _("Our bank asked for this payment back. We are looking into it, and you need not do anything now.")
    TWICE = _("Your bank had this payment twice and sent one of them back. We are looking into it.")
    TECHNICAL = _(
        "The banks could not pass this payment on. It is not your fault. Pay again, or with a card, or call us."
    )
    BETWEEN_BANKS = _("The banks are settling this between them. You need not do anything now.")
    REFUND_REFUSED = _(
        "Your bank did not take the money that we sent you. It is still yours: we will send it another way."
    )
    CHANGED = _("Your bank told us new details of this account. You need not do anything.")


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """One code: in a few words for staff, what follows from it, and what the payer is told."""

    code: str
    title: str
    text: Promise
    retry: Retry
    account: Account
    autopay: Autopay
    needs_staff: bool = False

    @property
    def is_unauthorized(self) -> bool:
        """Whether the payer's leave to debit the account is gone: no new debit without a new mandate, and no fee."""
        return self.account is Account.BLOCKED

    @property
    def stops_account(self) -> bool:
        """Whether the saved account is not to be debited again."""
        return self.account in (Account.DISABLED, Account.BLOCKED)


def _rows(
    titles: dict[str, str],
    text: Promise,
    *,
    retry: Retry = Retry.NEVER,
    account: Account = Account.KEPT,
    autopay: Autopay = Autopay.KEPT,
    needs_staff: bool = False,
) -> list[ReturnCode]:
    return [ReturnCode(code, title, text, retry, account, autopay, needs_staff) for code, title in titles.items()]


_WANT_OF_MONEY = {"R01": "Not enough money", "R09": "Money not collected yet"}
_CLOSED = {"R02": "Account closed"}
_NOT_FOUND = {"R03": "No such account", "R04": "Account number not valid"}
_NO_DEBITS = {"R13": "Bank takes no such debits", "R20": "Account not for payments"}
_UNAUTHORIZED = {
    "R05": "Business debit to a person's account", "R07": "Leave withdrawn", "R10": "Payer does not know us",
    "R29": "Business says not authorized", "R51": "Check debit not proper",
}  # fmt: skip
_OTHER_TERMS = {"R11": "Not as agreed"}
_STOPPED = {"R08": "Payment stopped", "R38": "Check stopped", "R52": "Check stopped, debit too"}
_FROZEN = {"R16": "Account frozen"}
_HOLDER = {"R14": "Payee for another has died or cannot act", "R15": "Account holder has died"}
_ASKED_BACK = {"R06": "Our bank asked for it back", "R31": "Returned with our bank's leave"}
_DUPLICATE = {"R24": "Sent twice", "R37": "Check was cashed too", "R53": "Check and debit both taken"}
_REFUND_REFUSED = {"R23": "Refund not taken"}
_TECHNICAL = {
    "R12": "Branch sold to another bank", "R17": "Fields not in order", "R18": "Date not in order",
    "R19": "Amount not in order", "R21": "Company number not valid", "R22": "Person's number not valid",
    "R25": "Extra record not in order", "R26": "Field missing", "R27": "Trace number not in order",
    "R28": "Routing number does not add up", "R30": "Bank keeps no copies of checks", "R32": "Bank cannot settle",
    "R33": "Check debit sent back", "R34": "Bank is limited by its supervisor", "R35": "Debit not allowed here",
    "R39": "Check not proper", "R50": "State's law on checks",
    "R80": "International: coding", "R81": "International: not taking part", "R82": "International: bank unknown",
    "R83": "International: cannot settle", "R84": "International: not passed on", "R85": "International: coding here",
}  # fmt: skip
_ENROLLMENT = {
    "R40": "Enrollment sent back", "R41": "Enrollment: transaction code", "R42": "Enrollment: routing number",
    "R43": "Enrollment: account number", "R44": "Enrollment: person's number", "R45": "Enrollment: name",
    "R46": "Enrollment: payee", "R47": "Enrollment sent twice",
}  # fmt: skip
_BETWEEN_BANKS = {
    "R61": "Return to the wrong bank", "R62": "Return of a reversal", "R67": "Return sent twice",
    "R68": "Return too late", "R69": "Return not in order", "R70": "Return not agreed to",
    "R71": "Answer to the wrong bank", "R72": "Answer too late", "R73": "Return was in time",
    "R74": "Return put in order", "R75": "Return not sent twice", "R76": "Return was in order",
    "R77": "Return of a reversal stands",
}  # fmt: skip
_CHANGES = {
    "C01": "Account number", "C02": "Routing number", "C03": "Routing and account number", "C04": "Name",
    "C05": "Kind of account", "C06": "Account number and kind", "C07": "Routing, account number and kind",
    "C08": "Foreign bank", "C09": "Person's number", "C13": "Extra record", "C14": "Kind of entry for a foreign bank",
}  # fmt: skip
_CHANGES_REFUSED = {
    "C61": "Notice to the wrong bank", "C62": "Notice: trace number", "C63": "Notice: company number",
    "C64": "Notice: person's number", "C65": "Notice: new data", "C66": "Notice: fields",
    "C67": "Notice: routing number", "C68": "Notice: account number", "C69": "Notice: transaction code",
}  # fmt: skip

CODES: dict[str, ReturnCode] = {
    row.code: row
    for rows in (
        _rows(_WANT_OF_MONEY, Texts.NO_MONEY, retry=Retry.TWICE),
        _rows(_CLOSED, Texts.CLOSED, account=Account.DISABLED, autopay=Autopay.SUSPENDED),
        _rows(_NOT_FOUND, Texts.NOT_FOUND, account=Account.DISABLED, autopay=Autopay.SUSPENDED),
        _rows(_NO_DEBITS, Texts.NOT_FOR_DEBITS, account=Account.DISABLED, autopay=Autopay.SUSPENDED),
        _rows(
            _UNAUTHORIZED, Texts.NOT_AUTHORIZED, account=Account.BLOCKED, autopay=Autopay.CANCELED, needs_staff=True
        ),
        _rows(_OTHER_TERMS, Texts.OTHER_TERMS, account=Account.BLOCKED, autopay=Autopay.CANCELED, needs_staff=True),
        _rows(_STOPPED, Texts.STOPPED, retry=Retry.ON_REQUEST, autopay=Autopay.SKIPPED),
        _rows(_FROZEN, Texts.FROZEN, account=Account.DISABLED, autopay=Autopay.SUSPENDED),
        _rows(_HOLDER, Texts.HOLDER, account=Account.DISABLED, autopay=Autopay.CANCELED, needs_staff=True),
        _rows(
            _ASKED_BACK, Texts.ASKED_BACK, account=Account.REVIEWED, autopay=Autopay.UNTOUCHED, needs_staff=True
        ),
        _rows(_DUPLICATE, Texts.TWICE, needs_staff=True),
        _rows(
            _REFUND_REFUSED, Texts.REFUND_REFUSED, account=Account.UNTOUCHED, autopay=Autopay.UNTOUCHED,
            needs_staff=True,
        ),
        _rows(_TECHNICAL, Texts.TECHNICAL, account=Account.REVIEWED, needs_staff=True),
        _rows(
            _ENROLLMENT, Texts.TECHNICAL, account=Account.UNTOUCHED, autopay=Autopay.UNTOUCHED, needs_staff=True
        ),
        _rows(
            _BETWEEN_BANKS, Texts.BETWEEN_BANKS, account=Account.UNTOUCHED, autopay=Autopay.UNTOUCHED,
            needs_staff=True,
        ),
        _rows(_CHANGES, Texts.CHANGED, account=Account.UPDATED),
        _rows(
            _CHANGES_REFUSED, Texts.BETWEEN_BANKS, account=Account.UNTOUCHED, autopay=Autopay.UNTOUCHED,
            needs_staff=True,
        ),
    )
    for row in rows
}  # fmt: skip

UNKNOWN = ReturnCode(
    "", "Bank could not take it", Texts.TECHNICAL, Retry.NEVER, Account.REVIEWED, Autopay.KEPT, needs_staff=True
)

# Where the provider names no code: its failure codes of a debit (docs.stripe.com/error-codes, us_bank_account), and its
# reasons of a dispute of one (docs.stripe.com/payments/ach-direct-debit, disputed payments).
OF_FAILURE = {
    "insufficient_funds": "R01",
    "account_closed": "R02",
    "no_account": "R03",
    "bank_ownership_changed": "R03",
    "invalid_account_number": "R04",
    "bank_account_invalid": "R04",
    "incorrect_account_details": "R03",
    "debit_not_authorized": "R10",
    "bank_account_restricted": "R16",
}


def of(code: str, *, reason: str = "") -> ReturnCode:
    """What a return means: by its code, else by the provider's reason or failure code, else as of an unknown one."""
    return CODES.get(code) or CODES.get(OF_FAILURE.get(reason, "")) or UNKNOWN
