"""Who is told of a payment plan: its owner alone, who signed it. Events carry `plan_id`."""

from collections.abc import Iterator

from activity.models import Event
from notifications.audience import Told
from payments.models import PaymentPlan


def plan_owner(event: Event) -> Iterator[Told]:
    """The owner, once for each event: what happens to a plan is written once."""
    yield from _owner(event, f"event:{event.pk}")


def plan_owner_of_installment(event: Event) -> Iterator[Told]:
    """The owner, once for each instalment, however often it is looked at. Needs `installment_id`."""
    yield from _owner(event, f"installment:{event.data['installment_id']}")


def _owner(event: Event, key: str) -> Iterator[Told]:
    plan = PaymentPlan.objects.filter(pk=event.data["plan_id"]).first()
    if plan is not None:
        yield Told(plan.owner_id, f"plan:{plan.number}", key)
