"""Notices of payment plans: by instalment, never by bill."""

from django.utils.translation import gettext_lazy as _

from notifications import plan_audience
from notifications.kinds.kind import Kind, Topic

KINDS: tuple[Kind, ...] = (
    Kind(
        name="plan_agreement", label=_("Your payment plan agreement"), topic=Topic.BILLS,
        events=("plan.agreed", "plan.changed"), told=plan_audience.plan_owner, is_required=True,
    ),
    Kind(
        name="plan_due_soon", label=_("A payment of your plan is due soon"), topic=Topic.BILLS,
        events=("plan.due_soon",), told=plan_audience.plan_owner_of_installment, may_state_amount=True,
    ),
    Kind(
        name="plan_due_today", label=_("A payment of your plan is due today"), topic=Topic.BILLS,
        events=("plan.due_today",), told=plan_audience.plan_owner_of_installment, may_state_amount=True,
    ),
    Kind(
        name="plan_missed", label=_("A payment of your plan was missed"), topic=Topic.BILLS,
        events=("plan.missed", "plan.missed_more"), told=plan_audience.plan_owner, is_required=True,
        may_state_amount=True,
    ),
    Kind(
        name="plan_grace", label=_("Your payment plan ends soon"), topic=Topic.BILLS, events=("plan.grace",),
        told=plan_audience.plan_owner, is_required=True, may_state_amount=True,
    ),
    Kind(
        name="plan_defaulted", label=_("Your payment plan has ended"), topic=Topic.BILLS,
        events=("plan.defaulted",), told=plan_audience.plan_owner, is_required=True,
    ),
    Kind(
        name="plan_cured", label=_("Your payment plan is back on track"), topic=Topic.BILLS,
        events=("plan.cured",), told=plan_audience.plan_owner,
    ),
    Kind(
        name="plan_completed", label=_("Your payment plan is paid off"), topic=Topic.BILLS,
        events=("plan.completed",), told=plan_audience.plan_owner, is_required=True,
    ),
    Kind(
        name="plan_paused", label=_("Your payment plan is paused"), topic=Topic.BILLS, events=("plan.paused",),
        told=plan_audience.plan_owner, is_required=True,
    ),
    Kind(
        name="plan_resumed", label=_("Your payment plan goes on"), topic=Topic.BILLS, events=("plan.resumed",),
        told=plan_audience.plan_owner, is_required=True, may_state_amount=True,
    ),
    Kind(
        name="plan_updated", label=_("Your payment plan has changed"), topic=Topic.BILLS,
        events=("plan.respread", "plan.reopened", "plan.ended"),
        told=plan_audience.plan_owner, is_required=True,
    ),
)  # fmt: skip
