"""Paying by hand: amounts, method, confirm."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Delegate
from accounts.visibility import scope_of
from activity.models import Event
from bills import issuing
from bills.banking_days import add_banking_days, is_banking_day
from bills.models import Bill
from payments import calendar, checkout, declines, methods
from payments.models import Payment, PaymentMethod
from tests.conftest import Cast
from tests.payments.paying import balance, charges, make_bill, token
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]


def begin(cast: Cast, amounts: dict[str, int], who: str = "alice") -> Payment:
    user = getattr(cast, who).user
    return checkout.begin(scope_of(user), payer=user, amounts=amounts)


def test_a_part_payment_moves_the_balance_at_once(draft: Draft, bill: Bill) -> None:
    payment = checkout.confirm(draft(5_000))
    assert payment.status == "succeeded"
    assert (payment.method_brand, payment.method_last4) == ("visa", "4242")
    assert balance(bill) == 13_500
    assert [charge.amount for charge in charges()] == [5_000]


def test_every_step_leaves_its_event(draft: Draft) -> None:
    payment = checkout.confirm(draft(5_000))
    steps = Event.objects.filter(subject=f"payment:{payment.number}").order_by("pk")
    assert [(step.from_status, step.to_status) for step in steps] == [
        ("draft", "submitted"),
        ("submitted", "succeeded"),
    ]


def test_several_bills_are_one_charge_that_posts_to_each(real_cast: Cast, provider: Server) -> None:
    bills = [make_bill(real_cast.alice, 10_000), make_bill(real_cast.maya, 2_000)]
    payment = begin(real_cast, {bills[0].number: 4_000, bills[1].number: 2_000})
    checkout.confirm(checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    assert [charge.amount for charge in charges()] == [6_000]
    assert [balance(bill) for bill in bills] == [6_000, 0]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "lost_card"),
        ("pm_card_chargeDeclinedStolenCard", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error"),
        ("pm_card_chargeDeclinedFraudulent", "fraudulent"),
    ],
)
def test_a_decline_fails_and_leaves_the_balance(draft: Draft, bill: Bill, card: str, code: str) -> None:
    """FAULTS B12: each in words that are safe to show."""
    payment = checkout.confirm(draft(5_000, card))
    assert (payment.status, payment.failure_code) == ("failed", code)
    assert balance(bill) == 18_500
    assert charges() == []


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent", "pickup_card", "a_code_of_tomorrow"])
def test_lost_stolen_and_fraud_read_like_any_decline(code: str) -> None:
    """FAULTS B12, G12."""
    assert declines.text_of(code) is declines.GENERIC


def test_cvc_zip_and_number_read_the_same() -> None:
    """FAULTS G12: no oracle for a card tester."""
    codes = ("incorrect_cvc", "incorrect_zip", "incorrect_number", "invalid_expiry_year")
    assert {declines.text_of(code) for code in codes} == {declines.DETAILS}


def test_amounts_that_cannot_be_paid_are_refused(real_cast: Cast, bill: Bill) -> None:
    """FAULTS I07, I08: over the balance, under the least charge, nothing at all."""
    with pytest.raises(checkout.AmountExceedsPayable, match=r"\$185\.00"):
        begin(real_cast, {bill.number: 18_501})
    with pytest.raises(checkout.BelowMinimum):
        begin(real_cast, {bill.number: 49})
    with pytest.raises(checkout.NothingToPay):
        begin(real_cast, {bill.number: 0})
    with pytest.raises(checkout.TooManyBills):
        begin(real_cast, {f"{number}": 1 for number in range(31)})
    assert Payment.objects.count() == 0


def test_medical_and_premium_are_never_one_charge(real_cast: Cast, bill: Bill) -> None:
    """RULES section 2."""
    from accounts.models import Coverage, Plan

    plan = Plan.objects.create(name="Silver", year=2026)
    coverage = Coverage.objects.create(
        plan=plan, kind="family", household=real_cast.household, subscriber=real_cast.alice,
        start_on=dt.date(2026, 1, 1), premium_cents=53_076,
    )  # fmt: skip
    premium = issuing.issue(
        member=real_cast.alice, kind="premium", amount_cents=53_076, title="December premium",
        issued_on=dt.date(2026, 11, 1), due_on=dt.date(2026, 12, 1), source="premium", source_id="1",
        coverage=coverage, period=dt.date(2026, 12, 1),
    )  # fmt: skip
    with pytest.raises(checkout.MixedKinds):
        begin(real_cast, {bill.number: 5_000, premium.number: 53_076})


def test_a_stranger_a_dependant_and_a_view_only_delegate_cannot_pay_it(real_cast: Cast, bill: Bill) -> None:
    """FAULTS F01: it reads as a bill that does not exist."""
    Delegate.objects.create(member=real_cast.maya, user=real_cast.charlie.user, grant="view")
    for who in ("charlie", "bob"):
        with pytest.raises(checkout.BillNotPayable):
            begin(real_cast, {bill.number: 5_000}, who)
    Delegate.objects.update(grant="pay_only")
    assert begin(real_cast, {bill.number: 5_000}, "charlie").amount_cents == 5_000


def test_a_shared_bill_is_paid_by_the_holder_and_not_by_one_who_may_only_look(real_cast: Cast, bill: Bill) -> None:
    """DESIGN section 7: sharing lets the holder pay; it widens no delegate's grant."""
    real_cast.maya.confidential_since = dt.datetime.now(dt.UTC)
    real_cast.maya.save()
    Delegate.objects.create(member=real_cast.maya, user=real_cast.charlie.user, grant="view")
    Bill.objects.update(shared_at=dt.datetime.now(dt.UTC))
    assert begin(real_cast, {bill.number: 5_000}).amount_cents == 5_000
    with pytest.raises(checkout.BillNotPayable):
        begin(real_cast, {bill.number: 5_000}, "charlie")


