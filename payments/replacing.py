"""A new card or account in the place of an old one: whatever the old one was used for goes on with the new one."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from activity.doorbell import ring
from activity.recording import record
from payments import defaults, mandates, methods
from payments.autopay import days
from payments.models import AutopayCharge, AutopayEnrollment, MethodSetup, MethodShare, Payment, PaymentMethod
from payments.states import PaymentStatus

NOT_SENT = (AutopayCharge.Status.ANNOUNCED, AutopayCharge.Status.ASKED, AutopayCharge.Status.QUEUED)


@transaction.atomic
def replace(old: PaymentMethod, new: PaymentMethod) -> list[str]:
    """Put `new` where `old` was: the default, planned payments, shares, its name. `old` is removed.

    Returns the provider's ids that are to be taken off the customer, after commit: none while a payment of the old one
    is on its way.
    """
    User.objects.select_for_update().get(pk=old.user_id)
    was_default = PaymentMethod.objects.filter(pk=old.pk, is_default=True).exists()
    Payment.objects.filter(method=old, status=PaymentStatus.DRAFT).update(
        method=new,
        method_kind=new.kind,
        method_brand=new.brand,
        method_last4=new.last4,
        method_wallet=new.wallet,
        method_label=new.label,
    )
    MethodShare.objects.filter(method=old, ended_at__isnull=True).update(method=new)
    _hand_autopay_over(old, new)
    if not PaymentMethod.objects.filter(pk=old.pk).usable().update(removed_at=timezone.now(), is_default=False):
        return []
    if not new.nickname and old.nickname:
        methods.rename(new, nickname=old.nickname)
    mandates.revoke(old)
    record(
        "method.replaced", subject=f"method:{old.pk}", actor=f"user:{old.user_id}", method_id=old.pk, by=new.pk
    )  # fmt: skip
    ring("notifications.tasks.work_off")
    if was_default:
        defaults.make(new)
    return [] if methods.is_in_use(old) else [old.stripe_id]


def _hand_autopay_over(old: PaymentMethod, new: PaymentMethod) -> None:
    """Autopay goes on with the new one too, others' to whom it is shared included: what is announced follows."""
    for charge in AutopayCharge.objects.select_for_update().filter(method=old, status__in=NOT_SENT).order_by("pk"):
        day = days.on_or_after(charge.charge_on, new)
        AutopayCharge.objects.filter(pk=charge.pk).update(method=new, charge_on=day)
        if day != charge.charge_on:
            record(
                "autopay.changed", subject=f"autopay:{charge.enrollment_id}", owner_id=charge.household_id,
                actor="system", charge_id=charge.pk, enrollment_id=charge.enrollment_id,
            )  # fmt: skip
    in_force = AutopayEnrollment.objects.in_force()
    in_force.filter(method=old).update(method=new)
    in_force.filter(fallback=old).update(fallback=new)


def settle(setup: MethodSetup) -> list[str]:
    """Do what a setup asked for, once its method can be charged: take another's place, be the default.

    Returns as `replace` does.
    """
    method = setup.method
    assert method is not None
    unwanted = []
    if setup.replaces is not None and setup.replaces.removed_at is None:
        unwanted = replace(setup.replaces, method)
    if setup.makes_default:
        defaults.make(method)
    defaults.follow(method.user_id)
    return unwanted
