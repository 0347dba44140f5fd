"""A grown child lets the account holder see and pay again, and takes it back: in force at once, everywhere.

Who grew up on an account is apart from its holder from the 18th birthday on, until they agree anew (RULES section 6).
`visibility.scope_of` asks at every request, so nothing has to be cleared up but what was planned to be paid.
"""

from django.utils import timezone

from accounts.models import Member
from accounts.visibility import Scope
from activity.doorbell import ring
from activity.recording import record
from ledger.transactions import atomic_with_retry


def may_give(scope: Scope) -> list[Member]:
    """Those of the viewer's own who came of age on somebody else's account, and are still on it."""
    mine = (
        Member.objects.people().of_household(timezone.localdate()).filter(pk__in=scope.own_ids, is_primary_holder=False)
    )
    return [member for member in mine.select_related("household").order_by("pk") if member.grew_up_here]


@atomic_with_retry
def give(member: Member, scope: Scope, *, actor: str) -> bool:
    """Let the holder see and pay what is the member's; whether that is new. A confidential request goes before it."""
    if member.pk not in {each.pk for each in may_give(scope)}:
        return False
    unseen = Member.objects.filter(pk=member.pk, seen_by_holder_since__isnull=True)
    return _set(unseen.update(seen_by_holder_since=timezone.now()), "sight.given", member, actor)


@atomic_with_retry
def take_back(member: Member, scope: Scope, *, actor: str) -> bool:
    """End it; whether it stood. What the holder had planned to pay is called off."""
    if member.pk not in {each.pk for each in may_give(scope)}:
        return False
    seen = Member.objects.filter(pk=member.pk, seen_by_holder_since__isnull=False)
    return _set(seen.update(seen_by_holder_since=None), "sight.taken_back", member, actor)


def _set(changed: int, kind: str, member: Member, actor: str) -> bool:
    if changed:
        record(kind, subject=f"member:{member.pk}", actor=actor, owner_id=member.household_id, member_id=member.pk)
        ring("notifications.tasks.work_off")
        ring("payments.tasks.part_ways")
    return bool(changed)
