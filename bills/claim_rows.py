"""Claims as rows of a list: what each says and where it leads, the words that all of them share looked up once."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from billing_portal.addresses import addresses_of
from bills import explained_claims
from bills.models import Claim
from ledger.money import format_usd
from ledger.templatetags.portal import day


@dataclass(frozen=True, slots=True)
class Row:
    """One claim in words."""

    href: str
    title: str
    who: str
    on: str
    number: str
    sums: str
    owes: str
    status: str
    is_active: bool


def of(claims: Sequence[Claim]) -> list[Row]:
    """The claims as rows; their members are to be loaded with them."""
    address = addresses_of("claim")
    title, number, sums = _("Claim"), _("Claim %(number)s"), _("Charged %(billed)s, your plan paid %(paid)s")
    return [
        Row(
            # Of one number there may be several versions: the plan's in force needs no telling apart.
            href=address(claim.number) + ("" if is_in_force else f"?version={claim.pk}"),
            title=claim.provider_name or title,
            who=claim.member.shown_name,
            on=day(claim.service_on),
            number=number % {"number": claim.number},
            sums=sums % {"billed": format_usd(claim.billed_cents), "paid": format_usd(claim.plan_paid_cents)},
            owes=format_usd(claim.member_owes_cents),
            status=explained_claims.state(claim),
            is_active=is_in_force,
        )
        for claim in claims
        for is_in_force in [claim.status == Claim.Status.ACTIVE and explained_claims.is_of_plan(claim)]
    ]
