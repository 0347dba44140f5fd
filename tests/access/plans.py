"""A plan of each member's bill, as addresses name it; a child's is the holder's."""

from django.utils import timezone

from payments.models import PaymentPlan, PlanAgreement, PlanBill
from payments.plans import policies
from tests.accounts.records import Records

# Whose plan it is changes it: of a child's bill that is the holder who signed.
OWNERS_ROUTES = (
    "plan_add", "plan_change", "plan_change_sign", "plan_method", "plan_pause", "plan_resume", "plan_end",
)  # fmt: skip


def numbers(records: Records) -> dict[str, object]:
    """The numbers of the plans."""
    return {name: plan.number for name, plan in _plans(records).items()}


def agreements(records: Records) -> dict[str, object]:
    """The ids of an agreement of each."""
    found: dict[str, object] = {}
    for name, plan in _plans(records).items():
        agreement = plan.agreements.first() or PlanAgreement.objects.create(
            plan=plan, text="What was agreed to.", version="1", policy_version="1", state="OR", total_cents=10_000,
            language="en", signature=name, accepted_at=timezone.now(), address="203.0.113.7", user_agent="x",
        )  # fmt: skip
        found[name] = agreement.pk
    return found


def _plans(records: Records) -> dict[str, PaymentPlan]:
    return {name: _plan(records, name) for name in records.bills}


def _plan(records: Records, name: str) -> PaymentPlan:
    bill = records.bills[name]
    standing = PaymentPlan.objects.filter(number=f"PLAN-{name}").first()
    if standing is not None:
        return standing
    plan = PaymentPlan.objects.create(
        number=f"PLAN-{name}", household=bill.household, day_of_month=1, policy=policies.for_state("TX"),
        owner=bill.member.user or records.bills["Alice"].member.user,
    )  # fmt: skip
    PlanBill.objects.create(plan=plan, bill=bill, amount_cents=10_000)
    return plan
