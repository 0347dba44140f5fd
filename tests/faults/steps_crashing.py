"""Steps of a schedule: processes that die at the crash points, and servers that go away (FAULTS E01 to E08)."""

import time

import psycopg2
from django.db import connections

from tests.faults.scene import Scene
from tests.faults.steps_paying import INTENTS
from tests.faults.visitor import shape

POINTS = tuple(f"P{number}" for number in range(1, 11))
REFUND_POINTS = ("P2", "P3", "P4", "P5")
# What the calls of P3 and P4 meet: a provider still at it, and one whose reply is on its way for ever.
CUT = {"P3": ("latency_ms", 400), "P4": ("timeout_after", None)}


def web(scene: Scene, point: str) -> None:
    """The web process dies at a point of a payment (E02)."""
    number = scene.draft(bills=2)
    of_webhook = point in ("P8", "P9")
    deaths = len(scene.rig.deaths())
    if point in CUT:
        effect, value = CUT[point]
        scene.provider.fault(effect, path=INTENTS, value=value, metadata={"payment": number})
    if not of_webhook:
        scene.provider.post("webhooks/pause")
    scene.rig.arm("web", point)
    scene.note("confirm", shape(scene.member.confirm(number)) if not of_webhook else bool(scene.member.confirm(number)))
    if of_webhook:
        scene.rig.await_death(deaths)
    scene.provider.post("webhooks/resume")
    _died(scene, "web", point, deaths)
    scene.rest(passes=True)
    if point == "P1":  # nothing was sent: the payer presses the button again
        scene.confirm(number)
        scene.rest()


def worker(scene: Scene, point: str, *, times: int = 1) -> None:
    """A worker process dies at a point of the work that a lost reply leaves it (E01), perhaps twice in a row (E03)."""
    number = scene.draft(bills=2)
    was_sent = point in ("P5", "P8", "P9", "P10")
    lost = "drop_after" if was_sent else "drop_connection_before"
    scene.provider.fault(lost, path=INTENTS, metadata={"payment": number})
    scene.provider.post("webhooks/pause")
    scene.confirm(number)
    for _time in range(times):
        deaths = len(scene.rig.deaths())
        if point in CUT:
            effect, value = CUT[point]
            scene.provider.fault(effect, path=INTENTS, value=value, metadata={"payment": number})
        scene.rig.arm("worker", point)
        if point in ("P8", "P9"):
            scene.provider.post("webhooks/resume")
        else:
            scene.settling.nudge(scene.house.household_id)
        _died(scene, "worker", point, deaths)
    scene.provider.post("webhooks/resume")
    scene.provider.forget_faults()
    scene.rest(passes=True)


def refund_in_web(scene: Scene, point: str) -> None:
    """The web process dies while staff send money back."""
    payment, _intent, left = scene.paid()
    deaths = len(scene.rig.deaths())
    if point in CUT:
        effect, value = CUT[point]
        scene.provider.fault(effect, path="/v1/refunds$", value=value)
    scene.provider.post("webhooks/pause")
    scene.rig.arm("web", point)
    answer = scene.refund(payment, scene.refund_cents(left))
    scene.provider.post("webhooks/resume")
    scene.provider.forget_faults()
    _died(scene, "web", point, deaths)
    scene.note("refund form", answer.split()[0])
    scene.rest(passes=True)


def whole_web(scene: Scene) -> None:
    """All of gunicorn is killed while it waits for the provider, and started again."""
    number = scene.draft()
    deaths = len(scene.rig.deaths())
    scene.provider.fault("timeout_after", path=INTENTS, metadata={"payment": number})
    scene.rig.arm("web", "P4")
    scene.note("confirm", shape(scene.member.confirm(number)))
    _died(scene, "web", "P4", deaths)
    scene.rig.kill("web")
    scene.rig.start_web()
    scene.count("web killed whole")
    scene.rest(passes=True)


def whole_worker(scene: Scene) -> None:
    """The worker is killed with what it had taken, and started again: the tasks it held are gone (E17)."""
    number = scene.draft()
    scene.provider.fault("drop_after", path=INTENTS, metadata={"payment": number})
    scene.rig.kill("worker")
    scene.confirm(number)
    scene.rig.start_worker()
    scene.count("worker killed whole")
    scene.rest(passes=True)


def valkey_flushed(scene: Scene) -> None:
    """Every task is lost between a payment and its end (E04)."""
    number = scene.draft()
    scene.provider.fault("drop_after", path=INTENTS, metadata={"payment": number})
    scene.confirm(number)
    scene.rig.flush_valkey()
    scene.count("Valkey flushed")
    scene.rest(passes=True)


def valkey_killed(scene: Scene) -> None:
    """Valkey is away while somebody pays, and comes back (E05, E06)."""
    number = scene.draft()
    scene.rig.kill_valkey()
    try:
        scene.confirm(number)
        scene.note("page", shape(scene.member.get(f"/payments/{number}/")))
    finally:
        scene.rig.restart_valkey()
    scene.count("Valkey killed")
    scene.rest(passes=True)


def postgres_restarted(scene: Scene) -> None:
    """Postgres is restarted while the provider's reply is on its way (E08, E09)."""
    number = scene.draft()
    scene.provider.fault("drop_after", path=INTENTS, metadata={"payment": number})
    scene.confirm(number)
    scene.rig.restart_postgres()
    connections.close_all()
    scene.book.reconnect()
    _await_postgres(scene)
    scene.count("Postgres restarted")
    scene.rest(passes=True)


def _await_postgres(scene: Scene) -> None:
    for _try in range(100):
        try:
            scene.book.one("SELECT 1")
            return
        except psycopg2.OperationalError:
            scene.book.reconnect()
            time.sleep(0.05)


def _died(scene: Scene, role: str, point: str, deaths: int) -> None:
    """Wait for the death that was planned; a point that nobody came to is told, and is a failure of the plan."""
    if not scene.rig.await_death(deaths):
        scene.rig.disarm(role, point)
        raise AssertionError(f"no {role} process came to {point}")
    scene.count(f"killed: {role} {point}")


def _each(function, points):  # type: ignore[no-untyped-def]
    return {point: (lambda scene, point=point: function(scene, point)) for point in points}


STEPS = {
    **{f"crash: web {point}": step for point, step in _each(web, POINTS).items()},
    **{f"crash: worker {point}": step for point, step in _each(worker, POINTS).items()},
    **{f"crash: refund {point}": step for point, step in _each(refund_in_web, REFUND_POINTS).items()},
    "crash: worker twice": lambda scene: worker(scene, "P5", times=2),
    "web killed whole": whole_web,
    "worker killed whole": whole_worker,
    "Valkey flushed": valkey_flushed,
    "Valkey killed": valkey_killed,
    "Postgres restarted": postgres_restarted,
}
