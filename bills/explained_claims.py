"""A claim in plain words: who bore which part of the charge, what each word means, and which versions there were."""

from dataclasses import dataclass

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.visibility import Scope
from bills import explaining
from bills.explaining import Row
from bills.models import Bill, Claim, ClaimQuerySet

MAX_VERSIONS = 50

# The words of a claim, explained where they stand (45 CFR 147.200(a)(2): the uniform glossary has the same meanings).
WORDS = {
    "billed": gettext_lazy("What the provider asked for, before your plan’s agreed prices."),
    "allowed": gettext_lazy("The most your plan accepts. A provider of your network may not ask for more."),
    "discount": gettext_lazy("What the provider gives up because of its contract with your plan. Nobody owes it."),
    "plan_paid": gettext_lazy("What your plan paid the provider."),
    "other_paid": gettext_lazy("What another insurance paid."),
    "deductible": gettext_lazy("What you pay yourself each year before your plan begins to pay."),
    "copay": gettext_lazy("A fixed amount that you pay for this kind of service."),
    "coinsurance": gettext_lazy("Your percentage of the allowed amount, once the deductible is met."),
    "not_covered": gettext_lazy("What your plan does not pay for at all. You may ask why, and appeal."),
}  # fmt: skip


class Kind(models.TextChoices):
    """The kinds of claim (CARIN Blue Button's profiles)."""

    PROFESSIONAL = "professional", gettext_lazy("Doctor or other professional")
    INSTITUTIONAL = "institutional", gettext_lazy("Hospital or other facility")
    PHARMACY = "pharmacy", gettext_lazy("Pharmacy")
    ORAL = "oral", gettext_lazy("Dental")
    VISION = "vision", gettext_lazy("Vision")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that stands on the page, with its amount and what it means. US cents."""

    name: str
    cents: int
    meaning: str


def is_of_plan(claim: Claim) -> bool:
    """Whether the plan works it out; a row of a biller's file, or an invoice, is kept as a claim too."""
    return claim.kind in Kind.values


def named(claims: ClaimQuerySet, number: str) -> Claim | None:
    """The claim of a number that counts: the plan's before a biller's, the one in force, else the latest."""
    found = claims.filter(number=number).select_related("member", "bill").order_by("-pk")[:MAX_VERSIONS]
    return min(found, key=_rank, default=None)


def _rank(claim: Claim) -> tuple[bool, bool, bool, int]:
    stands = claim.status in (Claim.Status.ACTIVE, Claim.Status.OPEN)
    return not stands, not is_of_plan(claim), claim.status != Claim.Status.ACTIVE, -claim.pk


def versions(claims: ClaimQuerySet, claim: Claim) -> list[Claim]:
    """The other versions of a claim and claims of its number that the viewer sees, the latest first."""
    related = Q(number=claim.number) | Q(replaces=claim) | Q(pk=claim.replaces_id or 0)
    return list(claims.filter(related).exclude(pk=claim.pk).order_by("-pk")[:MAX_VERSIONS])


def steps(claim: Claim) -> list[Row]:
    """From what was billed to what the member owes, each step with its sum."""
    rows = explaining.borne([claim], claim.provider_name)
    label = _("Your share so far") if claim.status == Claim.Status.OPEN else _("You owe")
    return [*rows, Row(label, claim.member_owes_cents, is_total=True)]


def words(claim: Claim) -> list[Word]:
    """The words that stand on this claim with an amount, and what they mean."""
    names = {
        "billed": _("Charged"), "allowed": _("Allowed amount"), "discount": _("Your plan’s discount"),
        "plan_paid": _("Your plan paid"), "other_paid": _("Other insurance paid"), "deductible": _("Deductible"),
        "copay": _("Copayment"), "coinsurance": _("Coinsurance"), "not_covered": _("Not covered"),
    }  # fmt: skip
    return [
        Word(names[key], cents, str(meaning))
        for key, meaning in WORDS.items()
        if (cents := getattr(claim, f"{key}_cents"))
    ]


def story(claim: Claim) -> str:
    """What happened to the claim, in one sentence."""
    if claim.status == Claim.Status.REPLACED:
        return _("This claim was corrected: another has taken its place, and it does not count any more.")
    if claim.status == Claim.Status.CANCELED:
        return _("This claim was canceled. Nothing is owed for it.")
    if claim.status == Claim.Status.OPEN:
        return _("Your plan has not decided this claim yet. Nothing is due for it, and the amounts may still change.")
    if not is_of_plan(claim):
        return _("This comes from the provider. It is no claim that your plan has worked out.")
    if not claim.member_owes_cents:
        return _("Your plan has worked out this claim. You owe nothing for it.")
    if claim.bill is None:
        return _("Your plan has worked out this claim. No bill has been made for your share yet.")
    return _("Your plan has worked out this claim, and your share is on a bill.")


def state(claim: Claim) -> str:
    """Where the claim stands, in a word or two."""
    is_billers = claim.status == Claim.Status.ACTIVE and not is_of_plan(claim)
    return _("From the provider") if is_billers else str(Claim.Status(claim.status).label)


def bill_of(claim: Claim, scope: Scope) -> Bill | None:
    """The bill of the claim's share, where the viewer sees it."""
    if claim.bill_id is None:
        return None
    return Bill.objects.visible_to(scope).filter(pk=claim.bill_id).select_related("receivable").first()
