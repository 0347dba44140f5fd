"""Private sides for tests."""

from accounts import private_sides
from accounts.models import Member


def private_side_of(member: Member) -> Member:
    """The member's private side, opened where there is none."""
    return private_sides.open_for([member.pk], actor="test")[member.pk]
