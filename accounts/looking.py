"""Writing down that a delegate looked at somebody's records (DESIGN section 7, FAULTS N01)."""

from collections.abc import Iterable

from accounts.requests import MemberRequest, client_address
from accounts.visibility import Scope
from activity.recording import looked


def is_delegated(scope: Scope, member_id: int) -> bool:
    """Whether the viewer sees this member only because the member granted it."""
    return member_id in scope.grants and member_id not in scope.own_ids | scope.held_ids


def at_members(request: MemberRequest, member_ids: Iterable[int], page: str) -> None:
    """Record a look at a list with bills of these members, for each whom the viewer sees as a delegate."""
    for member_id in sorted(set(member_ids)):
        at(request, f"page:{page}", member_id)


def at(request: MemberRequest, subject: str, member_id: int) -> None:
    """Record a look at one record of this member, where the viewer is a delegate."""
    if is_delegated(request.scope, member_id):
        looked(
            user_id=request.user.pk,
            subject=subject,
            action="viewed",
            member_id=member_id,
            address=client_address(request),
        )
