"""What happens to autopay is told to its member alone, with the amount and the date where the law wants them."""

import pytest
from django.utils import timezone

from accounts.models import User
from notifications import notices, sending
from notifications.kinds import KINDS
from notifications.models import Notification
from payments import moving
from payments.autopay import changing, single
from payments.autopay.enrolling import note
from payments.models import AutopayCharge, Payment
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.notifications.telling import hush, make_notice
from tests.payments.autopay.making import announced, enrolled, in_days, make_terms
from tests.smtp import Mailbox, bodies, whole


def told(user: User) -> list[str]:
    """The kinds of notice that a user was told since they were hushed."""
    notices.make()
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))


def test_the_copy_of_the_words_is_mailed(cast: Cast, mailbox: Mailbox) -> None:
    """D28; Reg E 12 CFR 1005.10(b): word for word, without names and services."""
    enrollment = enrolled(cast.alice, make_terms(cast.alice, cast.maya))
    notices.make()
    sending.send_waiting()
    (message,) = mailbox.taken
    text, html = bodies(message)
    for line in enrollment.consents.get().text.split("\n\n"):
        assert line in text
    assert "3 business days" in html
    assert "Maya" not in whole(message)


def test_each_act_is_told_once_and_to_its_member_alone(cast: Cast) -> None:
    enrollment = enrolled(cast.alice)
    charge = announced(enrollment, cast.maya)
    hush()
    user = cast.alice.user
    single.skip(charge, user)
    changing.pause(enrollment, user, until=in_days(9))
    changing.resume(enrollment, user)
    changing.stop(enrollment, actor=f"user:{user.pk}")
    assert told(user) == ["autopay_skipped", "autopay_paused", "autopay_resumed", "autopay_stopped"]
    assert Notification.objects.exclude(user=user).count() == 0


def test_an_announcement_states_amount_and_date_to_who_asked_for_no_amounts(cast: Cast, mailbox: Mailbox) -> None:
    """RULES 3.1, Reg E 12 CFR 1005.10(d)(1)."""
    charge = announced(enrolled(cast.alice), cast.alice)
    hush()
    note("autopay.announced", charge.enrollment, actor="system", charge_id=charge.pk)
    notices.make()
    sending.send_waiting()
    text, _html = bodies(mailbox.taken[-1])
    assert "$185.00" in text
    assert f"{charge.charge_on:%B} {charge.charge_on.day}, {charge.charge_on.year}" in text
    assert "skip it" in text


def test_a_failure_says_when_it_is_tried_again_or_that_it_is_not(cast: Cast, mailbox: Mailbox) -> None:
    charge = announced(enrolled(cast.alice), cast.alice, status="failed", code="insufficient_funds")
    hush()
    note("autopay.failed", charge.enrollment, actor="system", charge_id=charge.pk, code="x", next_on="")
    notices.make()
    sending.send_waiting()
    assert "do not try again" in bodies(mailbox.taken[-1])[0]
    debit = make_payment({charge.bill: 5_000}, payer=cast.alice.user, status="returned")
    again = make_payment({charge.bill: 5_000}, payer=cast.alice.user, status="draft")
    Payment.objects.filter(pk=again.pk).update(retry_of=debit, retry_number=1, scheduled_on=in_days(9))
    AutopayCharge.objects.filter(pk=charge.pk).update(payment=debit)
    note("autopay.failed", charge.enrollment, actor="system", charge_id=charge.pk, code="R01", next_on="")
    notices.make()
    sending.send_waiting()
    assert f"We try again on {in_days(9):%B} {in_days(9).day}," in bodies(mailbox.taken[-1])[0]
    AutopayCharge.objects.create(
        enrollment=charge.enrollment, household=charge.household, bill=charge.bill, attempt=2, amount_cents=18_500,
        due_on=charge.due_on, charge_on=in_days(15),
    )  # fmt: skip
    note("autopay.failed", charge.enrollment, actor="system", charge_id=charge.pk, code="x", next_on="")
    notices.make()
    sending.send_waiting()
    assert "We try again on" in bodies(mailbox.taken[-1])[0]


@pytest.mark.parametrize("kind", ["autopay_announced", "autopay_failed", "autopay_stopped", "autopay_enrolled"])
def test_another_reader_or_a_bill_that_is_not_seen_any_more_is_told_nothing(
    cast: Cast, mailbox: Mailbox, kind: str
) -> None:
    """L02, F09."""
    notice = make_notice(cast, kind)
    Notification.objects.filter(pk=notice.pk).update(user=cast.charlie.user)
    assert sending.send_waiting() == 0
    if KINDS[kind].true_in is None:
        return
    notice = make_notice(cast, kind, dedupe_key="bob")
    charge = AutopayCharge.objects.get(pk=notice.subject.partition(":")[2])
    charge.bill.member = cast.bob
    charge.bill.save()
    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert notice.status == "dropped"


def test_what_is_not_so_any_more_is_not_told(cast: Cast, mailbox: Mailbox) -> None:
    """L03: a planned payment that was skipped meanwhile, a pause that has ended."""
    make_notice(cast, "autopay_announced")
    AutopayCharge.objects.update(status="skipped")
    paused = make_notice(cast, "autopay_paused")
    changing.resume(cast.alice.user.autopay.get(status="paused"), cast.alice.user)
    assert sending.send_waiting() == 0
    paused.refresh_from_db()
    assert "by now" in paused.reason


@pytest.mark.parametrize("channel", ["autopay", "plan"])
def test_a_failed_charge_is_told_of_once(cast: Cast, channel: str) -> None:
    """Autopay says what happened and when it tries again: not the notice of a failed payment as well."""
    payment = make_payment({make_bill(cast.alice): 5_000}, payer=cast.alice.user, status="submitted")
    Payment.objects.update(channel=channel)
    hush()
    moving.move(payment.pk, "failed", actor="stripe", failure_code="insufficient_funds")
    assert "payment_failed" not in told(cast.alice.user)
