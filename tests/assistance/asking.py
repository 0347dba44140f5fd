"""An application as a member sends it, and as staff decides it."""

from accounts.models import Member, User
from accounts.visibility import scope_of
from assistance import applying
from assistance.models import Application


def draft(member: Member, *, income_cents: int = 2_500_00, size: int = 1, charitable: bool = False) -> Application:
    """An application of a member, with a monthly income."""
    assert member.user is not None
    application = applying.begin(scope_of(member.user), member.user, charitable=charitable)
    applying.write(application, household_size=size, wants_charitable=charitable)
    if income_cents:
        applying.add_income(application, kind="wages", amount_cents=income_cents, times_a_year=12, upload=None)
    application.refresh_from_db()
    return application


def sent(member: Member, **how: object) -> Application:
    """The same, signed and sent."""
    application = draft(member, **how)
    applying.submit(application, signature=member.full_name, by=member.user)
    application.refresh_from_db()
    return application


def approved(member: Member, by: User, **how: object) -> Application:
    """The same, approved."""
    application = sent(member, **how)
    applying.approve(application, by=by, reason="Within the limit.")
    application.refresh_from_db()
    return application
