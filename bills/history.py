"""Everything that happened to a bill's balance: read straight from the ledger's transfers."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, F, Q, Sum, When
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bills.models import Bill, FinanceCharge
from ledger.chart import CODES_OF_PAYMENT, Code
from ledger.models import Transfer
from ledger.money import format_usd

MAX_ENTRIES = 200  # of one bill's history on a page; the oldest are summed up in the first line

LABELS: dict[int, Promise] = {
    Code.BILL_ISSUED: gettext_lazy("Bill issued"),
    Code.BILL_RAISED: gettext_lazy("Corrected: your share went up"),
    Code.BILL_LOWERED: gettext_lazy("Corrected: your share went down"),
    Code.BILL_VOIDED: gettext_lazy("Bill withdrawn: you do not owe it"),
    Code.PAYMENT: gettext_lazy("Payment"),
    Code.CREDIT_APPLIED: gettext_lazy("Household credit used"),
    Code.CREDIT_RAISED: gettext_lazy("Overpaid amount moved to your household credit"),
    Code.LOCKBOX_PAYMENT: gettext_lazy("Payment by paper check"),
    Code.REFUND: gettext_lazy("Refund to you"),
    Code.BANK_RETURN: gettext_lazy("Payment returned by your bank"),
    Code.DISPUTE: gettext_lazy("Payment disputed with your bank"),
    Code.FINANCE_CHARGE: gettext_lazy("Finance charge"),
    Code.FINANCE_CHARGE_WAIVED: gettext_lazy("Finance charge waived"),
    Code.RETURN_FEE: gettext_lazy("Fee for a returned payment"),
    Code.ASSISTANCE: gettext_lazy("Financial assistance"),
    Code.SUBSIDY: gettext_lazy("Premium tax credit"),
    Code.CHARITABLE_SUBSIDY: gettext_lazy("Charitable coverage"),
    Code.SUBSIDY_WITHDRAWN: gettext_lazy("Premium tax credit withdrawn"),
    Code.ADJUSTMENT: gettext_lazy("Adjusted by Member Services"),
    Code.WRITE_OFF: gettext_lazy("Forgiven"),
}
# What undid one of these, where "taken back" would say the opposite of what happened.
LABELS_UNDONE: dict[int, Promise] = {
    Code.REFUND: gettext_lazy("Refund that could not be sent"),
    Code.BANK_RETURN: gettext_lazy("Returned payment came through after all"),
    Code.DISPUTE: gettext_lazy("Disputed payment stands again"),
    Code.RETURN_FEE: gettext_lazy("Fee for a returned payment taken off"),
}
UNDOING = (Code.FINANCE_CHARGE_WAIVED,)  # says itself that it takes something back


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of a bill's balance, US cents: up is positive."""

    on: dt.date
    label: str
    note: str
    change_cents: int
    balance_cents: int
    is_payment: bool = False


def entries(bill: Bill) -> list[Entry]:
    """The movements of a bill's balance, the earliest first, each with the balance after it. One query.

    Beyond MAX_ENTRIES the earliest are one line, so that the balances still run to the present one.
    """
    account_id = bill.receivable_id
    newest = list(
        Transfer.objects.filter(Q(debit_id=account_id) | Q(credit_id=account_id)).order_by("-id")[: MAX_ENTRIES + 1]
    )
    balance, found, reasons = bill.balance_cents, [], _reasons(bill, newest)
    for transfer in newest[:MAX_ENTRIES]:
        change = transfer.amount_cents if transfer.debit_id == account_id else -transfer.amount_cents
        is_payment = transfer.code == Code.PAYMENT and transfer.reverses_id is None
        label = label_of(transfer.code, is_undone=transfer.reverses_id is not None)
        note = reasons.get(transfer.key) or _note(transfer)
        found.append(Entry(transfer.effective_on, label, note, change, balance, is_payment))
        balance -= change
    if len(newest) > MAX_ENTRIES:
        found.append(Entry(newest[-1].effective_on, _("Everything before"), "", balance, balance))
    return found[::-1]


def paid_cents(bills: Sequence[Bill]) -> dict[int, int]:
    """US cents paid on each bill that anything was paid on, less what went back and did not come again. One query."""
    ids = [bill.receivable_id for bill in bills]
    by_account = {bill.receivable_id: bill.pk for bill in bills}
    rows = (
        Transfer.objects.filter(Q(credit_id__in=ids) | Q(debit_id__in=ids), code__in=CODES_OF_PAYMENT)
        .annotate(
            account_id=Case(When(credit_id__in=ids, then=F("credit_id")), default=F("debit_id")),
            cents=Case(When(credit_id__in=ids, then=F("amount_cents")), default=-F("amount_cents")),
        )
        .values_list("account_id")
        .annotate(Sum("cents"))
    )
    return {by_account[account_id]: cents for account_id, cents in rows}


def label_of(code: int, *, is_undone: bool = False) -> str:
    """What a movement of this code is called; `is_undone`: it undoes one."""
    if is_undone and code in LABELS_UNDONE:
        return str(LABELS_UNDONE[code])
    label = str(LABELS.get(code, Code(code).label))
    return _("Taken back: %(what)s") % {"what": label} if is_undone and code not in UNDOING else label


def charge_reason(charge: FinanceCharge) -> str:
    """Why a charge for paying late was made, in words."""
    if charge.kind == FinanceCharge.Kind.LATE_FEE:
        return _("Late fee: %(amount)s was past due all of %(month)s") % {
            "amount": format_usd(charge.base_cents), "month": date_format(charge.month, "YEAR_MONTH_FORMAT"),
        }  # fmt: skip
    return _("Interest for %(month)s: %(rate)s%% a year on %(amount)s that was past due all month") % {
        "month": date_format(charge.month, "YEAR_MONTH_FORMAT"), "rate": f"{charge.rate_bp / 100:g}",
        "amount": format_usd(charge.base_cents),
    }  # fmt: skip


def _reasons(bill: Bill, transfers: Sequence[Transfer]) -> dict[str, str]:
    """The reason of each charge for paying late, by its transfer's key: no query where there is none."""
    if not any(transfer.code == Code.FINANCE_CHARGE for transfer in transfers):
        return {}
    return {
        f"bill:{bill.pk}:{charge.kind}:{charge.month:%Y-%m}": charge_reason(charge)
        for charge in FinanceCharge.objects.filter(bill=bill)
    }


def _note(transfer: Transfer) -> str:
    """The number of the payment that moved the balance."""
    subject, _colon, number = transfer.reference.rpartition("payment:")
    return number if _colon and not subject.strip().startswith("bill:") else ""
