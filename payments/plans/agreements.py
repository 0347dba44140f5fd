"""The words of a plan's agreement: shown before it is signed, kept as they were shown, and printed from what is kept.

Blocks are parted by empty lines. A block that begins with `# ` is a heading; one whose lines hold tabs is a table. So
the same text reads as mail, as a page and as a document. It names bills by number and no service (FAULTS L02).
"""

import datetime as dt
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from ledger.money import format_usd
from ledger.templatetags.portal import day_long
from payments.plans import policies
from payments.plans.terms import Terms

VERSION = "2026-11"  # of the words below: change it with them
HEADING = "# "


@dataclass(frozen=True, slots=True)
class Party:
    """Who signs, and for which household account."""

    name: str
    household_number: str
    state: str


@dataclass(frozen=True, slots=True)
class Block:
    """One part of an agreement, for templates: a heading, a table of rows, or a paragraph."""

    heading: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    paragraph: str = ""
    is_required: bool = False
    is_box: bool = False  # the disclosures: a table without a head


def text_for(terms: Terms, party: Party, *, owed: Sequence[tuple[str, int]], today: dt.date) -> str:
    """The agreement to these terms, in the active language. `owed`: the bills' numbers and US cents."""
    blocks = [
        HEADING + _("Payment plan agreement"),
        _("Between %(portal)s and %(name)s, household account %(number)s, on %(day)s.")
        % {"portal": settings.PORTAL_NAME, "name": party.name, "number": party.household_number,
           "day": day_long(today)},
        HEADING + _("What this credit costs you (Truth in Lending disclosure)"),
        _table(credit_box(terms)),
        HEADING + _("When you pay"),
        _table(_schedule(terms)),
        HEADING + _("The bills"),
        _table([(_("Bill"), _("Owed")), *((number, format_usd(cents)) for number, cents in owed)]),
        HEADING + _("What we agree"),
        *_promises(terms),
    ]  # fmt: skip
    if terms.policy.required_text:
        blocks += [HEADING + _("Notice required by the law of your state"), terms.policy.required_text]
    return "\n\n".join(blocks)


def credit_box(terms: Terms) -> list[tuple[str, str]]:
    """The disclosures of closed-end credit (12 CFR 1026.18), though nothing is charged for it."""
    down = terms.parts[0].amount_cents if not terms.parts[0].position else 0
    financed = format_usd(terms.total_cents - down)
    rows = [
        (_("Creditor"), settings.PORTAL_NAME),
        (_("Annual percentage rate: the cost of your credit as a yearly rate"), "0.00 %"),
        (_("Finance charge: the dollar amount the credit will cost you"), format_usd(0)),
        (_("Amount financed: the amount of credit provided to you"), financed),
        (_("Total of payments: what you will have paid after all payments are made"), financed),
        (_("Payments"), _payments(terms)),
    ]
    if down:
        rows.append((_("Down payment, today"), format_usd(down)))
    return [*rows, (_("Late charge"), _("None")), (_("Prepayment"), _("You may pay early, without a penalty"))]


def digest(text: str) -> str:
    """What names a text: a form that was sent for other words is not taken."""
    return hashlib.sha256(text.encode()).hexdigest()


def blocks(text: str, *, required: str = "") -> list[Block]:
    """A kept text, part by part."""
    found: list[Block] = []
    for part in text.split("\n\n"):
        if part.startswith(HEADING):
            found.append(Block(heading=part.removeprefix(HEADING)))
        elif "\t" in part:
            rows = tuple(tuple(line.split("\t")) for line in part.split("\n"))
            found.append(Block(rows=rows, is_box=not any(block.rows for block in found)))
        else:
            found.append(Block(paragraph=part, is_required=bool(required) and part == required))
    return found


def _payments(terms: Terms) -> str:
    """`6 of $20.01, 6 of $20.00, monthly from March 1, 2027 to February 1, 2028`."""
    parts = terms.monthly
    groups = [(cents, len(list(same))) for cents, same in itertools.groupby(part.amount_cents for part in parts)]
    counted = ", ".join(
        _("%(count)d of %(amount)s") % {"count": count, "amount": format_usd(cents)} for cents, count in groups
    )
    days = {"first": day_long(parts[0].due_on), "last": day_long(parts[-1].due_on)}
    words = _("%(counted)s, on %(first)s") if len(parts) == 1 else _("%(counted)s, monthly from %(first)s to %(last)s")
    return words % {"counted": counted, **days}


def _schedule(terms: Terms) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [(_("Payment"), _("Due"), _("Amount"))]
    for part in terms.parts:
        name = str(part.position) if part.position else _("Down payment")
        rows.append((name, day_long(part.due_on), format_usd(part.amount_cents)))
    return rows


def _promises(terms: Terms) -> list[str]:
    policy = terms.policy
    said = [
        _("You pay these bills by the payments above. There is no interest, no finance charge, no late charge and no "
          "fee. While you do, the bills on this plan are not past due, and nobody collects them."),
        _("You may pay ahead, or all that is left, whenever you like and without a penalty. You may pay by any method "
          "that we take. Automatic payments are offered and never required."),
        _("If what you owe on a bill falls, by a correction, an award or a refund, the last payments become smaller. "
          "If it rises again, the last payments take it up. We tell you of every change."),
        _("You may change the day, the number of payments or the method, add a bill, pause once for up to %(months)d "
          "months, and end this plan, in the portal or by phone. While an application for financial assistance is "
          "pending, or a bill is under review, the plan is paused.") % {"months": policy.pause_months},
        _("If you miss a payment, nothing is added to what you owe. If it stays unpaid for %(notice)d days we send you "
          "a notice, and only then, after %(left)d days more and not before %(default)d days from the day it was due, "
          "the plan ends and the rest of the bills is due. Paying what was missed before then keeps the plan.")
        % {"notice": policy.notice_after_days, "left": policy.notice_days, "default": policy.default_after_days},
        _("Questions, or trouble with a payment: call %(phone)s. You may ask for financial assistance at any time.")
        % {"phone": settings.SUPPORT_PHONE},
    ]  # fmt: skip
    if cap := policies.cap_words(policy):
        said.append(cap)
    if terms.choice.income_cents and policy.income_cap_basis_points:
        said.append(
            _("You told us that this income is %(income)s a month. No payment of this plan is above the cap.")
            % {"income": format_usd(terms.choice.income_cents)}
        )
    return said


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("\t".join(row) for row in rows)
