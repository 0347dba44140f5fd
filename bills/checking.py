"""The bill check: a medical bill against its claims, the year's limit, its estimate and other bills. Computation alone.

`bills.check_facts` gathers what it needs, `bills.check_words` says what came of it.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

ROUNDING_CENTS = 5  # by which the parts of a claim may miss its whole: each was rounded by itself
ESTIMATE_EXCESS_CENTS = 40_000  # 45 CFR 149.620(a)(2)(ii): at least $400 above the estimate of the provider
DISPUTE_DAYS = 120  # 45 CFR 149.620(c)(1): calendar days from the first bill
# Qualified Medicare Beneficiaries owe no cost sharing (42 U.S.C. 1396a(n)(3)(B)): as the 835 says it (RULES 9.1).
QMB_CODES = frozenset({"N781", "N782", "N783", "OA-209"})


class Flag(StrEnum):
    """What can be wrong with a bill, the gravest first."""

    CLAIM_OPEN = "claim_open"
    NOT_YOUR_SHARE = "not_your_share"
    MORE_THAN_CLAIM = "more_than_claim"
    BILLED_TWICE = "billed_twice"
    OVER_MAXIMUM = "over_maximum"
    ABOVE_ESTIMATE = "above_estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFacts:
    """What one claim says, US cents. `cost_share_cents`: deductible, copayment and coinsurance."""

    number: str
    owes_cents: int
    is_open: bool = False
    cost_share_cents: int = 0
    allowed_cents: int = 0
    discount_cents: int = 0
    plan_paid_cents: int = 0
    other_paid_cents: int = 0
    not_covered_cents: int = 0
    remark_codes: frozenset[str] = frozenset()

    @property
    def share_cents(self) -> int:
        """What the claim leaves to the member: as it says, but no more than its own amounts leave."""
        if not self.allowed_cents:
            return self.owes_cents
        left = self.allowed_cents + self.not_covered_cents - self.plan_paid_cents - self.other_paid_cents
        return self.owes_cents if self.owes_cents <= left + ROUNDING_CENTS else max(0, left)

    @property
    def is_qmb(self) -> bool:
        """Whether it says that no cost sharing may be asked for."""
        return not QMB_CODES.isdisjoint(self.remark_codes)


@dataclass(frozen=True, slots=True)
class Twin:
    """An earlier bill of the same claim, or of what seems the same service, US cents."""

    number: str
    charged_cents: int
    is_of_claim: bool = False


@dataclass(frozen=True, slots=True)
class Maximum:
    """A year's limit: what counted towards it before this bill's claims, and what these add. US cents."""

    limit_cents: int
    before_cents: int
    of_bill_cents: int
    is_family: bool = False

    @property
    def over_cents(self) -> int:
        """What of this bill lies beyond the limit."""
        return min(self.of_bill_cents, max(0, self.before_cents + self.of_bill_cents - self.limit_cents))


@dataclass(frozen=True, slots=True)
class EstimateFacts:
    """What a provider estimated, what its bills for it charge, and when the first of them was issued. US cents."""

    number: str
    provider: str
    estimate_cents: int
    charged_cents: int
    first_billed_on: dt.date

    @property
    def dispute_until(self) -> dt.date:
        """The last day to begin a dispute."""
        return self.first_billed_on + dt.timedelta(days=DISPUTE_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the check of one bill looks at, US cents: `charged_cents` is what it asks for now."""

    charged_cents: int
    prepaid_cents: int = 0  # of its claims' share, before there was a bill: at the counter
    claims: Sequence[ClaimFacts] = ()
    twin: Twin | None = None
    maximums: Sequence[Maximum] = ()
    estimates: Sequence[EstimateFacts] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: which, by how much (US cents), and the sums that show it, by their names."""

    flag: Flag
    over_cents: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    about: str = ""  # the number of the claim, the other bill or the estimate
    until: dt.date | None = None  # by when a dispute of an estimate is to be begun
    is_family: bool = False
    is_of_claim: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a check. `is_compared`: there was a claim to compare the bill with."""

    is_compared: bool
    findings: tuple[Finding, ...]

    @property
    def matches(self) -> bool:
        """Whether there was something to compare and nothing is wrong."""
        return self.is_compared and not self.findings


