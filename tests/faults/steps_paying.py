"""Steps of a schedule: ways to pay, and what goes wrong between the portal and the provider while one pays."""

from concurrent.futures import ThreadPoolExecutor

from tests.faults.scene import Scene
from tests.faults.visitor import Visitor, shape

INTENTS = "/v1/payment_intents$"
DECLINES = (
    "pm_card_chargeDeclinedInsufficientFunds", "pm_card_chargeDeclinedExpiredCard", "pm_card_chargeDeclinedLostCard",
    "pm_card_chargeDeclinedStolenCard", "pm_card_chargeDeclinedIncorrectCvc", "pm_card_chargeDeclinedProcessingError",
    "pm_card_chargeDeclinedFraudulent", "pm_card_visa_chargeDeclined",
)  # fmt: skip
# What is done to the call that charges, and whether the charge is made nevertheless.
CALL_FAULTS = {
    "timeout_before": None, "timeout_after": None, "drop_connection_before": None, "drop_after": None,
    "status_500_before": None, "status_500_after": None, "status_429": "rate_limit", "status_409": None,
    "status_401": None, "status_403": None, "parameter_invalid": None, "unknown_status": "requires_something_new",
    "latency_ms": 300, "decline": "do_not_honor",
}  # fmt: skip


def plain(scene: Scene) -> None:
    """A card pays a bill."""
    scene.pay()
    scene.rest()


def two_bills(scene: Scene) -> None:
    """One charge for two bills."""
    scene.pay(bills=2)
    scene.rest()


def declined(scene: Scene) -> None:
    """A card is declined, and another pays (FAULTS B12)."""
    number = scene.draft(method=scene.random.choice(DECLINES))
    answer = scene.confirm(number)
    scene.count("card declined")
    scene.rest()
    if "/method/" in answer:
        again = answer.split("/pay/")[1].split("/")[0]
        scene.note("method", shape(scene.member.choose(again, scene.provider.token("pm_card_visa"))))
        scene.confirm(again)
        scene.rest()


def three_d_secure(scene: Scene) -> None:
    """The bank asks; the payer says yes, no, closes the window, or gives up (FAULTS B16, B17)."""
    number = scene.draft(method="pm_card_threeDSecure2Required")
    scene.confirm(number)
    scene.rest()
    intent, end = scene.intent_of(number), scene.random.choice(("complete", "fail", "give up", "forget"))
    scene.note("3-D Secure", end)
    scene.count("3-D Secure")
    if end in ("complete", "fail"):
        scene.provider.post("authenticate", intent=intent, outcome=end)
        if scene.random.random() < 0.5:
            scene.member.get(f"/payments/{number}/return/?payment_intent={intent}")
        scene.rest()
    elif end == "give up":
        scene.note("give up", shape(scene.member.post(f"/pay/{number}/authenticate/")))
        scene.rest()
    else:
        scene.settling.pass_time(scene.house.household_id, seconds=25 * 3600)
        scene.rest(passes=True)


def double_click(scene: Scene) -> None:
    """The button that charges, pressed several times at once (FAULTS A01, I11)."""
    number = scene.draft()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _press: scene.member.confirm(number), range(4)))
    scene.count("double click")
    scene.note("pressed", len(answers), any(answer == "lost" or answer[0] == "5" for answer in answers))
    scene.rest()
    scene.note("back button", shape(scene.member.confirm(number)))


def two_tabs(scene: Scene) -> None:
    """Two payments of one bill in full, at once (FAULTS A03)."""
    amounts = scene.amounts(whole=True)
    drafts = [scene.member.draft(scene.house.household_id, amounts) for _tab in range(2)]
    for number in drafts:
        scene.member.choose(number, scene.provider.token("pm_card_visa"))
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(shape(answer) for answer in pool.map(scene.member.confirm, drafts))
    scene.count("two tabs")
    scene.note("two tabs", answers)
    scene.rest()


def voided_meanwhile(scene: Scene) -> None:
    """A bill is voided while its payment waits for the bank's question: the money becomes credit (FAULTS A10)."""
    scene.house.issue(scene.random.randrange(5_000, 60_000))
    bill = scene.house.bills[-1]
    number = scene.member.draft(scene.house.household_id, {bill.number: bill.amount_cents})
    scene.member.choose(number, scene.provider.token("pm_card_threeDSecure2Required"))
    scene.confirm(number)
    scene.house.void(bill)
    scene.count("bill voided meanwhile")
    scene.provider.post("authenticate", intent=scene.intent_of(number), outcome="complete")
    scene.rest()


def call_fault(scene: Scene, effect: str) -> None:
    """Something is wrong with the call that charges (FAULTS B01 to B11, B19, B25)."""
    number = scene.draft(bills=scene.random.choice((1, 2)))
    scene.provider.fault(effect, path=INTENTS, value=CALL_FAULTS[effect], metadata={"payment": number})
    scene.confirm(number)
    scene.count(effect, scene.provider.forget_faults())
    scene.rest()


def lookup_is_down_too(scene: Scene) -> None:
    """No reply, and then no answer about it either, for a while (FAULTS B03)."""
    number = scene.draft()
    scene.provider.fault("drop_after", path=INTENTS, metadata={"payment": number})
    scene.provider.fault("status_500_before", path="/v1/payment_intents", method="GET", times=3)
    scene.confirm(number)
    scene.note("page", shape(scene.member.get(f"/payments/{number}/")))
    scene.rest(passes=True)
    scene.count("lookup down", scene.provider.forget_faults())


def busy(scene: Scene) -> None:
    """Several refusals in a row: too many calls, the object is locked, the key is in use (FAULTS B06, B08)."""
    number = scene.draft()
    for effect, value in (("status_429", "rate_limit"), ("status_429", "lock_timeout"), ("status_409", None)):
        scene.provider.fault(effect, path=INTENTS, value=value, metadata={"payment": number})
    scene.confirm(number)
    scene.rest(passes=True)
    scene.count("several refusals in a row", scene.provider.forget_faults())


def customer_fails(scene: Scene) -> None:
    """The customer of somebody who has never paid cannot be made at first, wherever in a schedule this stands (B19)."""
    session, amounts = scene.house.join(scene.random.randrange(5_000, 60_000))
    payer = Visitor(scene.rig.web_url, session)
    number = payer.draft(scene.house.household_id, amounts)
    scene.note("method", shape(payer.choose(number, scene.provider.token("pm_card_visa"))))
    scene.provider.fault("status_500_before", path="/v1/customers$")
    scene.note("confirm", shape(payer.confirm(number)))
    fired = scene.provider.forget_faults()
    scene.count("customer fails", fired)
    scene.note("customer failed", fired)
    scene.rest()
    scene.note("confirm", shape(payer.confirm(number)))
    scene.rest()


STEPS = {
    "plain payment": plain,
    "two bills": two_bills,
    "declined": declined,
    "3-D Secure": three_d_secure,
    "double click": double_click,
    "two tabs": two_tabs,
    "voided meanwhile": voided_meanwhile,
    "lookup down too": lookup_is_down_too,
    "several refusals": busy,
    "customer fails": customer_fails,
    **{f"call: {effect}": (lambda scene, effect=effect: call_fault(scene, effect)) for effect in CALL_FAULTS},
}
