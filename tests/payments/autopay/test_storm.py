"""A provider that takes fewer calls than the pace that is set: everybody is charged once, and nobody is declined."""

import datetime as dt

import pytest
from django.utils import timezone

from activity.models import Event
from payments import sweeping
from payments.autopay import announcing, pace
from payments.models import AutopayCharge, AutopayEnrollment, Payment
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.autopay.scene import charged, enroll, in_days, save_card
from tests.payments.paying import charges, drifting_accounts, trial_balance
from tests.stripe_sandbox.conftest import Server


def test_a_storm_of_refusals_beyond_the_pace_charges_everybody_once(
    real_cast: Cast, provider: Server, enrollment: AutopayEnrollment, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAULTS B08: the provider takes fewer calls than the pace that is set; 60 charges are held back, none is lost."""
    monkeypatch.setattr(pace, "LONGEST_HOLD_SECONDS", 0.05)
    holds: list[int] = []
    hold_back = pace.hold_back
    monkeypatch.setattr(pace, "hold_back", lambda tries: (holds.append(tries), hold_back(tries)))
    settings.AUTOPAY_PER_SECOND, settings.AUTOPAY_THREADS = 1_000, 4
    enroll(real_cast.charlie, save_card(real_cast.charlie), people=(real_cast.charlie,))
    for number in range(60):
        who = real_cast.maya if number % 2 else real_cast.charlie
        make_bill(who, due_on=in_days(20), amount_cents=1_000 + number)
    announcing.run()
    provider.post("settings", rate_limit_per_second=20)
    # Where the machine is too slow to meet that limit by itself, the storm comes all the same.
    provider.post(
        "faults", match={"method": "POST", "path": "/v1/payment_intents$", "nth": 5}, effect="status_429", times=30
    )
    for _run in range(5):  # what met a refusal at every try waits for the sweeper, which asks with the same key
        charged(in_days(20))
        waiting = Payment.objects.filter(status="submitted")
        if not waiting.update(asked_at=timezone.now() - dt.timedelta(minutes=5)):
            break
        sweeping.run()
    provider.post("settings", rate_limit_per_second=0)
    assert len(holds) > 20, "the limit was hardly met: the test shows nothing"
    assert sorted(made.amount for made in charges()) == [1_000 + number for number in range(60)]
    assert set(AutopayCharge.objects.values_list("status", flat=True)) == {"done"}
    assert not Event.objects.filter(kind__in=("payment.failed", "payment.canceled", "autopay.failed")).exists()
    assert Payment.objects.filter(status="succeeded").count() == Payment.objects.count() == 60
    assert drifting_accounts() == [] and trial_balance() == 0
