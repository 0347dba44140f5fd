"""Members who change their mind while the run charges, and who spread a bill while it is paid: one of the two holds."""

import time
from collections.abc import Callable

import pytest

from accounts.visibility import scope_of
from bills.models import Bill
from payments import checkout
from payments.autopay import changing, single
from payments.autopay.terms import AutopayError
from payments.models import AutopayCharge, AutopayEnrollment, Payment, PaymentPlan, PlanBill
from payments.plans import agreeing, watching
from payments.plans.terms import TermsRefused
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.autopay.scene import announced, charged, enroll, in_days, save_card
from tests.payments.paying import balance, charges, drifting_accounts, token, trial_balance
from tests.payments.plans.making import amounts_of, choice_of, drafted, signing_of
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

HEAD_STARTS = (0.0, 0.02, 0.08)  # seconds that the one waits for the other: both orders, and what lies between
Act = Callable[[AutopayCharge], object]


def skip(charge: AutopayCharge) -> object:
    return single.skip(charge, charge.enrollment.user)


def stop(charge: AutopayCharge) -> object:
    return changing.stop(charge.enrollment, actor=f"user:{charge.enrollment.user_id}")


def pause(charge: AutopayCharge) -> object:
    return changing.pause(charge.enrollment, charge.enrollment.user, until=in_days(60))


@pytest.mark.parametrize("act", [skip, stop, pause], ids=lambda act: str(act.__name__))
def test_a_charge_is_made_or_called_off_and_never_both(real_cast: Cast, provider: Server, act: Act) -> None:
    """FAULTS A06: what was answered is what happened, in every order."""
    for head_start in HEAD_STARTS:
        bill, charge = _announced(real_cast)
        made, answer = at_once([lambda: charged(in_days(20)), lambda c=charge, s=head_start: _later(s, act, c)])
        assert not isinstance(made, Exception)
        charged(in_days(20))  # a run passes by what is locked at that moment: the next, minutes later, takes it
        charge.refresh_from_db()
        is_charged = len(charges()) > 0 and charge.status == "done"
        assert (balance(bill) == 0) is is_charged
        assert len(charges()) == Payment.objects.filter(status="succeeded").count()
        if act is skip:
            assert isinstance(answer, AutopayError) is is_charged
            assert charge.status == ("done" if is_charged else "skipped")
        if not is_charged:  # and no later run makes it after all
            charged(in_days(21))
            assert balance(bill) == 18_500
        AutopayEnrollment.objects.exclude(status="ended").update(status="ended", paused_until=None)
    assert drifting_accounts() == [] and trial_balance() == 0


def test_past_the_cut_off_the_run_wins_and_its_member_is_told_so(real_cast: Cast, provider: Server) -> None:
    """On the day itself nothing is called off here any more, whoever is first."""
    bill, charge = _announced(real_cast)
    AutopayCharge.objects.filter(pk=charge.pk).update(charge_on=in_days(0))
    made, *answers = at_once(
        [lambda: charged(in_days(0)), *[lambda: skip(AutopayCharge.objects.get(pk=charge.pk))] * 4]
    )
    assert not isinstance(made, Exception)
    assert all(isinstance(answer, AutopayError) for answer in answers)
    charged(in_days(0))  # what it passed by
    assert (balance(bill), len(charges())) == (0, 1)


def test_a_plan_and_a_payment_of_its_whole_bill_at_once(real_cast: Cast, provider: Server) -> None:
    """Paid first, there is nothing to spread; signed first, the payment pays the plan off. Charged once, either way.

    Both are real: the signature under its locks, and the payment through the provider.
    """
    user = real_cast.alice.user
    assert user is not None
    for number, head_start in enumerate((*HEAD_STARTS, -0.02, -0.08)):
        bill = make_bill(real_cast.alice, amount_cents=40_000)
        signing, choice = signing_of(drafted(real_cast.alice, [bill], choice_of(4))), choice_of(4)
        draft = checkout.begin(scope_of(user), payer=user, amounts={bill.number: 40_000})
        checkout.choose(draft, confirmation_token=token("pm_card_visa"))

        def sign(_draft: object, bill: Bill = bill, signing: object = signing, choice: object = choice) -> PaymentPlan:
            return agreeing.accept(scope_of(user), user, [bill.number], choice, signing)  # type: ignore[arg-type]

        paid, plan = at_once(
            [
                lambda d=draft, s=head_start: _later(max(0.0, -s), checkout.confirm, d),
                lambda d=draft, s=head_start, f=sign: _later(max(0.0, s), f, d),
            ]
        )
        _is_right(bill, paid, plan)
        assert len(charges()) == number + 1
    assert drifting_accounts() == [] and trial_balance() == 0


def _is_right(bill: Bill, paid: object, plan: object) -> None:
    assert isinstance(paid, Payment), paid
    assert (paid.status, paid.amount_cents, balance(bill)) == ("succeeded", 40_000, 0)
    if isinstance(plan, PaymentPlan):
        assert sum(amounts_of(plan)) == 40_000
        watching.run()
        plan.refresh_from_db()
        bill.refresh_from_db()
        assert (plan.status, plan.paid_cents, bill.on_plan_since) == ("completed", 40_000, None)
    else:
        assert isinstance(plan, TermsRefused), plan
        assert not PlanBill.objects.filter(bill=bill).exists()


def _announced(cast: Cast) -> tuple[Bill, AutopayCharge]:
    enroll(cast.alice, save_card(cast.alice), people=(cast.alice, cast.maya))
    return make_bill(cast.maya, due_on=in_days(20)), announced()


def _later(seconds: float, act: Callable[..., object], thing: object) -> object:
    time.sleep(seconds)
    return act(thing)
