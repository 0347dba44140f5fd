"""Machines whose clock is wrong: the database's decides what is due, and the difference is an alarm (FAULTS E25)."""

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from activity.models import WorkItem
from bills.models import Bill
from payments import clocks
from payments.autopay import planning, running
from payments.models import AutopayCharge
from tests.payments.autopay.scene import stands
from tests.payments.paying import balance


@pytest.fixture(autouse=True)
def real_clock(settings: Settings) -> None:
    """As in production: no clock is moved on purpose."""
    settings.IS_CLOCK_MOVED = False


@pytest.fixture
def tomorrow(charge: AutopayCharge) -> Iterator[AutopayCharge]:
    """A charge that is due tomorrow, as the database counts."""
    AutopayCharge.objects.filter(pk=charge.pk).update(charge_on=planning.day() + dt.timedelta(days=1))
    yield charge


@pytest.mark.parametrize("hours", [26, 24 * 30])
def test_a_worker_that_is_ahead_charges_nothing_early_and_is_told_of_once(
    tomorrow: AutopayCharge, bill: Bill, hours: int
) -> None:
    with time_machine.travel(timezone.now() + dt.timedelta(hours=hours)):
        for _run in range(2):
            assert running.run().planned == 0
        assert WorkItem.objects.get(subject="clock").detail.startswith(f"The clock of a worker is +{hours * 3600}")
    assert (stands(tomorrow), balance(bill)) == (("announced", ""), 18_500)


def test_a_worker_that_is_behind_charges_what_is_due(charge: AutopayCharge, bill: Bill) -> None:
    AutopayCharge.objects.filter(pk=charge.pk).update(charge_on=planning.day())
    with time_machine.travel(timezone.now() - dt.timedelta(hours=26)):
        assert running.run().done == 1
    assert balance(bill) == 0
    assert WorkItem.objects.filter(subject="clock").count() == 1


def test_a_clock_that_is_right_is_no_alarm(real_db: None) -> None:
    assert abs(clocks.watch()) < clocks.MOST_SECONDS
    assert not WorkItem.objects.exists()
