"""From events to notices: each fact told once, to the one it concerns, whatever runs twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from activity.models import Event
from activity.recording import record
from notifications import deciding, notices
from notifications.models import Notification
from payments import methods, moving
from payments.models import PaymentMethod, Refund
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.notifications.telling import hush


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [
        (PaymentStatus.SUBMITTED, PaymentStatus.SUCCEEDED, "receipt"),
        (PaymentStatus.SUBMITTED, PaymentStatus.FAILED, "payment_failed"),
        (PaymentStatus.SUBMITTED, PaymentStatus.PROCESSING, "payment_on_its_way"),
    ],
)
def test_a_payments_news_goes_to_its_payer(cast: Cast, start: PaymentStatus, end: PaymentStatus, kind: str) -> None:
    """Receipt, failed, on its way."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user, status=start)
    hush()
    moving.move(payment.pk, end, actor="stripe")
    notices.make()
    notice = Notification.objects.get()
    assert (notice.kind, notice.user_id, notice.subject) == (kind, cast.alice.user_id, f"payment:{payment.number}")


def test_nobody_but_the_payer_is_told(cast: Cast) -> None:
    """F13, L02: Bob pays his own; the holder gets nothing."""
    payment = make_payment({make_bill(cast.bob): 5_000}, payer=cast.bob.user, status=PaymentStatus.SUBMITTED)
    hush()
    moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")
    notices.make()
    assert list(Notification.objects.values_list("user_id", flat=True)) == [cast.bob.user_id]


def test_a_refund_that_fails_does_not_send_the_receipt_again(cast: Cast) -> None:
    """The payment is back in "succeeded", which was told already; the failed refund is told."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user, status=PaymentStatus.SUBMITTED)
    hush()
    moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")
    moving.move(payment.pk, PaymentStatus.REFUNDED, actor="stripe")
    moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")
    refund = Refund.objects.create(payment=payment, amount_cents=5_000, reason="x")
    for status in ("succeeded", "failed"):
        record(
            f"refund.{status}", subject=f"payment:{payment.number}", actor="stripe", payment_id=payment.pk,
            refund_id=refund.pk,
        )  # fmt: skip
    notices.make()
    assert sorted(Notification.objects.values_list("kind", flat=True)) == ["receipt", "refund_failed", "refund_sent"]


def test_cards_that_are_kept_removed_and_renewed_are_told_to_their_owner(cast: Cast) -> None:
    """B28: each renewal once; keeping and removing once."""
    card = PaymentMethod.objects.create(user=cast.alice.user, kind="card", stripe_id="pm_1", last4="4242")
    record("method.kept", subject=f"method:{card.pk}", actor="x", method_id=card.pk)
    for _ in range(2):
        record("method.renewed", subject="method:pm_1", actor="stripe")
    record("method.removed", subject=f"method:{card.pk}", actor="x", method_id=card.pk)
    notices.make()
    kinds = sorted(Notification.objects.filter(user=cast.alice.user).values_list("kind", flat=True))
    assert kinds == ["method_kept", "method_removed", "method_renewed", "method_renewed"]
    assert methods.MAX_METHODS > 0


def test_who_holds_a_member_is_told_of_a_second_claim_once(cast: Cast) -> None:
    """H24: refused to the claimer, work for staff, and news to the user who holds the member."""
    for _ in range(2):
        record(
            "enrolment.second_claim", subject=f"member:{cast.alice.pk}", actor="x", held_by=cast.alice.user_id,
            claimed_by=cast.charlie.user_id,
        )  # fmt: skip
    notices.make()
    notice = Notification.objects.get()
    assert (notice.kind, notice.user_id) == ("second_claim", cast.alice.user_id)
    ((_notice, mail),) = deciding.decide([notice]).to_send
    assert mail.address == "alice@example.com"
    assert "charlie" not in (mail.text + mail.html).lower()
    cast.alice.user = None
    cast.alice.save()
    (mark,) = deciding.decide([notice]).marks
    assert (mark.status, mark.reason) == ("dropped", "the member is no longer the user's")


def test_every_other_event_is_marked_and_told_to_nobody(cast: Cast) -> None:
    """The outbox empties; what is not told today is not told later by surprise."""
    record("bill.adjusted", subject="bill:X", actor="x")
    record("payment.canceled", subject="payment:X", actor="x", payment_id=0)
    notices.make()
    assert not Notification.objects.exists()
    assert not Event.objects.filter(processed_at__isnull=True).exists()


def test_parallel_workers_make_each_notice_once(real_cast: Cast) -> None:
    """L05, M11: eight workers, forty events, forty notices; a second run makes none."""
    bill = make_bill(real_cast.maya, amount_cents=900_000)
    hush()
    for _ in range(40):
        payment = make_payment({bill: 100}, payer=real_cast.alice.user, status=PaymentStatus.SUBMITTED)
        moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")

    def run(_number: int) -> int:
        try:
            return notices.make()
        finally:
            connection.close()

    waiting = Event.objects.filter(processed_at__isnull=True).count()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == waiting
    assert Notification.objects.count() == 40
    assert notices.make() == 0


def test_a_repeat_of_the_same_fact_is_one_notice(cast: Cast) -> None:
    """The dedupe key: two events of one fact."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user)
    hush()
    for _ in range(2):
        record("payment.succeeded", subject=f"payment:{payment.number}", actor="stripe", payment_id=payment.pk)
        notices.make()
    assert Notification.objects.count() == 1


def test_an_event_that_says_too_little_stops_no_other(cast: Cast) -> None:
    """FAULTS M11: it is done with, in the log, and the next is told."""
    record("payment.failed", subject="payment:unknown", actor="system")
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user, status=PaymentStatus.SUBMITTED)
    hush()
    moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")
    notices.make()
    assert Notification.objects.get().kind == "receipt"
    assert not Event.objects.filter(processed_at__isnull=True).exists()