def check(facts: Facts) -> Result:
    """Check one bill. A bill of nothing has nothing wrong with it."""
    is_compared = bool(facts.claims)
    if facts.charged_cents <= 0:
        return Result(is_compared, ())
    found = [*_of_claims(facts), *_twice(facts), *_beyond_maximum(facts), *_above_estimates(facts)]
    order = list(Flag)
    return Result(is_compared, tuple(sorted(found, key=lambda finding: order.index(finding.flag))))


def _of_claims(facts: Facts) -> Iterator[Finding]:
    undecided = [claim for claim in facts.claims if claim.is_open]
    if undecided:
        yield Finding(flag=Flag.CLAIM_OPEN, about=undecided[0].number, sums={"charged": facts.charged_cents})
        return
    if not facts.claims:
        return
    qmb = [claim for claim in facts.claims if claim.is_qmb]
    free = sum(claim.cost_share_cents for claim in qmb)
    forbidden = facts.charged_cents - _left(facts.claims, free) if free else 0
    if forbidden > 0:
        sums = {"charged": facts.charged_cents, "cost_share": forbidden}
        yield Finding(flag=Flag.NOT_YOUR_SHARE, over_cents=forbidden, sums=sums, about=qmb[0].number)
        return
    share = sum(claim.share_cents for claim in facts.claims)
    over = facts.charged_cents - share
    if over <= 0:
        return
    number = facts.claims[0].number
    discount = sum(claim.discount_cents for claim in facts.claims)
    if discount and abs(over - discount) <= ROUNDING_CENTS:
        # Exactly what the provider gave up by contract (CO): it may not be asked of the member.
        sums = {"charged": facts.charged_cents, "share": share, "discount": discount}
        yield Finding(flag=Flag.NOT_YOUR_SHARE, over_cents=over, sums=sums, about=number)
    else:
        sums = {"charged": facts.charged_cents, "share": share}
        yield Finding(flag=Flag.MORE_THAN_CLAIM, over_cents=over, sums=sums, about=number)


def _left(claims: Sequence[ClaimFacts], free_cents: int) -> int:
    """What claims leave to the member where `free_cents` of their cost sharing may not be asked for, US cents.

    Whether what they say that the member owes counts that part or has left it out.
    """
    share = sum(claim.share_cents for claim in claims)
    parts = sum(claim.cost_share_cents + claim.not_covered_cents for claim in claims)
    return min(share, max(0, max(share, parts) - free_cents))


def _twice(facts: Facts) -> Iterator[Finding]:
    if facts.twin is not None:
        yield Finding(
            flag=Flag.BILLED_TWICE,
            over_cents=facts.charged_cents,
            sums={"charged": facts.charged_cents, "twin": facts.twin.charged_cents},
            about=facts.twin.number,
            is_of_claim=facts.twin.is_of_claim,
        )


def _beyond_maximum(facts: Facts) -> Iterator[Finding]:
    worst = max(facts.maximums, key=lambda maximum: maximum.over_cents, default=None)
    if worst is None:
        return
    too_much = facts.charged_cents + facts.prepaid_cents - _left(facts.claims, worst.over_cents)
    over = min(facts.charged_cents, worst.over_cents, too_much)
    if over > 0:
        sums = {"limit": worst.limit_cents, "before": worst.before_cents, "of_bill": worst.of_bill_cents}
        yield Finding(
            flag=Flag.OVER_MAXIMUM,
            over_cents=over,
            sums={**sums, "charged": facts.charged_cents},
            is_family=worst.is_family,
        )


def _above_estimates(facts: Facts) -> Iterator[Finding]:
    for estimate in facts.estimates:
        over = estimate.charged_cents - estimate.estimate_cents
        if over >= ESTIMATE_EXCESS_CENTS:
            yield Finding(
                flag=Flag.ABOVE_ESTIMATE,
                over_cents=over,
                sums={"estimate": estimate.estimate_cents, "charged": estimate.charged_cents},
                about=estimate.number,
                until=estimate.dispute_until,
            )
