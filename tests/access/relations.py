"""Who stands to whom how in the matrix: the roles beyond the cast, what each may open, and of whom each is asked.

Beside the cast there are, on Alice's account: Carla, an adult dependant who asked for confidentiality; Gregor, who came
of age on it and has not let its holder see; Theo, a teenager with a sign-in; Lena, who has left; Dora, who has died;
Petra, who is confidential and shares one bill; and Benno, who is Bob's private side. Fritz held another account until
yesterday, with Nora on it. And people act or acted for Bob, for Carla before she asked, or for Dora while she lived.
"""

import datetime as dt

from django.utils import timezone

from accounts import private_sides
from accounts.households import add_member, open_household
from accounts.models import Delegate, Household, Member, User
from tests.conftest import Cast

# Who had something granted that holds no more: they are nobody's any longer, as staff are.
FORMER = ("expired", "revoked", "overtaken", "bereft")
ACTING = ("delegate", "view", "pay_only")
MEMBERS = ("alice", "bob", "charlie", "carla", "gregor", "theo", "lena", "fritz")
SIGNED_IN = (*MEMBERS, *ACTING, *FORMER, "staff")

Rule = dict[str, set[str]]


def rule(**seen: str) -> Rule:
    """Whose objects each role sees; nobody's where nothing is said."""
    return {role: set(seen.get(role, "").split()) for role in SIGNED_IN}


_OWN = {name: name.capitalize() for name in MEMBERS} | {"bob": "Bob Benno"}
# Of Petra there is the bill alone that she shares; what Dora left is the account's to settle.
_HELD = _OWN | {"alice": "Alice Bob Maya Theo Petra Dora"}
_DECIDED = _OWN | {"alice": "Alice Maya"}

OWN_RULE = rule(**_OWN)
HOUSEHOLD_RULE = rule(**_HELD, delegate="Bob", view="Bob", pay_only="Bob")
CLINICAL_RULE = rule(**_HELD, delegate="Bob", view="Bob")  # not who may only pay
PAYERS_RULE = rule(**_HELD, delegate="Bob", pay_only="Bob")  # not who may only look
# Who decides on whom may act for whom: each for oneself, the holder for her child, and who acts for Bob may stop.
DECIDES_RULE = rule(**_DECIDED)
# What another adult writes to the plan is that adult's; who has no sign-in has somebody who acts for them.
_CARED_FOR = _OWN | {"alice": "Alice Maya Dora"}
PLANNER_RULE = rule(**_CARED_FOR)
ASKER_RULE = rule(**_CARED_FOR, delegate="Bob", view="Bob")
HOLDER_RULE = rule(alice="Alice", charlie="Charlie")
STATEMENT_RULE = rule(alice="Alice", charlie="Charlie", bob="Benno")  # of who is apart, one of their own
# Whose leaving one may plan: one's own, and a holder that of whom she sees by holding; never a holder's own.
LEAVING_RULE = rule(alice="Bob Maya Theo", bob="Bob", carla="Carla", gregor="Gregor", theo="Theo")
HELD_RULE = rule(alice="Bob Maya Theo")

# What a page of Bob's says that somebody who may only pay must not read, and whom a role must not find named.
SERVICE = "Kanarienvogel"
NAMES = (
    "Alice", "Bob", "Maya", "Carla", "Gregor", "Theo", "Lena", "Dora", "Petra", "Benno", "Charlie", "Fritz", "Nora",
)  # fmt: skip
NAMED: dict[str, str] = {
    "alice": "Alice Bob Maya Theo Dora Petra", "bob": "Bob Benno Alice", "charlie": "Charlie", "carla": "Carla Alice",
    "gregor": "Gregor Alice", "theo": "Theo Alice", "lena": "Lena Alice", "fritz": "Fritz",
    "delegate": "Bob Alice", "view": "Bob Alice", "pay_only": "Bob Alice",
}  # fmt: skip
UNNAMED: dict[str, tuple[str, ...]] = {
    role: (*(name for name in NAMES if name not in names.split()), *([SERVICE] if role == "pay_only" else []))
    for role, names in NAMED.items()
}


def make_others(cast: Cast) -> dict[str, Member]:
    """Everybody else of the two accounts, nobody apart yet."""
    other = open_household(number="9102-4471", state="CA", zip="94612")
    today = timezone.localdate()
    born = {
        "Carla": dt.date(2001, 5, 5), "Gregor": dt.date(2008, 1, 1), "Theo": dt.date(today.year - 15, 1, 1),
        "Lena": dt.date(2000, 2, 2), "Dora": dt.date(1950, 3, 3), "Petra": dt.date(1999, 4, 4),
    }  # fmt: skip
    made = {name: _join(cast.household, name, on, signs_in=name != "Dora") for name, on in born.items()}
    made["Fritz"] = _join(other, "Fritz", dt.date(1970, 1, 1), is_primary_holder=True)
    made["Nora"] = _join(other, "Nora", dt.date(1972, 1, 1))
    made["Benno"] = private_sides.open_for([cast.bob.pk], actor="test")[cast.bob.pk]
    made["Benno"].first_name = "Benno"  # a name to find it by: the row's own, else, is Bob's
    made["Benno"].save(update_fields=["first_name"])
    return made


def make_helpers(cast: Cast, others: dict[str, Member]) -> dict[str, User]:
    """Who acts for Bob, who did, and who acted for Carla or Dora, by role; none of them is a member."""
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    granted: dict[str, tuple[Member, str, dict[str, object]]] = {
        "delegate": (cast.bob, "full", {}),
        "view": (cast.bob, "view", {}),
        "pay_only": (cast.bob, "pay_only", {}),
        "expired": (cast.bob, "full", {"until": yesterday}),
        "revoked": (cast.bob, "full", {"ended_at": timezone.now()}),
        "overtaken": (others["Carla"], "full", {}),
        "bereft": (others["Dora"], "full", {}),
    }
    users = {role: User.objects.create_user(f"{role.replace('_', '-')}@example.com") for role in granted}
    for role, (member, grant, fields) in granted.items():
        Delegate.objects.create(member=member, user=users[role], grant=grant, **fields)
    return users


def part_ways(others: dict[str, Member]) -> None:
    """Carla and Petra ask for confidentiality; Gregor has grown up on the account; Lena and Fritz leave; Dora dies.

    What they had stays theirs, also what they alone opened until then.
    """
    carla, petra = others["Carla"], others["Petra"]
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Delegate.objects.filter(member=carla).update(created_at=timezone.now() - dt.timedelta(days=1))
    Member.objects.filter(pk__in=(carla.pk, petra.pk)).update(confidential_since=timezone.now())
    Member.objects.filter(pk=others["Gregor"].pk).update(joined_on=dt.date(2012, 1, 1))
    Member.objects.filter(pk__in=(others["Lena"].pk, others["Fritz"].pk)).update(left_on=yesterday)
    Member.objects.filter(pk=others["Dora"].pk).update(died_on=yesterday)


def _join(household: Household, name: str, born: dt.date, *, signs_in: bool = True, **more: bool) -> Member:
    user = User.objects.create_user(f"{name.lower()}@example.com") if signs_in else None
    if user is not None:
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    return add_member(
        household, number=f"M-{name.upper()}", first_name=name, last_name="Rivera", birth_date=born,
        relationship="child", user=user, **more,
    )  # fmt: skip
