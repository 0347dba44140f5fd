"""What a check found, in plain words: the sums, what it means, and the one thing to do about it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from accounts.visibility import Scope
from bills import check_facts, checking
from bills.checking import Finding, Flag, Result
from bills.explaining import Row
from bills.models import Bill, Hold
from ledger.money import format_usd
from ledger.templatetags.portal import day_long


@dataclass(frozen=True, slots=True)
class Told:
    """One finding as it stands on the page."""

    flag: str
    heading: str
    meaning: str
    sums: tuple[Row, ...]
    action: str
    claim_number: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """The check of one bill as it stands on the page."""

    matches: bool
    told: tuple[Told, ...]
    summary: str
    tells_of_hold: bool = False  # that the bill waits for its claim alone: nothing else is to say so


CAUSES: dict[Flag, Hold.Cause] = {
    Flag.CLAIM_OPEN: Hold.Cause.QUESTION,
    Flag.NOT_YOUR_SHARE: Hold.Cause.DISPUTE,
    Flag.MORE_THAN_CLAIM: Hold.Cause.DISPUTE,
    Flag.BILLED_TWICE: Hold.Cause.DISPUTE,
    Flag.OVER_MAXIMUM: Hold.Cause.DISPUTE,
    Flag.ABOVE_ESTIMATE: Hold.Cause.ESTIMATE,
}


def of_bill(bill: Bill, scope: Scope, causes: Collection[str] = ()) -> Checked | None:
    """The check of a medical bill for a viewer who sees its services; None of any other bill, and of a void one.

    `causes`: for what the bill waits.
    """
    if bill.kind != Bill.Kind.MEDICAL or bill.voided_at is not None:
        return None
    checked = told(checking.check(check_facts.gather(bill, scope=scope)))
    is_open = any(each.flag == Flag.CLAIM_OPEN for each in checked.told)
    checked = replace(checked, tells_of_hold=is_open and set(causes) == {Hold.Cause.CLAIM_OPEN})
    if bill.member_id in scope.clinical_ids:
        return checked
    return replace(checked, told=tuple(replace(each, claim_number="") for each in checked.told))  # not theirs to open


def told(result: Result) -> Checked:
    """A result in words."""
    if result.findings:
        summary = ""
    elif result.is_compared:
        summary = _("This bill matches its claim: you are asked for no more than the claim says you owe.")
    else:
        summary = _("There is no claim to compare this bill with yet. Ask us if it looks wrong.")
    return Checked(result.matches, tuple(_WORDS[finding.flag](finding) for finding in result.findings), summary)


def _open(finding: Finding) -> Told:
    return Told(
        finding.flag,
        _("The claim for this bill is not decided yet"),
        _(
            "Nothing is due until your plan has decided. No reminder is sent and nothing is charged by itself. You can "
            "pay now if you want to; the amount may still change."
        ),
        (Row(_("This bill asks for, so far"), finding.sums["charged"]),),
        _("Ask about this bill"),
        finding.about,
    )


def _not_share(finding: Finding) -> Told:
    sums = finding.sums
    if "cost_share" in sums:
        heading = _("You do not owe deductibles or copayments for this service")
        meaning = _(
            "Your plan’s payment notice says that you are a Qualified Medicare Beneficiary. Nobody may ask you for "
            "a deductible, a copayment or coinsurance. Dispute the bill and we take it off."
        )
        rows = [Row(_("This bill asks for"), sums["charged"]), Row(_("Of it, what nobody may ask of you"),
                sums["cost_share"])]  # fmt: skip
    else:
        heading = _("This bill asks for %(amount)s that the provider gave up") % _amount(finding)
        meaning = _(
            "The provider agreed with your plan to a lower price. What lies above that price is written off: it is not "
            "your share, and a provider of your network may not bill you for it."
        )
        rows = [
            Row(_("This bill asks for"), sums["charged"]),
            Row(_("Claim %(number)s says you owe") % {"number": finding.about}, sums["share"]),
            Row(_("Your plan’s discount, which nobody owes"), sums["discount"]),
        ]
    return Told(finding.flag, heading, meaning, tuple(rows), _("Dispute this bill"), finding.about)


def _more(finding: Finding) -> Told:
    return Told(
        finding.flag,
        _("This bill is %(amount)s more than your claim says you owe") % _amount(finding),
        _("If you ask us to check, nothing is due and no reminder is sent until we answer."),
        (
            Row(_("This bill asks for"), finding.sums["charged"]),
            Row(_("Claim %(number)s says you owe") % {"number": finding.about}, finding.sums["share"]),
            Row(_("More than the claim"), finding.over_cents, is_total=True),
        ),
        _("Ask us to check this bill"),
        finding.about,
    )


def _twice(finding: Finding) -> Told:
    return Told(
        finding.flag,
        _("You may have been billed twice for this service"),
        (
            _(
                "Bill %(number)s is for the same claim, and a claim is owed only once. If this bill asks for the same "
                "again, dispute it. Nothing is due on it until we answer."
            )
            if finding.is_of_claim
            else _(
                "Bill %(number)s is for the same person, day, provider and amount. If you had the service only once, "
                "dispute this bill. Nothing is due on it until we answer."
            )
        ) % {"number": finding.about},
        (
            Row(_("This bill"), finding.sums["charged"]),
            Row(_("Bill %(number)s") % {"number": finding.about}, finding.sums["twin"]),
        ),
        _("Dispute this bill"),
    )  # fmt: skip


def _beyond(finding: Finding) -> Told:
    heading = (
        _("Your family’s out-of-pocket maximum was reached before this bill")
        if finding.is_family
        else _("Your out-of-pocket maximum was reached before this bill")
    )
    return Told(
        finding.flag,
        heading,
        _(
            "Once the maximum of the year is reached, your plan pays all of what it covers. %(amount)s of this bill "
            "lie beyond it. Ask us to check: nothing is due on it until we answer."
        ) % _amount(finding),
        (
            Row(_("Maximum of the year"), finding.sums["limit"]),
            Row(_("Counted before this bill"), finding.sums["before"]),
            Row(_("Cost sharing on this bill"), finding.sums["of_bill"]),
            Row(_("This bill asks for"), finding.sums["charged"]),
            Row(_("Of it, beyond the maximum"), finding.over_cents, is_total=True),
        ),
        _("Ask us to check this bill"),
    )  # fmt: skip


def _above(finding: Finding) -> Told:
    assert finding.until is not None
    return Told(
        finding.flag,
        _("This bill is %(amount)s above its good-faith estimate") % _amount(finding),
        _(
            "If you have no insurance or do not use it, you may dispute a bill that is $400 or more above the estimate "
            "of its provider. Begin by %(day)s, 120 days from the first bill. Until it is decided nothing is collected."
        ) % {"day": day_long(finding.until)},
        (
            Row(_("Estimate %(number)s") % {"number": finding.about}, finding.sums["estimate"]),
            Row(_("Billed by this provider"), finding.sums["charged"]),
            Row(_("Above the estimate"), finding.over_cents, is_total=True),
        ),
        _("Dispute this bill"),
    )  # fmt: skip


def _amount(finding: Finding) -> dict[str, str]:
    return {"amount": format_usd(finding.over_cents)}


_WORDS: dict[Flag, Callable[[Finding], Told]] = {
    Flag.CLAIM_OPEN: _open,
    Flag.NOT_YOUR_SHARE: _not_share,
    Flag.MORE_THAN_CLAIM: _more,
    Flag.BILLED_TWICE: _twice,
    Flag.OVER_MAXIMUM: _beyond,
    Flag.ABOVE_ESTIMATE: _above,
}
