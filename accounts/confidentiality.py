"""Confidential communications: asked for without a reason, in force at once, withdrawn at will (RULES section 6).

Nothing has to be cleared up for it to hold: every page, mail and file asks who may see at its own moment
(`visibility.scope_of`, `Member.is_apart`), what was queued before included (FAULTS F06, F09, F10).
"""

from collections.abc import Mapping

from allauth.account.models import EmailAddress
from django.utils import timezone

from accounts.models import ConfidentialRequest, Invitation, Member, User
from activity.doorbell import ring
from activity.recording import record
from ledger.transactions import atomic_with_retry

Channel = ConfidentialRequest.Channel
FIELDS = ("channel", "email", "address", "city", "state", "zip")


def addresses_of(user: User) -> list[str]:
    """The addresses that the user has confirmed: where confidential mail can go."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "email")
    return list(confirmed.values_list("email", flat=True))


def standing(member: Member) -> ConfidentialRequest | None:
    """The request that stands, with its address."""
    return ConfidentialRequest.objects.standing().filter(member=member).first()


@atomic_with_retry
def begin(member: Member, *, where: Mapping[str, str], actor: str) -> None:
    """Let what concerns the member reach the member alone, from now on; again, with another address, from then on.

    What the member granted before ends with it, open invitations too.
    """
    locked = Member.objects.select_for_update().get(pk=member.pk)
    now = timezone.now()
    ConfidentialRequest.objects.standing().filter(member=locked).update(ended_at=now)
    ConfidentialRequest.objects.create(member=locked, began_at=now, **{name: where.get(name, "") for name in FIELDS})
    if locked.confidential_since is None:
        Member.objects.filter(pk=locked.pk).update(confidential_since=now)
        Invitation.objects.filter(member=locked, answered_at__isnull=True, ended_at__isnull=True).update(ended_at=now)
    _record("confidential.began", locked, actor)
    ring("payments.tasks.part_ways")
    ring("assistance.tasks.keep_up")


@atomic_with_retry
def withdraw(member: Member, *, actor: str) -> None:
    """Let it end. What the holder sees again is what a holder sees of anybody; a repeat changes nothing."""
    locked = Member.objects.select_for_update().get(pk=member.pk)
    ConfidentialRequest.objects.standing().filter(member=locked).update(ended_at=timezone.now())
    if locked.confidential_since is not None and locked.private_of_id is None:
        Member.objects.filter(pk=locked.pk).update(confidential_since=None)
        _record("confidential.ended", locked, actor)


def mail_addresses(user_ids: list[int]) -> dict[int, str]:
    """Where mail goes of users whose members asked for confidentiality; empty text where it goes by post."""
    rows = (
        ConfidentialRequest.objects.standing()
        .filter(member__user_id__in=user_ids)
        .order_by("pk")
        .values_list("member__user_id", "channel", "email")
    )
    return {user_id: email if channel == Channel.MAIL else "" for user_id, channel, email in rows if user_id}


def _record(kind: str, member: Member, actor: str) -> None:
    record(kind, subject=f"member:{member.pk}", actor=actor, owner_id=member.household_id, member_id=member.pk)
    ring("notifications.tasks.work_off")
