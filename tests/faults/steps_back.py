"""Steps of a schedule: money that goes back, and webhooks that come as they like."""

from concurrent.futures import ThreadPoolExecutor

from tests.faults.scene import Scene

ROADS = {
    "copies": {"copies": 5},
    "reversed": {"hold": 1_000, "order": "reversed"},
    "shuffled": {"hold": 1_000, "order": "random"},
    "late": {"delay_seconds": 40},
    "down": {"down": True},
    "copies shuffled": {"copies": 3, "hold": 1_000, "order": "random"},
}


def refund_part(scene: Scene) -> None:
    """Staff send a part back."""
    payment, _intent, left = scene.paid()
    scene.refund(payment, scene.refund_cents(left))
    scene.rest()


def refund_whole(scene: Scene) -> None:
    """Staff send all of it back, in as many parts as one person may."""
    payment, _intent, left = scene.paid()
    while left > 0:
        cents = scene.refund_cents(left, whole=True)
        scene.refund(payment, cents)
        left -= cents
    scene.rest()


def refund_too_much(scene: Scene) -> None:
    """More than is left is refused (FAULTS D13)."""
    payment, _intent, left = scene.paid()
    scene.refund(payment, left + 1)
    scene.rest()


def refund_at_once(scene: Scene) -> None:
    """Two people, or one form twice: never more than the charge (FAULTS A13)."""
    payment, _intent, left = scene.paid()
    cents = min(left, 20_000) * 3 // 4 + 1
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _person: scene.staff.post(
            f"/admin/payments/payment/{payment}/refund/", amount=f"{cents // 100}.{cents % 100:02d}",
            reason="The clinic asked us to.", key=f"{scene.random.getrandbits(64):016x}",
        ), range(2)))  # fmt: skip
    scene.count("two refunds at once")
    scene.rest()


def refund_fault(scene: Scene) -> None:
    """The reply to a refund is lost, or the call fails (FAULTS D07)."""
    payment, _intent, left = scene.paid()
    effect = scene.random.choice(
        ("drop_after", "timeout_after", "drop_connection_before", "status_500_before", "status_500_after", "status_429")
    )
    scene.note("fault", effect)
    scene.provider.fault(effect, path="/v1/refunds$")
    scene.refund(payment, scene.refund_cents(left))
    scene.count(f"refund {effect}", scene.provider.forget_faults())
    scene.rest(passes=True)


def refund_outside(scene: Scene) -> None:
    """A refund is made at the provider's own desk (FAULTS D09), and may fail later (D10)."""
    payment, intent, left = scene.paid()
    behaviour = scene.random.choice(("succeeded", "pending", "fails_later", "pending_then_fails"))
    scene.note("refund outside", behaviour)
    made = scene.provider.post("refunds", payment_intent=intent, amount=scene.refund_cents(left), behaviour=behaviour)
    scene.count("refund outside the portal")
    scene.rest()
    if behaviour != "succeeded":
        fails = behaviour != "pending"
        scene.provider.post("refunds/fail" if fails else "refunds/settle", refund=made["id"])
        scene.count("refund fails later", int(fails))
        scene.rest()


def road(scene: Scene, name: str) -> None:
    """Webhooks come twice, late, in another order, or only when the endpoint is up again (FAULTS C07 to C13)."""
    way = dict(ROADS[name]) | {"seed": scene.random.randrange(1_000)}
    payment, intent, left = scene.paid()
    scene.provider.road(**way)
    number = scene.draft()
    scene.provider.fault("drop_after", path="/v1/payment_intents$", metadata={"payment": number})
    scene.confirm(number)
    scene.provider.forget_faults()
    scene.provider.post("refunds", payment_intent=intent, amount=scene.refund_cents(left), behaviour="succeeded")
    if name == "down":
        scene.rest(passes=True)
    scene.provider.post("webhooks/flush", **{key: way[key] for key in ("order", "seed") if key in way})
    scene.provider.road()
    scene.count(f"webhooks {name}")
    scene.rest(passes=True)


def lost_for_good(scene: Scene) -> None:
    """Webhooks that never come: the list of events is read instead (FAULTS C14)."""
    _payment, intent, left = scene.paid()
    scene.provider.road(drop_next=100)
    number = scene.draft()
    scene.provider.fault("drop_after", path="/v1/payment_intents$", metadata={"payment": number})
    scene.confirm(number)
    scene.provider.forget_faults()
    scene.provider.post("refunds", payment_intent=intent, amount=scene.refund_cents(left), behaviour="succeeded")
    scene.provider.road()
    scene.count("webhooks lost")
    scene.catch_up()
    scene.rest(passes=True)


def resent(scene: Scene) -> None:
    """Events of old are sent again, many times (FAULTS C07, C22)."""
    scene.pay()
    scene.rest()
    rows = scene.book.rows("SELECT event_id FROM payments_stripeevent ORDER BY id DESC LIMIT 4")
    for (event,) in rows:
        scene.provider.post(f"webhooks/resend/{event}", copies=5)
    scene.count("webhooks resent", 5 * len(rows))
    scene.rest()


def forged(scene: Scene) -> None:
    """Events that nobody sent, or that are not for us (FAULTS C01 to C04, C17 to C19, B23)."""
    number = scene.draft(method="pm_card_threeDSecure2Required")
    scene.confirm(number)
    scene.rest()
    fake = {"id": scene.intent_of(number), "object": "payment_intent", "status": "succeeded",
            "metadata": {"payment": number}}  # fmt: skip
    forgeries = (
        {"secret": "whsec_other"}, {"scheme": "v0"}, {"age_seconds": 301}, {"age_seconds": -400}, {"livemode": True},
        {}, {"type": "moon.landed"}, {"type": "charge.succeeded", "object": {"id": "ch_x", "object": "charge"}},
        {"object": {"id": "pi_x", "object": "payment_intent", "metadata": {"payment": "NONE-SUCH0"}}},
    )  # fmt: skip
    for forgery in forgeries:
        answer = scene.provider.post("webhooks/forge", **({"object": fake, "send": True} | forgery))
        scene.note("forged", sorted(forgery), answer["status"])
        scene.count("webhook refused" if answer["status"] == 400 else "webhook of no use")
    scene.rest()
    scene.provider.post("authenticate", intent=fake["id"], outcome="complete")
    scene.rest()


STEPS = {
    "refund of a part": refund_part,
    "refund of the whole": refund_whole,
    "refund of too much": refund_too_much,
    "two refunds at once": refund_at_once,
    "refund with a fault": refund_fault,
    "refund outside": refund_outside,
    "webhooks lost": lost_for_good,
    "webhooks resent": resent,
    "webhooks forged": forged,
    **{f"webhooks {name}": (lambda scene, name=name: road(scene, name)) for name in ROADS},
}
