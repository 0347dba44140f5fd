"""A plan is offered for what fits, agreed to as it was read, and kept word for word (issue: payment plans, 0 %)."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from accounts.visibility import scope_of
from activity.models import Event
from bills import holds
from bills.models import Bill, Hold
from bills.states import State
from payments.models import AutopayCharge, AutopayEnrollment, PaymentMethod, PlanAgreement, PlanBill, PlanPolicy
from payments.pages.rows import rows_of
from payments.plans import agreeing, offering, policies
from payments.plans.agreeing import BillUnfit, NotSigned, TermsChanged, TextMissing
from payments.plans.terms import Choice, TermsRefused
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate, make_payment
from tests.payments.plans.making import amounts_of, choice_of, drafted, make_plan, signing_of


def test_a_signed_plan_puts_its_bills_on_it_and_sums_to_them(cast: Cast) -> None:
    late = timezone.localdate() - dt.timedelta(days=20)
    bills = [make_bill(cast.alice, amount_cents=20_001, due_on=late), make_bill(cast.maya, amount_cents=13_333)]
    plan = make_plan(cast.alice, bills, choice_of(3, down_cents=3_333))
    assert amounts_of(plan) == [3_333, 10_001, 10_000, 10_000]
    rows = rows_of(list(Bill.objects.visible_to(scope_of(cast.alice.user))), scope_of(cast.alice.user))
    assert {row.state for row in rows} == {State.ON_PLAN}
    assert Event.objects.filter(kind="plan.agreed", subject=f"plan:{plan.number}").count() == 1


def test_the_agreement_holds_the_credit_box_and_the_text_of_california(cast: Cast) -> None:
    bill = make_bill(cast.alice, amount_cents=120_000)
    plan = make_plan(cast.alice, [bill], choice_of(12))
    text = plan.agreements.get().text
    for words in (
        policies.CALIFORNIA_TEXT, "0.00 %", "$0.00", "$1,200.00", "12 of $100.00", "Creditor", "Late charge\tNone",
        "without a penalty", "never required", bill.number,
    ):  # fmt: skip
        assert words in text
    assert "Outpatient" not in text
    assert plan.agreements.get().signature == "Alice Rivera"


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_text_of_the_law_stands_verbatim_in_every_language(cast: Cast, language: str) -> None:
    from django.utils import translation

    with translation.override(language):
        made = drafted(cast.alice, [make_bill(cast.alice)])
    assert policies.CALIFORNIA_TEXT in made.text


def test_without_the_text_nothing_is_agreed_to(cast: Cast) -> None:
    policy = PlanPolicy(state="CA", needs_text=True, required_text="")
    with pytest.raises(TextMissing):
        agreeing.refuse_without_text(policy, "any words")
    with pytest.raises(TextMissing):
        agreeing.refuse_without_text(policies.for_state("CA"), "words without it")


def test_the_database_refuses_an_agreement_without_it(cast: Cast) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice)])
    given = {
        "plan": plan, "version": "1", "policy_version": "1", "total_cents": 1, "language": "en",
        "accepted_at": timezone.now(), "address": "203.0.113.7", "user_agent": "x",
    }  # fmt: skip
    for constraint, fields in (
        ("payments_agreement_california", {"state": "CA", "text": "without", "signature": "A"}),
        ("payments_agreement_has_its_text", {"state": "OR", "text": "x", "required_text": "law", "signature": "A"}),
        ("payments_agreement_signed", {"state": "OR", "text": "x", "signature": ""}),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            PlanAgreement.objects.create(**given, **fields)


def test_what_was_agreed_to_is_neither_changed_nor_deleted(cast: Cast) -> None:
    agreement = make_plan(cast.alice, [make_bill(cast.alice)]).agreements.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanAgreement.objects.filter(pk=agreement.pk).update(text=agreement.text + " and more")
    with pytest.raises(DatabaseError), transaction.atomic():
        agreement.delete()


def test_bills_that_do_not_fit_are_not_offered(cast: Cast) -> None:
    scope, user = scope_of(cast.alice.user), cast.alice.user
    held, paid, moving = (make_bill(cast.alice) for _ in range(3))
    scheduled, apart, charged = (make_bill(cast.alice) for _ in range(3))
    holds.begin(held, cause=Hold.Cause.REVIEW)
    make_payment({paid: 18_500}, payer=user)
    make_payment({moving: 100}, payer=user, status=PaymentStatus.PROCESSING)
    draft = make_payment({scheduled: 100}, payer=user, status=PaymentStatus.DRAFT)
    type(draft).objects.filter(pk=draft.pk).update(scheduled_on=timezone.localdate() + dt.timedelta(days=3))
    Bill.objects.filter(pk=apart.pk).update(plan_eligible=False)
    _announce(cast, charged, AutopayCharge.Status.QUEUED)
    on_plan = make_bill(cast.alice)
    make_plan(cast.alice, [on_plan])
    unfit = [held, paid, moving, scheduled, apart, charged, on_plan]
    found = offering.candidates(scope, [bill.number for bill in unfit])
    assert all(each.reason for each in found) and len(found) == len(unfit)
    for bill in unfit:
        with pytest.raises(BillUnfit):
            agreeing.draft(scope, user, [bill.number], choice_of())


def test_premiums_and_what_is_not_the_viewers_are_no_candidates(cast: Cast) -> None:
    premium = make_bill(cast.alice)
    Bill.objects.filter(pk=premium.pk).update(
        kind="premium", coverage=make_coverage(cast.alice), period=dt.date(2026, 11, 1)
    )
    others = make_bill(cast.charlie)
    scope = scope_of(cast.alice.user)
    assert not offering.candidates(scope, [premium.number]) and not offering.candidates(scope)
    with pytest.raises(BillUnfit):
        agreeing.draft(scope, cast.alice.user, [others.number], choice_of())


def test_only_a_delegate_with_full_leave_may_agree_for_another(cast: Cast) -> None:
    bill = make_bill(cast.bob)
    for grant, fits in (("pay_only", False), ("view", False), ("full", True)):
        user = make_delegate(cast.bob, f"{grant}@example.com", grant)
        assert bool(offering.candidates(scope_of(user), [bill.number])) is fits


def test_a_bill_that_a_confidential_member_shared_cannot_be_put_on_a_plan(cast: Cast) -> None:
    bill = make_bill(cast.bob)
    type(cast.bob).objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    Bill.objects.filter(pk=bill.pk).update(shared_at=timezone.now())
    assert not offering.candidates(scope_of(cast.alice.user), [bill.number])


def test_a_charge_that_was_announced_is_not_needed_any_more(cast: Cast) -> None:
    bill = make_bill(cast.alice)
    charge = _announce(cast, bill, AutopayCharge.Status.ANNOUNCED)
    make_plan(cast.alice, [bill])
    charge.refresh_from_db()
    assert (charge.status, charge.code) == ("not_needed", "on_plan")


def test_what_changed_since_it_was_read_is_read_again(cast: Cast) -> None:
    bill = make_bill(cast.alice, amount_cents=40_000)
    signing, user = signing_of(drafted(cast.alice, [bill])), cast.alice.user
    make_payment({bill: 1_000}, payer=user)
    with pytest.raises(TermsChanged):
        agreeing.accept(scope_of(user), user, [bill.number], choice_of(), signing)
    assert not PlanBill.objects.exists()


@pytest.mark.parametrize("name", ["", " ", "Bob Rivera", "Alice"])
def test_another_name_is_no_signature(cast: Cast, name: str) -> None:
    bill, user = make_bill(cast.alice), cast.alice.user
    signing = replace(signing_of(drafted(cast.alice, [bill])), name=name)
    with pytest.raises(NotSigned):
        agreeing.accept(scope_of(user), user, [bill.number], choice_of(), signing)


def test_the_same_form_sent_twice_gives_the_same_plan(cast: Cast) -> None:
    bill, user = make_bill(cast.alice), cast.alice.user
    signing = signing_of(drafted(cast.alice, [bill]))
    plans = {agreeing.accept(scope_of(user), user, [bill.number], choice_of(), signing) for _ in range(2)}
    assert len(plans) == 1


def test_a_bill_is_on_one_plan_at_a_time_says_the_database(cast: Cast) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice)])
    other = make_plan(cast.alice, [make_bill(cast.alice)])
    bill = plan.plan_bills.get().bill
    with pytest.raises(IntegrityError, match="one_plan_at_a_time"), transaction.atomic():
        PlanBill.objects.create(plan=other, bill=bill, amount_cents=1)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(day=1, count=1), Choice(day=1, count=37), Choice(day=1, count=8), Choice(day=1, monthly_cents=2_499),
        Choice(day=1, monthly_cents=18_500), Choice(day=1, count=2, down_cents=49),
        Choice(day=1, count=2, down_cents=18_400), Choice(day=1, count=2, down_cents=18_500), Choice(day=1),
    ],
)  # fmt: skip
def test_terms_outside_the_rules_are_refused(cast: Cast, choice: Choice) -> None:
    """Of $185.00 in California: 2 to 7 instalments of at least $25.00."""
    with pytest.raises(TermsRefused):
        drafted(cast.alice, [make_bill(cast.alice)], choice)


def test_a_small_bill_makes_no_plan(cast: Cast) -> None:
    with pytest.raises(TermsRefused, match=r"\$100\.00 or more"):
        drafted(cast.alice, [make_bill(cast.alice, amount_cents=9_999)])


def test_an_amount_a_month_leaves_the_rest_to_the_last(cast: Cast) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice, amount_cents=50_000)], Choice(day=5, monthly_cents=15_000))
    assert amounts_of(plan) == [15_000, 15_000, 15_000, 5_000]


def test_the_cap_of_new_york_holds_for_who_says_their_income(cast: Cast) -> None:
    type(cast.household).objects.filter(pk=cast.household.pk).update(state="NY")
    bill = make_bill(cast.alice, amount_cents=240_000)
    with pytest.raises(TermsRefused, match=r"at most \$50\.00"):
        drafted(cast.alice, [bill], Choice(day=1, count=12, income_cents=100_000))
    made = drafted(cast.alice, [bill], Choice(day=1, count=48, income_cents=100_000))
    assert "5 % of your gross monthly income" in made.text
    assert "$1,000.00" in made.text
    assert len(drafted(cast.alice, [bill], Choice(day=1, count=80, income_cents=60_000)).terms.parts) == 80


def test_the_rule_of_the_state_holds_and_everywhere_else_the_operators(cast: Cast) -> None:
    assert policies.for_state("CA").version == "CA-2025-07"
    assert policies.for_state("TX").version == "US-2025-01"
    assert policies.for_state("CA", on=dt.date(2025, 6, 30)).version == "US-2025-01"


def test_a_rule_is_replaced_from_a_day_on_and_older_plans_keep_theirs(cast: Cast) -> None:
    plan = make_plan(cast.alice, [make_bill(cast.alice)])
    made = policies.replace(
        plan.policy, by=cast.dana, reason="fewer", effective_on=timezone.localdate(), max_installments=6
    )
    assert policies.for_state("CA") == made
    plan.refresh_from_db()
    assert plan.policy.version == "CA-2025-07"
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanPolicy.objects.filter(pk=made.pk).update(max_installments=99)


@pytest.mark.parametrize(
    "changes",
    [
        {"required_text": ""}, {"default_after_days": 80, "notice_after_days": 40}, {"max_installments": 1},
        {"notice_days": 5}, {"effective_on": dt.date(2025, 7, 1)}, {"min_installment_cents": 10},
        {"income_cap_basis_points": None},
    ],
)  # fmt: skip
def test_a_rule_that_the_law_does_not_allow_is_refused(cast: Cast, changes: dict[str, Any]) -> None:
    changed = {"effective_on": timezone.localdate(), **changes}
    with pytest.raises(policies.PolicyRefused):
        policies.replace(policies.for_state("CA"), by=cast.dana, reason="x", **changed)


def _announce(cast: Cast, bill: Bill, status: str) -> AutopayCharge:
    user = cast.alice.user
    assert user is not None
    card = PaymentMethod.objects.create(user=user, kind="card", stripe_id="pm_plan", last4="4242")
    enrollment = AutopayEnrollment.objects.create(user=user, household=cast.household, covers="medical", method=card)
    return AutopayCharge.objects.create(
        enrollment=enrollment, household=cast.household, bill=bill, amount_cents=100, due_on=bill.due_on,
        charge_on=bill.due_on, status=status,
    )  # fmt: skip
