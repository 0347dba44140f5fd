"""Steps of a schedule that the portal may not take yet: bank debits, disputes. What it takes is found by looking."""

from pathlib import Path

from payments import gateway
from tests.faults.scene import Scene

ROOT = Path(__file__).resolve().parents[2]
BANK = "pm_usBankAccount_success"
LATE_CODES = ("R01", "R02", "R10", "R29")


def takes_bank_debits() -> bool:
    """Whether payments by bank account are built."""
    types = getattr(gateway, "METHOD_TYPES", [])
    return "us_bank_account" in str(types) and (ROOT / "payments" / "returns.py").exists()


def books_disputes() -> bool:
    """Whether what a bank takes back is booked."""
    return (ROOT / "payments" / "disputes.py").exists()


def bank_succeeds(scene: Scene) -> None:
    """A bank debit is on its way, and then posts (FAULTS D01)."""
    _settled(scene)


def bank_fails(scene: Scene) -> None:
    """A bank debit fails from its way (D02)."""
    number = scene.pay(method=BANK)
    scene.rest()
    failure = scene.random.choice(("insufficient_funds", "account_closed", "no_account", "debit_not_authorized"))
    scene.provider.post("bank_debits/settle", payment_intent=scene.intent_of(number), failure=failure)
    scene.count("bank debit fails")
    scene.rest()


def bank_returned(scene: Scene) -> None:
    """A bank debit comes back after it had posted (D03, D04)."""
    number = _settled(scene)
    _return(scene, number)
    scene.rest()


def bank_returned_twice_told(scene: Scene) -> None:
    """The same, with every webhook three times and in any order, or lost."""
    number = _settled(scene)
    scene.provider.road(copies=3, hold=1_000, order="random", seed=scene.random.randrange(1_000))
    _return(scene, number)
    scene.provider.post("webhooks/flush", order="random", seed=scene.random.randrange(1_000))
    scene.provider.road()
    scene.rest(passes=True)


def return_crosses_refund(scene: Scene) -> None:
    """Staff send a part back, and then the bank takes all of it (D11's neighbour)."""
    number = _settled(scene)
    payment, cents = scene.book.rows("SELECT id, amount_cents FROM payments_payment WHERE number = %s", number)[0]
    scene.refund(payment, scene.refund_cents(cents))
    scene.rest()
    _return(scene, number)
    scene.count("return crosses refund")
    scene.rest()


def dispute(scene: Scene, *, inquiry: bool = False, ends: tuple[str, ...] = ()) -> None:
    """A card payment is disputed; money moves as the dispute says, once each way (D15, D16)."""
    _payment, intent, _left = scene.paid()
    made = scene.provider.post(
        "disputes", charge=scene.charge_of(intent), inquiry=inquiry,
        reason=scene.random.choice(("fraudulent", "duplicate", "product_not_received")),
    )  # fmt: skip
    scene.count("inquiry" if inquiry else "dispute")
    scene.rest()
    for end in ends:
        if end == "escalate":
            scene.provider.post("disputes/escalate", dispute=made["id"])
        else:
            scene.provider.post("disputes/close", dispute=made["id"], status=end)
        scene.count(f"dispute {end}")
        scene.rest()


def dispute_shuffled(scene: Scene) -> None:
    """A dispute is opened, withdrawn and won before any of it is told, and then all of it twice and shuffled (C11)."""
    _payment, intent, _left = scene.paid()
    scene.provider.road(copies=2, hold=1_000)
    made = scene.provider.post("disputes", charge=scene.charge_of(intent))
    end = scene.random.choice(("won", "lost"))
    scene.provider.post("disputes/close", dispute=made["id"], status=end)
    scene.provider.post("webhooks/flush", order="random", seed=scene.random.randrange(1_000))
    scene.provider.road()
    scene.count(f"dispute {end}, shuffled")
    scene.rest(passes=True)


def dispute_crosses_refund(scene: Scene) -> None:
    """A part goes back to the payer, and then the rest is disputed."""
    payment, intent, left = scene.paid()
    scene.refund(payment, scene.refund_cents(left))
    scene.rest()
    scene.provider.post("disputes", charge=scene.charge_of(intent), amount=LEAST_DISPUTED_CENTS)
    scene.count("dispute crosses refund")
    scene.rest()


LEAST_DISPUTED_CENTS = 50


def _settled(scene: Scene) -> str:
    number = scene.pay(method=BANK)
    scene.rest()
    scene.provider.post("bank_debits/settle", payment_intent=scene.intent_of(number))
    scene.count("bank debit")
    scene.rest()
    return number


def _return(scene: Scene, number: str) -> None:
    code = scene.random.choice(LATE_CODES)
    scene.note("return", code)
    scene.provider.post("bank_debits/return", payment_intent=scene.intent_of(number), code=code)
    scene.count("late return")


DISPUTES = {
    "dispute lost": lambda scene: dispute(scene, ends=("lost",)),
    "dispute won": lambda scene: dispute(scene, ends=("won",)),
    "dispute prevented": lambda scene: dispute(scene, ends=("prevented",)),
    "inquiry closed": lambda scene: dispute(scene, inquiry=True, ends=("warning_closed",)),
    "inquiry escalated": lambda scene: dispute(scene, inquiry=True, ends=("escalate", "won")),
    "dispute shuffled": dispute_shuffled,
    "dispute crosses refund": dispute_crosses_refund,
}
DEBITS = {
    "bank debit": bank_succeeds,
    "bank debit fails": bank_fails,
    "late return": bank_returned,
    "late return, shuffled": bank_returned_twice_told,
    "return crosses refund": return_crosses_refund,
}
