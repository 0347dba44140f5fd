"""An R4 Invoice as a bill. Accounts and charge items by themselves ask nobody for money (docs/imports.md)."""

from django.utils.translation import gettext_noop

from bills.imports.adjudication import HALF_CENT, apart
from bills.imports.eob import refuse_modifiers
from bills.imports.problems import NeedsReview, Refused, Skipped
from bills.imports.records import Amounts, Line, Names, Record
from bills.imports.values import (
    Cents,
    Json,
    amount_of,
    cents,
    date_of,
    dictionary,
    objects,
    reference_key,
    text,
)  # fmt: skip
from bills.models import Claim

TITLE = gettext_noop("Medical services")
KIND = "invoice"
MAX_LINES = 1000
STATUSES = {
    "issued": Claim.Status.ACTIVE,
    "cancelled": Claim.Status.CANCELED,
    "entered-in-error": Claim.Status.CANCELED,
}


def read(invoice: Json, *, key: str, version: str, aliases: dict[str, str], names: Names) -> Record:
    """The bill of an Invoice: what its totalGross says. Raises Refused, NeedsReview or Skipped."""
    status = invoice.get("status")
    if status in ("draft", "balanced"):
        raise Skipped("invoice_not_due", "an invoice that is a draft or paid already")
    if status not in STATUSES:
        raise Refused("status", "The status of the invoice is none that is known.", "status")
    items = objects(invoice.get("lineItem"))
    refuse_modifiers(invoice, *items)
    if len(items) > MAX_LINES:
        raise Refused("too_many_lines", f"An invoice has at most {MAX_LINES} lines.", "lineItem")
    gross = amount_of(invoice.get("totalGross"), "totalGross")
    total = gross if gross is not None else amount_of(invoice.get("totalNet"), "totalNet")
    if total is None:
        raise NeedsReview("share_not_stated", "The invoice has no total.", "totalGross")
    if total < 0:
        raise NeedsReview("negative_amount", "The total is below zero: is this a credit?", "totalGross")
    if not (member_key := reference_key(invoice.get("subject"), "Patient", aliases)):
        raise Refused("patient_missing", "The invoice does not say whose it is.", "subject")
    if (on := date_of(invoice.get("date"))) is None:
        raise Refused("service_date", "The invoice has no date.", "date")
    due_cents = cents(total, "totalGross")
    amounts = Amounts(billed_cents=due_cents)
    issuer = dictionary(invoice.get("issuer"))
    reference = issuer.get("reference")
    known = names.get(aliases.get(reference, reference)) if isinstance(reference, str) else ""
    numbers = [text(identifier.get("value"), 60) for identifier in objects(invoice.get("identifier"))]
    return Record(
        source_id=key,
        member_key=member_key,
        number=next(filter(None, numbers), "") or text(invoice.get("id"), 60),
        kind=KIND,
        title=TITLE,
        provider_name=known or text(issuer.get("display"), 200),
        service_on=on,
        processed_on=on,
        version=version,
        status=STATUSES[status],
        amounts=amounts,
        owes_cents=due_cents,
        due_cents=due_cents,
        lines=[Line(TITLE, on, amounts)],
        bill_lines=_lines(items, total, due_cents) or [Line(TITLE, on, amounts, share_cents=due_cents)],
    )


def _lines(items: list[Json], total: Cents, due_cents: int) -> list[Line]:
    """The invoice's lines where each states its price. Raises NeedsReview where they do not sum to the total."""
    prices = [_price(item) for item in items]
    stated = [price for price in prices if price is not None]
    if not items or len(stated) < len(items):
        return []
    if apart(sum(stated), total) > HALF_CENT * len(items):
        raise NeedsReview("lines_disagree", "The lines do not sum to the total.", "totalGross")
    rounded = [cents(price, "lineItem.priceComponent.amount") for price in stated]
    rounded[-1] += due_cents - sum(rounded)
    return [
        Line(_described(item), None, Amounts(billed_cents=max(0, price)), share_cents=price)
        for item, price in zip(items, rounded, strict=True)
    ]


def _price(item: Json) -> Cents | None:
    """What a line costs: its components, where deductions and discounts are written with their sign."""
    amounts = [
        amount
        for component in objects(item.get("priceComponent"))
        if component.get("type") != "informational"
        and (amount := amount_of(component.get("amount"), "lineItem.priceComponent.amount")) is not None
    ]
    return sum(amounts) if amounts else None


def _described(item: Json) -> str:
    concept = dictionary(item.get("chargeItemCodeableConcept"))
    shown = [text(coding.get("display"), 300) for coding in objects(concept.get("coding"))]
    return text(concept.get("text"), 300) or next(filter(None, shown), TITLE)