def test_a_bill_made_confidential_meanwhile_is_not_paid_by_the_holder(real_cast: Cast, bill: Bill) -> None:
    """FAULTS F10: the next request obeys."""
    real_cast.maya.confidential_since = dt.datetime.now(dt.UTC)
    real_cast.maya.save()
    with pytest.raises(checkout.BillNotPayable):
        begin(real_cast, {bill.number: 5_000})


def test_a_step_cannot_be_skipped(real_cast: Cast, provider: Server, bill: Bill, draft: Draft) -> None:
    """FAULTS I20: no confirmation without a method, no method after confirmation."""
    with pytest.raises(checkout.NotADraft):
        checkout.confirm(begin(real_cast, {bill.number: 5_000}))
    paid = checkout.confirm(draft(5_000))
    with pytest.raises(checkout.NotADraft):
        checkout.choose(paid, confirmation_token=token("pm_card_visa"))


def test_the_balance_is_looked_at_again_when_it_is_confirmed(draft: Draft, bill: Bill) -> None:
    """FAULTS J21, F31: an import lowered the bill between the first step and the last."""
    payment = draft(18_500)
    issuing.correct(bill, by_cents=-5_000, key="c", on=bill.issued_on, reason="claim corrected")
    with pytest.raises(checkout.AmountExceedsPayable):
        checkout.confirm(payment)
    assert Payment.objects.get(pk=payment.pk).status == "draft"
    assert charges() == []


def test_an_authentication_is_waited_for_and_can_be_given_up(draft: Draft, bill: Bill) -> None:
    """FAULTS B16."""
    payment = checkout.confirm(draft(5_000, "pm_card_authenticationRequired"))
    assert payment.status == "requires_action"
    assert balance(bill) == 18_500
    assert checkout.abandon(payment, actor="user:1").status == "canceled"
    assert checkout.confirm(draft(18_500)).status == "succeeded"


