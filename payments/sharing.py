"""Letting one person of one's household pay with a method, on purpose: nothing else of it is theirs (FAULTS F11)."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Member, User
from accounts.visibility import scope_of
from activity.doorbell import ring
from activity.recording import record
from payments.models import MethodShare, PaymentMethod


class NotShared(Exception):
    """A method that cannot be shared as asked; its text says why."""


def candidates(owner: User) -> list[Member]:
    """Who of the owner's household signs in and is known to the owner: those whom the owner sees, and the holder.

    Of a member with a confidential communications request nothing is said, not even that.
    """
    households = Member.objects.filter(user=owner).values("household_id")
    known = Q(is_primary_holder=True) | Q(pk__in=scope_of(owner).member_ids)
    others = Member.objects.filter(known, household_id__in=households, user__is_active=True).exclude(
        pk__in=Member.objects.apart(timezone.localdate()).filter(household_id__in=households).values("pk")
    )
    return list(others.exclude(user=owner).order_by("first_name", "last_name", "pk"))


def of(methods: Iterable[PaymentMethod]) -> dict[int, list[MethodShare]]:
    """The shares of methods that hold, by the method's id: one query."""
    shares: dict[int, list[MethodShare]] = {method.pk: [] for method in methods}
    for share in MethodShare.objects.in_force().filter(method_id__in=shares).select_related("member").order_by("pk"):
        shares[share.method_id].append(share)
    return shares


@transaction.atomic
def share(method: PaymentMethod, *, member: Member) -> MethodShare:
    """Let a member of the owner's household pay with a method; a repeat returns the share that stands.

    Raises NotShared.
    """
    User.objects.select_for_update().get(pk=method.user_id)
    if member not in candidates(method.user):
        raise NotShared(_("You can share a method with somebody of your household who signs in here."))
    if not PaymentMethod.objects.filter(pk=method.pk).ready().exists():
        raise NotShared(_("This method cannot pay at the moment, so it cannot be shared."))
    try:
        with transaction.atomic():
            made = MethodShare.objects.create(method=method, member=member)
    except IntegrityError:
        return MethodShare.objects.get(method=method, member=member, ended_at__isnull=True)
    record(
        "method.shared", subject=f"method:{method.pk}", actor=f"user:{method.user_id}", method_id=method.pk,
        member_id=member.pk, share_id=made.pk,
    )  # fmt: skip
    ring("notifications.tasks.work_off")
    return made


@transaction.atomic
def end(share: MethodShare, *, reason: str, actor: str) -> None:
    """End a share, at once."""
    ended = MethodShare.objects.filter(pk=share.pk, ended_at__isnull=True).update(
        ended_at=timezone.now(), ended_reason=reason
    )
    if ended:
        record(
            "method.share_ended", subject=f"method:{share.method_id}", actor=actor, method_id=share.method_id,
            member_id=share.member_id, share_id=share.pk, reason=reason,
        )  # fmt: skip
        ring("notifications.tasks.work_off")


def end_broken() -> int:
    """Write down the end of shares between people who have parted: left, or confidential since; how many.

    They stopped to hold at once (`in_force`); this is the record of it.
    """
    holding = MethodShare.objects.in_force().values("pk")
    broken = list(MethodShare.objects.filter(ended_at__isnull=True).exclude(pk__in=holding))
    for share in broken:
        end(share, reason="parted", actor="system")
    return len(broken)
