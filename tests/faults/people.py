"""A household for each seed, with bills, a payer who is signed in, and a person of staff who refunds."""

import datetime as dt
import itertools
import time
from dataclasses import dataclass, field

from django.conf import settings
from django.test import Client

from accounts import roles
from accounts.households import add_member, open_household
from accounts.models import Member, User
from accounts.roles import Role
from bills import issuing
from bills.models import Bill

_serial = itertools.count(1)


@dataclass(slots=True)
class House:
    """One seed's people and bills."""

    household_id: int
    user_id: int
    session: str
    member: Member
    bills: list[Bill] = field(default_factory=list)
    voided_cents: int = 0

    @property
    def charged_cents(self) -> int:
        """What its bills charge, US cents: as issued, less what was voided."""
        return sum(bill.amount_cents for bill in self.bills) - self.voided_cents

    def issue(self, cents: int) -> None:
        """One more bill."""
        self.bills.append(_bill(self.member, cents))

    def join(self, cents: int) -> tuple[str, dict[str, int]]:
        """An adult who has never paid joins, with a bill of their own: their session, and what they owe, by number."""
        number = next(_serial)
        user = _user(f"payer{number}@example.com")
        member = add_member(
            self.member.household, number=f"M-{number}", first_name="Bob", last_name="Rivera",
            birth_date=dt.date(2004, 5, 2), relationship="spouse", user=user,
        )  # fmt: skip
        self.bills.append(bill := _bill(member, cents))
        return _signed_in(user), {bill.number: cents}

    def void(self, bill: Bill) -> None:
        """Void a bill whose payment may be on its way (FAULTS A10)."""
        issuing.void(bill, on=dt.date.today(), reason="Billed by mistake", actor="system")
        self.voided_cents += bill.amount_cents


def open_house(amounts: list[int]) -> House:
    """Open a household with one member, and a medical bill for each amount, US cents."""
    number = next(_serial)
    user = _user(f"payer{number}@example.com")
    household = open_household(city="Oakland", state="CA", zip="94612")
    member = add_member(
        household, number=f"M-{number}", first_name="Alice", last_name="Rivera", birth_date=dt.date(1984, 3, 9),
        is_primary_holder=True, user=user,
    )  # fmt: skip
    house = House(household.pk, user.pk, _signed_in(user), member)
    for cents in amounts:
        house.issue(cents)
    return house


def staff_session() -> str:
    """The session of somebody of staff who may refund, with a second factor given just now."""
    roles.install()
    user = _user("billing@staff.example.com", is_staff=True)
    user.groups.set(roles.Group.objects.filter(name=Role.BILLING))
    return _signed_in(user)


def _user(email: str, **more: object) -> User:
    user = User.objects.create_user(email, "meridian-fault-plan", **more)
    user.emailaddress_set.create(email=email, verified=True, primary=True)
    return user


def _bill(member: Member, cents: int) -> Bill:
    today = dt.date.today()
    return issuing.issue(
        member=member, kind="medical", amount_cents=cents, title="Outpatient visit", issued_on=today,
        due_on=today + dt.timedelta(days=30), source="faults", source_id=str(next(_serial)),
    )  # fmt: skip


def _signed_in(user: User) -> str:
    user.refresh_from_db()
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    at = time.time() + 12 * 3600  # re-authentication is asked for again within minutes; the run takes longer
    session["account_authentication_methods"] = [
        {"method": "password", "at": at, "email": user.email},
        {"method": "mfa", "at": at, "type": "totp"},
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client.cookies[settings.SESSION_COOKIE_NAME].value
