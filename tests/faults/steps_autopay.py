"""Steps of a schedule: the autopay run, fired twice, cut off, declined, killed (FAULTS A05, B08 to B13, E14-E17)."""

import datetime as dt
import time
import uuid

import stripe
from django.conf import settings

from accounts.models import User
from bills.models import Bill
from payments import customers
from payments.autopay import announcing, planning
from payments.models import AutopayEnrollment, PaymentMethod
from tests.faults.scene import Scene
from tests.faults.steps_paying import INTENTS

RUN = "payments.tasks.run_autopay"
BILLS = 3
NOW_DUE = """
    UPDATE payments_autopaycharge SET charge_on = %s WHERE household_id = %s AND status = 'announced' AND attempt = 1
"""
STATES = """
    SELECT status || ' ' || code FROM payments_autopaycharge WHERE household_id = %s ORDER BY bill_id, attempt
"""


def due(scene: Scene, card: str = "pm_card_visa") -> None:
    """Autopay of the household's medical bills, some of them due now."""
    user = User.objects.get(pk=scene.house.user_id)
    client = stripe.StripeClient(settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_BASE})
    method = client.v1.payment_methods.attach(card, {"customer": customers.ensure(user)})
    saved = PaymentMethod.objects.create(user=user, kind="card", stripe_id=method.id, brand="visa", last4="4242")
    enrollment = AutopayEnrollment.objects.filter(user=user).first()
    if enrollment is None:
        enrollment = AutopayEnrollment.objects.create(
            user=user, household_id=scene.house.household_id, covers="medical", method=saved
        )
        enrollment.members.add(scene.house.member)
    AutopayEnrollment.objects.filter(pk=enrollment.pk).update(method=saved, status="active")
    for _bill in range(BILLS):
        scene.house.issue(scene.random.randrange(5_000, 60_000))
    announcing.run()
    planned = scene.book.rows(NOW_DUE, planning.day(), scene.house.household_id)
    assert not planned


def stands(scene: Scene) -> None:
    """Come to rest, and write down what became of the charges."""
    scene.rest(passes=True)
    scene.note("autopay", [row[0] for row in scene.book.rows(STATES, scene.house.household_id)])


def plain(scene: Scene) -> None:
    """A run, and another that finds nothing."""
    due(scene)
    scene.settling.run(RUN)
    scene.settling.run(RUN)
    scene.count("autopay run")
    stands(scene)


def a_hundred_times(scene: Scene) -> None:
    """The same task a hundred times, in two worker processes (E14, E15, E16)."""
    due(scene)
    for _time in range(100):
        scene.settling._send(RUN, uuid.uuid4().hex)
    scene.settling.run(RUN)
    scene.count("autopay task sent 100 times")
    stands(scene)


def killed(scene: Scene) -> None:
    """The worker is killed while calls are on their way, and Valkey is flushed: what waits is still charged once."""
    due(scene)
    scene.provider.fault("latency_ms", path=INTENTS, value=400, times=BILLS)
    scene.settling._send(RUN, uuid.uuid4().hex)
    _await_sent(scene)
    scene.rig.kill("worker")
    scene.rig.flush_valkey()
    scene.provider.forget_faults()
    scene.rig.start_worker()
    scene.settling.run(RUN)
    scene.count("autopay worker killed, Valkey flushed")
    stands(scene)


def told_to_stop(scene: Scene) -> None:
    """SIGTERM in mid run: what is with the provider is finished, the rest waits, and each is charged (E30)."""
    due(scene)
    scene.provider.fault("latency_ms", path=INTENTS, value=400, times=BILLS)
    scene.settling._send(RUN, uuid.uuid4().hex)
    _await_sent(scene)
    scene.rig.tell_to_stop("worker")
    between = "SELECT count(*) FROM payments_autopaycharge WHERE household_id = %s AND status = 'sent'"
    if scene.book.one(between, scene.house.household_id):
        raise AssertionError("a worker that was told to stop left a charge between the provider and us")
    scene.provider.forget_faults()
    scene.rig.start_worker()
    scene.settling.run(RUN)
    scene.count("autopay worker told to stop")
    stands(scene)


def replies_lost(scene: Scene) -> None:
    """Each reply is lost after the charge was made, or the call before it (B01, B02)."""
    due(scene)
    effect = scene.random.choice(("drop_after", "drop_connection_before", "status_500_after"))
    scene.provider.fault(effect, path=INTENTS, times=BILLS)
    scene.settling.run(RUN)
    scene.provider.forget_faults()
    scene.count(f"autopay: {effect}", BILLS)
    stands(scene)


def too_many(scene: Scene) -> None:
    """The provider says that there are too many calls, or that the customer is locked (B08, B09)."""
    due(scene)
    scene.provider.fault("status_429", path=INTENTS, value=scene.random.choice(("rate_limit", "lock_timeout")), times=3)
    scene.settling.run(RUN)
    scene.count("autopay: 429", 3)
    stands(scene)


def key_refused(scene: Scene) -> None:
    """Our key is refused in mid run, and renewed: nothing is called declined (B10)."""
    due(scene)
    scene.provider.fault("status_401", path=INTENTS, times=1)
    scene.settling.run(RUN)
    scene.provider.forget_faults()
    scene.settling.run(RUN)
    scene.count("autopay: 401")
    stands(scene)


def declined(scene: Scene) -> None:
    """The card declines for good: not asked again (B13)."""
    due(scene, "pm_sandbox_decline_stolen_card")
    for _run in range(2):
        scene.settling.run(RUN)
    scene.count("autopay: hard decline")
    stands(scene)


def paid_by_hand(scene: Scene) -> None:
    """The member pays all of it before the run (A05)."""
    due(scene)
    owed = {bill.number: cents for bill, cents in _owed(scene)}
    number = scene.member.draft(scene.house.household_id, owed)
    scene.member.choose(number, scene.provider.token("pm_card_visa"))
    scene.confirm(number)
    scene.settling.run(RUN)
    scene.count("autopay: paid by hand first")
    stands(scene)


def _owed(scene: Scene) -> list[tuple[Bill, int]]:
    bills = Bill.objects.filter(household_id=scene.house.household_id, voided_at__isnull=True)
    found = [(bill, bill.receivable.balance_cents) for bill in bills.select_related("receivable").order_by("pk")]
    return [(bill, cents) for bill, cents in found if cents >= 50]


def _await_sent(scene: Scene) -> None:
    """Until the run has committed something."""
    sent = "SELECT count(*) FROM payments_autopaycharge WHERE household_id = %s AND status = 'sent'"
    end = time.monotonic() + dt.timedelta(seconds=5).total_seconds()
    while not scene.book.one(sent, scene.house.household_id) and time.monotonic() < end:
        time.sleep(0.01)


STEPS = {
    "autopay": plain,
    "autopay: a hundred times": a_hundred_times,
    "autopay: worker killed": killed,
    "autopay: worker told to stop": told_to_stop,
    "autopay: replies lost": replies_lost,
    "autopay: too many calls": too_many,
    "autopay: key refused": key_refused,
    "autopay: declined": declined,
    "autopay: paid by hand": paid_by_hand,
}
