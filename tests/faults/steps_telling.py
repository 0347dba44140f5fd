"""Steps of a schedule: two beats, one restarted at the tick; a sender of mails that dies (FAULTS E15, L04, P11)."""

import time
from collections import Counter

from tests.faults import mails
from tests.faults.scene import Scene
from tests.faults.steps_autopay import due, stands

WORK_OFF = "notifications.tasks.work_off"
WAIT_SECONDS = 30
SENT = "SELECT count(*) FROM payments_autopaycharge WHERE household_id = %s AND status IN ('sent', 'done')"
LEASES_OVER = "UPDATE notifications_queued SET leased_until = now() - interval '1 second' WHERE is_begun"
BEGUN = "SELECT count(*) FROM notifications_queued WHERE is_begun"
READER = "SELECT email FROM accounts_user WHERE id = %s"


def beat_restarted(scene: Scene) -> None:
    """Two beats tick at once; at the tick both are killed, and one starts again with what it had on disk (E15).

    Each charge is made once, late and not lost; the oracle counts them, and the mails about them.
    """
    ticks = [scene.rig.done_dir / scene.rig.start_beat(name) for name in ("beat", "other beat")]
    due(scene)
    _until(lambda: bool(scene.book.one(SENT, scene.house.household_id)), "no beat sent the autopay run")
    _until(lambda: all(tick.exists() for tick in ticks), "one of two beats sent nothing")
    for name in ("beat", "other beat"):
        scene.rig.kill(name)
    tick = scene.rig.done_dir / scene.rig.start_beat("beat")
    _until(tick.exists, "the beat that was started again sends nothing")
    scene.rig.kill("beat")
    scene.count("two beats, one restarted at the tick")
    stands(scene)


def sender_killed(scene: Scene) -> None:
    """The mail server said yes, and the sender dies before we write it down: once more, never again (P11, L04)."""
    scene.settling.run(WORK_OFF)
    before, deaths = len(mails.taken(scene.rig.mail_log)), len(scene.rig.deaths())
    scene.rig.arm("worker", "P11")
    scene.pay()
    scene.settling._send(WORK_OFF, f"mails-{scene.house.household_id}")
    if not scene.rig.await_death(deaths):
        scene.rig.disarm("worker", "P11")
        raise AssertionError("no sender came to P11")
    for _time in range(3):  # whoever takes it up while the lease stands, and after it
        scene.settling.run(WORK_OFF)
        scene.book.rows(LEASES_OVER)
    _until(lambda: not scene.book.one(BEGUN), "a mail whose sender died is not sent again")
    scene.rest(passes=True)
    scene.settling.run(WORK_OFF)
    new = Counter(name for name, _to in mails.taken(scene.rig.mail_log)[before:])
    scene.count("killed: worker P11")
    scene.note("mails sent twice", sum(times == 2 for times in new.values()), "more often",
               sum(times > 2 for times in new.values()))  # fmt: skip
    if sorted(new.values())[-1:] != [2] or sum(new.values()) != len(new) + 1:
        raise AssertionError(f"one mail is sent once more after its sender died, and no other: {sorted(new.values())}")


def _until(holds, words: str) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(words)
        time.sleep(0.05)


STEPS = {"autopay: two beats": beat_restarted, "mails: sender killed": sender_killed}
