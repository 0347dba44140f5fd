"""Which of a user's methods is offered first: one that can be charged, and one at most."""

from django.db import transaction

from accounts.models import User
from payments.models import PaymentMethod


@transaction.atomic
def make(method: PaymentMethod) -> None:
    """Make a method the one that is offered first, if it can be charged."""
    User.objects.select_for_update().get(pk=method.user_id)
    mine = PaymentMethod.objects.filter(user_id=method.user_id)
    if not mine.ready().filter(pk=method.pk).exists():
        return
    mine.filter(is_default=True).update(is_default=False)
    mine.ready().filter(pk=method.pk).update(is_default=True)


def follow(user_id: int) -> None:
    """Where no method is the default, make the latest one that can be charged the default."""
    mine = PaymentMethod.objects.filter(user_id=user_id).ready()
    if mine.filter(is_default=True).exists():
        return
    following = mine.order_by("-created_at", "-pk").first()
    if following is not None:
        PaymentMethod.objects.filter(pk=following.pk).update(is_default=True)
