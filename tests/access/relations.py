"""Who stands to whom how in the matrix: the roles beyond the cast, what each may open, and of whom each is asked.

Beside the cast there are Carla, an adult dependant who asked for confidentiality, and Gregor, who came of age on the
account and has not let its holder see; and people who act or acted for Bob, or for Carla before she asked.
"""

import datetime as dt
from itertools import chain

from django.utils import timezone

from accounts.households import add_member
from accounts.models import Delegate, Member, User
from tests.conftest import Cast

# Who had something granted that holds no more: they are nobody's any longer, as staff are.
FORMER = ("expired", "revoked", "overtaken")
ACTING = ("delegate", "view", "pay_only")
MEMBERS = ("alice", "bob", "charlie", "carla", "gregor")
SIGNED_IN = (*MEMBERS, *ACTING, *FORMER, "staff")

Rule = dict[str, set[str]]


def rule(**seen: str) -> Rule:
    """Whose objects each role sees; nobody's where nothing is said."""
    return {role: set(seen.get(role, "").split()) for role in SIGNED_IN}


_OWN = {name: name.capitalize() for name in MEMBERS}
_HELD = _OWN | {"alice": "Alice Bob Maya"}
_DECIDED = _OWN | {"alice": "Alice Maya"}

OWN_RULE = rule(**_OWN)
HOUSEHOLD_RULE = rule(**_HELD, delegate="Bob", view="Bob", pay_only="Bob")
CLINICAL_RULE = rule(**_HELD, delegate="Bob", view="Bob")  # not who may only pay
PAYERS_RULE = rule(**_HELD, delegate="Bob", pay_only="Bob")  # not who may only look
# Who decides on whom may act for whom: each for oneself, the holder for her child, and who acts for Bob may stop.
DECIDES_RULE = rule(**_DECIDED)
# What another adult writes to the plan is that adult's; a child without a sign-in has somebody who acts for it.
ASKER_RULE = rule(**_DECIDED, delegate="Bob", view="Bob")
HOLDER_RULE = rule(alice="Alice", charlie="Charlie")
# Whose leaving one may plan: one's own, and a holder that of whom she sees by holding; never a holder's own.
LEAVING_RULE = rule(alice="Bob Maya", bob="Bob", carla="Carla", gregor="Gregor")
HELD_RULE = rule(alice="Bob Maya")

# Of whom each role is asked, beside an object that does not exist: one of each relation that it has.
ASKED: dict[str, tuple[str, ...]] = {
    "alice": ("Alice", "Bob", "Maya", "Carla", "Gregor", "Charlie"),
    "bob": ("Bob", "Alice", "Carla", "Charlie"),
    "charlie": ("Charlie", "Alice", "Bob"),
    "delegate": ("Bob", "Alice", "Charlie"),
    "staff": ("Alice", "Bob"),
    "view": ("Bob", "Alice"),
    "pay_only": ("Bob", "Alice"),
    "expired": ("Bob",),
    "revoked": ("Bob",),
    "overtaken": ("Carla",),
    "carla": ("Carla", "Alice"),
    "gregor": ("Gregor", "Alice"),
}

# What a page of Bob's says that somebody who may only pay must not read, and whom a role must not find named.
SERVICE = "Kanarienvogel"
UNNAMED: dict[str, tuple[str, ...]] = {
    "alice": ("Carla", "Gregor", "Charlie"),
    "bob": ("Carla", "Gregor", "Maya", "Charlie"),
    "charlie": ("Alice", "Bob", "Maya", "Carla", "Gregor"),
    "carla": ("Bob", "Maya", "Gregor", "Charlie"),
    "gregor": ("Bob", "Maya", "Carla", "Charlie"),
    "delegate": ("Maya", "Carla", "Gregor", "Charlie"),
    "view": ("Maya", "Carla", "Gregor", "Charlie"),
    "pay_only": ("Maya", "Carla", "Gregor", "Charlie", SERVICE),
}


def make_others(cast: Cast) -> tuple[Member, Member]:
    """Carla and Gregor, not apart yet."""
    return _join(cast, "Carla", dt.date(2001, 5, 5)), _join(cast, "Gregor", dt.date(2008, 1, 1))


def make_helpers(cast: Cast, carla: Member) -> dict[str, User]:
    """Who acts for Bob, who did, and who acted for Carla, by role; none of them is a member."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    granted: dict[str, tuple[Member, str, dict[str, object]]] = {
        "delegate": (cast.bob, "full", {}),
        "view": (cast.bob, "view", {}),
        "pay_only": (cast.bob, "pay_only", {}),
        "expired": (cast.bob, "full", {"until": yesterday}),
        "revoked": (cast.bob, "full", {"ended_at": timezone.now()}),
        "overtaken": (carla, "full", {}),
    }
    users = {role: User.objects.create_user(f"{role.replace('_', '-')}@example.com") for role in granted}
    for role, (member, grant, fields) in granted.items():
        Delegate.objects.create(member=member, user=users[role], grant=grant, **fields)
    return users


def part_ways(carla: Member, gregor: Member) -> None:
    """Carla asks for confidentiality; Gregor has grown up on the account. What they had stays theirs."""
    Delegate.objects.filter(member=carla).update(created_at=timezone.now() - dt.timedelta(days=1))
    Member.objects.filter(pk=carla.pk).update(confidential_since=timezone.now())
    Member.objects.filter(pk=gregor.pk).update(joined_on=dt.date(2012, 1, 1))


def _join(cast: Cast, name: str, born: dt.date) -> Member:
    user = User.objects.create_user(f"{name.lower()}@example.com")
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    return add_member(
        cast.household, number=f"M-{name.upper()}", first_name=name, last_name="Rivera", birth_date=born,
        relationship="child", user=user,
    )  # fmt: skip


def asked_of(role: str, owners: set[str]) -> list[str]:
    """The owners of whom a role is asked, of those that there are."""
    return [owner for owner in ASKED[role] if owner in owners]


assert set(ASKED) == set(SIGNED_IN)
assert set(chain.from_iterable(ASKED.values())) == {name.capitalize() for name in MEMBERS} | {"Maya"}
