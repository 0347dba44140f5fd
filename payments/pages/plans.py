"""Payment plans: the list, one plan and where it stands, paying it, and its agreements as documents."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import looking, rate_limits
from accounts.policies import Policy, allow
from accounts.requests import MemberRequest
from accounts.visibility import Scope
from bills import naming, pdf
from bills.models import Bill
from payments import pacing, wording
from payments.autopay import naming as titles
from payments.checkout import CheckoutError
from payments.models import AutopayEnrollment, PaymentPlan, PlanAgreement
from payments.pages import pay
from payments.pages.method_choice import usable_methods
from payments.plan_forms import PauseForm, PayForm, PlanMethodForm
from payments.plans import agreements, charging, offering, pausing, paying, standing
from payments.plans.standing import TONES, Standing

MAX_LISTED = 50

UNPAID = (PaymentPlan.Status.DEFAULTED, PaymentPlan.Status.ENDED)


@allow(Policy.MEMBER)
@require_safe
def plans_page(request: MemberRequest) -> HttpResponse:
    """The plans that the viewer sees, the running first, and what else could be paid by instalments."""
    found = PaymentPlan.objects.visible_to(request.scope).select_related("policy", "household")
    plans = list(found.order_by("ended_at", "-created_at")[:MAX_LISTED])
    where = standing.of_many(plans)
    taken = charging.of_many(where)
    looking.at_members(request, (bill.member_id for each in where for bill in each.bills), "plans")
    called = titles.plan_titles(plans, request.scope)
    providers = _providers(where, request.scope)
    free = [each for each in offering.candidates(request.scope) if not each.reason]
    context = {
        "rows": [
            _row(each, taken.get(each.plan.pk)) | {"title": called[each.plan.pk], "providers": providers[each.plan.pk]}
            for each in where
        ],
        "free_count": len(free),
        "free_cents": sum(each.owed_cents for each in free),
    }
    return render(request, "plans/plans.html", context)


@allow(Policy.MEMBER)
@require_safe
def plan_page(request: MemberRequest, number: str) -> HttpResponse:
    """One plan: what is due, the schedule, its bills, its agreements, and what can be changed."""
    plan = visible(request, number)
    return shown(request, plan, PayForm())


@allow(Policy.MEMBER)
@require_POST
def plan_pay(request: MemberRequest, number: str) -> HttpResponse:
    """Pay what is due, the next instalment, all that is left, or another amount: on to the checkout."""
    plan = visible(request, number)
    form = PayForm(request.POST)
    if form.is_valid():
        try:
            pacing.before_begin(request.user)
            cents = _wanted_cents(form, standing.of(plan))
            payment = paying.begin(request.scope, plan, payer=request.user, cents=cents)
        except CheckoutError as error:
            form.add_error(None, str(error))
        else:
            is_chosen = payment.method_id is not None
            return redirect("pay_review" if is_chosen else "pay_method", payment.number)
    return shown(request, plan, form, status=pay.INVALID)


@allow(Policy.MEMBER)
@require_safe
@rate_limits.limited(rate_limits.DOCUMENTS_PER_USER)
def plan_agreement(request: MemberRequest, agreement_id: int) -> HttpResponse:
    """Give an agreement as a PDF that screen readers can read: the words that were signed."""
    found = PlanAgreement.objects.visible_to(request.scope).select_related("plan")
    agreement = get_object_or_404(found, pk=agreement_id)
    plan = agreement.plan
    looking.at_members(request, plan.plan_bills.values_list("bill__member_id", flat=True), "plan agreement")
    context = {
        "plan": plan,
        "agreement": agreement,
        "blocks": agreements.blocks(agreement.text, required=agreement.required_text),
        "language": agreement.language,
    }
    return HttpResponse(
        pdf.rendered("print/plan_agreement.html", context, request),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="agreement-{plan.number}-{agreement.pk}.pdf"'},
    )


def visible(request: MemberRequest, number: str) -> PaymentPlan:
    """The plan of this number. Raises Http404 where the viewer sees none."""
    found = PaymentPlan.objects.visible_to(request.scope).select_related("policy", "household", "method", "owner")
    return get_object_or_404(found, number=number)


def owned(request: MemberRequest, number: str) -> PaymentPlan:
    """The viewer's own plan of this number. Raises Http404 for everybody else's."""
    found = PaymentPlan.objects.visible_to(request.scope).owned_by(request.scope)
    return get_object_or_404(found.select_related("policy", "household", "method", "owner"), number=number)


def shown(request: MemberRequest, plan: PaymentPlan, form: PayForm, *, status: int = 200) -> HttpResponse:
    """The page of a plan."""
    where = standing.of(plan)
    seen = Bill.objects.visible_to(request.scope).filter(pk__in=[bill.pk for bill in where.bills])
    looking.at_members(request, (bill.member_id for bill in where.bills), "plan")
    today = timezone.localdate()
    due = min(where.due_cents(today), where.left_cents)
    following = where.next_line
    reason = pausing.reason_of(where)
    taken = charging.of(where)
    context = {
        **_row(where, taken),
        "form": form,
        "due_cents": due,
        "pause_reason": reason,
        "pause_words": PaymentPlan.Pause(reason).label,
        "taken": taken,
        "taken_from": wording.saved(taken.charge.method or taken.enrollment.method) if taken and taken.charge else "",
        "next_cents": 0 if following is None or due else min(following.open_cents, where.left_cents),
        "bills": [{"bill": bill, "title": naming.title_of(bill, request.scope)} for bill in seen.order_by("due_on")],
        "agreements": plan.agreements.order_by("-accepted_at"),
        "is_own": plan.owner_id == request.user.pk,
        "autopay": AutopayEnrollment.objects.visible_to(request.scope).in_force().filter(plan=plan).first(),
        "autopay_key": f"{AutopayEnrollment.Covers.PLAN.value}-{plan.pk}",
        "is_running": plan.status == PaymentPlan.Status.ACTIVE,
        "today": today,
        "method_form": PlanMethodForm(usable_methods(request), initial={"method": str(plan.method_id or "")}),
        "pause_form": PauseForm(plan.policy),
        "can_automate": not plan.autopay.in_force().exists(),
    }
    for message in form.non_field_errors():
        messages.error(request, str(message))
    return render(request, "plans/plan.html", context, status=status)


def _providers(standings: Sequence[Standing], scope: Scope) -> dict[int, str]:
    """Who gave the services that are paid by each plan, by its id, as far as the viewer may know. One query."""
    ids = [bill.pk for where in standings for bill in where.bills]
    seen = set(Bill.objects.visible_to(scope).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    names = {
        where.plan.pk: dict.fromkeys(naming.provider_of(bill, scope) for bill in where.bills if bill.pk in seen)
        for where in standings
    }
    return {plan_id: ", ".join(filter(None, of_plan)) for plan_id, of_plan in names.items()}


def _row(where: Standing, taken: charging.Taken | None) -> dict[str, object]:
    state = charging.state_of(where, taken)
    return {
        "plan": where.plan, "where": where, "state": state, "tone": TONES.get(state, ""),
        "following": where.next_line,
        # Of one that ended unpaid the bills have left: what was agreed stands in its schedule.
        "total_cents": where.scheduled_cents if where.plan.status in UNPAID else where.should_be_cents,
        "covered_cents": where.paid_cents + where.waiting_cents,
    }  # fmt: skip


def _wanted_cents(form: PayForm, where: Standing) -> int:
    what = form.cleaned_data["what"]
    if what == PayForm.ALL:
        return where.left_cents
    if what == PayForm.OTHER:
        return form.cleaned_data["amount"] or 0
    if what == PayForm.DUE:
        return min(where.due_cents(timezone.localdate()), where.left_cents)
    return min(where.next_line.open_cents, where.left_cents) if where.next_line is not None else 0
