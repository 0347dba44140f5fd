"""Questions for tests."""

import itertools

from accounts.models import Member, User
from bills.models import Bill
from support import asking
from support.asking import About
from support.models import Inquiry

_serial = itertools.count(1)


def make_inquiry(
    member: Member,
    *,
    by: User | None = None,
    bill: Bill | None = None,
    topic: str = Inquiry.Topic.OTHER,
    holds_bill: bool = False,
    flag: str = "",
) -> Inquiry:
    """A question about a member, by default by the member."""
    asker = by or member.user
    assert asker is not None
    key = f"test-key-{next(_serial):08d}"
    return asking.ask(
        About(member, bill=bill), by=asker, topic=topic, text="Is this right?", form_key=key, flag=flag,
        holds_bill=holds_bill,
    )  # fmt: skip
