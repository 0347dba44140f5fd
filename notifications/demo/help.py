"""The demo's help: Elena's application that was approved, Alice's that is begun, and Elena who may pay for Alice.

Elena, of another household, has a bill above its estimate, financial assistance on it, and charitable coverage that
ends in a year. All of it goes the way that real ones go.
"""

import datetime as dt

from accounts.models import Delegate, Member, User
from accounts.visibility import scope_of
from assistance import applying
from assistance.models import Application
from bills import estimates
from notifications.demo.care import Service, Visit
from notifications.demo.people import People

PAYS_FOR_DAYS = 180
ESTIMATED = "walk-in-surgery"
PROVIDER = "Valley Surgery Center"
VISITS = (
    Visit(
        id=ESTIMATED, who="elena", title="Outpatient surgery", provider=PROVIDER, days_ago=24, due_in=14,
        kind="institutional",
        services=(
            Service(name="Removal of a cyst", billed=198_000, discount=84_000, deductible=114_000),
            Service(name="Tissue examination", billed=24_000, discount=9_500, deductible=14_500),
        ),
    ),
)  # fmt: skip


def seed(cast: People, *, today: dt.date) -> None:
    """Make it once; a second run finds it."""
    service_on = today - dt.timedelta(days=VISITS[0].days_ago)
    estimates.take(
        number="GFE-20417", member=cast.elena, provider=PROVIDER, service_on=service_on,
        issued_on=service_on - dt.timedelta(days=9), amount_cents=72_000, source="demo", actor="import",
    )  # fmt: skip
    until = today + dt.timedelta(days=PAYS_FOR_DAYS)
    Delegate.objects.get_or_create(
        member=cast.alice, user=cast.elena.user, defaults={"grant": Delegate.Grant.PAY_ONLY, "until": until}
    )
    if not Application.objects.filter(household=cast.elena.household).exists():
        application = _begun(cast.elena, cents=3_450_00, size=1, charitable=True)
        applying.submit(application, signature=cast.elena.full_name, by=_user(cast.elena))
        applying.approve(application, by=cast.dana, reason="Within the limits for one person in California.")
    if not Application.objects.filter(household=cast.alice.household).exists():
        _begun(cast.alice, cents=5_180_00, size=3, charitable=False)


def _begun(member: Member, *, cents: int, size: int, charitable: bool) -> Application:
    """An application with a wage a month, US cents, not sent yet."""
    user = _user(member)
    application = applying.begin(scope_of(user), user, charitable=charitable)
    applying.write(application, household_size=size, wants_charitable=charitable)
    applying.add_income(application, kind="wages", amount_cents=cents, times_a_year=12, upload=None)
    application.refresh_from_db()
    return application


def _user(member: Member) -> User:
    assert member.user is not None
    return member.user