def test_a_card_is_kept_once_and_with_consent(real_cast: Cast, provider: Server, bill: Bill) -> None:
    for _ in range(2):
        payment = begin(real_cast, {bill.number: 1_000})
        checkout.confirm(
            checkout.choose(
                payment,
                confirmation_token=token("pm_card_visa"),
                saves_method=True,
                consent_address="203.0.113.9",
                consent_version=methods.CONSENT_VERSION,
            )  # fmt: skip
        )
    kept = PaymentMethod.objects.get()
    assert (kept.last4, kept.is_default, kept.consent_address) == ("4242", True, "203.0.113.9")
    assert kept.consented_at is not None

    again = checkout.choose(begin(real_cast, {bill.number: 2_000}), method=kept)
    assert checkout.confirm(again).status == "succeeded"
    methods.remove(kept, actor="user:1")
    late = begin(real_cast, {bill.number: 2_000})
    with pytest.raises(checkout.NotADraft):
        checkout.confirm(checkout.choose(late, method=kept))


@given(st.dates(dt.date(2026, 1, 1), dt.date(2028, 12, 1)), st.integers(0, 10))
def test_posting_days_are_banking_days(day: dt.date, count: int) -> None:
    expected = add_banking_days(day, count)
    passed = sum(is_banking_day(day + dt.timedelta(n)) for n in range(1, (expected - day).days + 1))
    assert passed == count


def test_the_banks_are_open_on_the_friday_before_a_saturday_holiday() -> None:
    """RULES section 11: July 4, 2026 is a Saturday; July 4, 2027 a Sunday."""
    assert is_banking_day(dt.date(2026, 7, 3))
    assert not is_banking_day(dt.date(2027, 7, 5))
    assert calendar.expected_posting("medical", dt.date(2026, 11, 25)) == dt.date(2026, 11, 27)
    assert calendar.expected_posting("premium", dt.date(2026, 11, 25)) == dt.date(2026, 12, 1)


def test_a_client_key_finds_its_payment_after_it_was_paid(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """FAULTS A01, A08: the bill could take no such payment any more, and none is made."""
    payment = checkout.confirm(draft(18_500, client_key="k"))
    user = real_cast.alice.user
    again = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 18_500}, client_key="k")
    assert (again.pk, again.status) == (payment.pk, "succeeded")
    with pytest.raises(checkout.ClientKeyReused):
        checkout.begin(scope_of(user), payer=user, amounts={bill.number: 100}, client_key="k")


def test_an_amount_below_nothing_is_refused_beside_one_above(real_cast: Cast, bill: Bill) -> None:
    """FAULTS I01."""
    other, user = make_bill(real_cast.maya, 5_000), real_cast.alice.user
    with pytest.raises(checkout.NothingToPay):
        checkout.begin(scope_of(user), payer=user, amounts={bill.number: 5_000, other.number: -100}, client_key="k")


def test_no_session_moves_a_payment_as_is_not_allowed(draft: Draft) -> None:
    """FAULTS M9: by raw SQL, and with pgtrigger's own switch."""
    payment = checkout.confirm(draft(5_000))
    with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL pgtrigger.ignore = '{pgtrigger_moves_as_allowed_d202c}'")
        cursor.execute("UPDATE payments_payment SET status = 'draft' WHERE id = %s", [payment.pk])
    assert Payment.objects.get(pk=payment.pk).status == "succeeded"


def test_another_card_becomes_the_default_whatever_the_remover_had_read(real_cast: Cast, provider: Server) -> None:
    """A page that is older than the choice of the default: what stands in the database counts."""
    first, second = (
        PaymentMethod.objects.create(user=real_cast.alice.user, kind="card", stripe_id=f"pm_{n}", is_default=n == 1)
        for n in (1, 2)
    )
    methods.make_default(second)
    assert not second.is_default  # as it was read
    methods.remove(second, actor="user:1")
    assert PaymentMethod.objects.get(is_default=True) == first
