"""The pages of the household's money: what it owes, and what it has spent by person and year."""

from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import looking, rate_limits, reauthentication
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from activity.recording import record
from payments import household, overview, spending, spreadsheets
from payments.spending import Spent

LONGEST = 400  # of a bar, in the units of the drawing
ROW_HEIGHT = 44


@dataclass(frozen=True, slots=True)
class Bar:
    """One person's year as a bar of two parts, with its place in the drawing."""

    spent: Spent
    y: int
    medical_width: int
    premium_width: int

    @property
    def text_y(self) -> int:
        """Where its words stand."""
        return self.y + 16

    @property
    def bar_y(self) -> int:
        """The bar's top."""
        return self.y + 22


@dataclass(frozen=True, slots=True)
class Year:
    """One year's drawing."""

    year: int
    bars: list[Bar]
    total_cents: int

    @property
    def height(self) -> int:
        """Of the drawing."""
        return len(self.bars) * ROW_HEIGHT


@allow(Policy.MEMBER)
@require_safe
def owes_page(request: MemberRequest) -> HttpResponse:
    """What each person owes and where it stands, adding up to the overview's total."""
    looking.at_members(request, request.scope.member_ids, "owes")
    accounts = household.owed(request.scope)
    context = {"accounts": accounts, "total_cents": sum(account.total_cents for account in accounts)}
    return render(request, "family/owes.html", context)


@allow(Policy.MEMBER)
@require_safe
def spending_page(request: MemberRequest) -> HttpResponse:
    """What was paid for whom, year by year, drawn and as a table."""
    looking.at_members(request, request.scope.member_ids, "family")
    return render(request, "family/spending.html", {"years": _years(_spent(request))})


@allow(Policy.MEMBER)
@reauthentication.required
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def spending_export(request: MemberRequest) -> HttpResponseBase:
    """The same as a CSV file, after proving again who one is; recorded."""
    record("spending.exported", subject=f"user:{request.user.pk}", actor=f"user:{request.user.pk}")
    looking.at_members(request, request.scope.member_ids, "family-export")
    header = [_("Year"), _("Person"), _("Medical in US dollars"), _("Premium in US dollars"), _("Total in US dollars")]
    rows = (
        (one.year, one.member.shown_name, *map(_dollars, (one.medical_cents, one.premium_cents, one.total_cents)))
        for one in _spent(request)
    )
    return StreamingHttpResponse(
        spreadsheets.lines(header, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="spending-{timezone.localdate():%Y-%m-%d}.csv"'},
    )


def _spent(request: MemberRequest) -> list[Spent]:
    return spending.by_year(overview.members_seen(request.scope), today=timezone.localdate())


def _years(spent: list[Spent]) -> list[Year]:
    most = max((one.total_cents for one in spent), default=0)
    found: list[Year] = []
    for year in dict.fromkeys(one.year for one in spent):
        own = [one for one in spent if one.year == year]
        bars = [
            Bar(one, place * ROW_HEIGHT, _width(one.medical_cents, most), _width(one.premium_cents, most))
            for place, one in enumerate(own)
        ]
        found.append(Year(year, bars, sum(one.total_cents for one in own)))
    return found


def _width(cents: int, most: int) -> int:
    return max(0, LONGEST * cents // most) if most > 0 else 0


def _dollars(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
