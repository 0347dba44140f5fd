"""Bank accounts: proved at once or by small deposits, and what they pay is on its way for days (RULES 3.4)."""

import datetime as dt

from django.utils import timezone

from activity.models import Event
from payments import sweeping, verification
from payments.allocating import payable_cents
from payments.models import MethodSetup, Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.adding import AGENT, added, latest, proved, unproved_token
from tests.payments.pages import amounts, confirmed, drafted, text_of
from tests.payments.paying import balance, make_bill, token, trial_balance
from tests.provider import provider, provider_process  # noqa: F401
from tests.stripe_sandbox.conftest import Server


def pending(cast: Cast) -> PaymentMethod:
    """Alice's account that waits for small deposits."""
    address = added(proved(cast.alice), given=unproved_token())
    account = latest()
    assert address == f"/payment-methods/{account.pk}/verify/"
    return account


def test_an_account_that_is_proved_at_once_can_pay_and_the_payment_is_on_its_way(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """D01: shown as on its way and not as paid; the same money cannot be sent twice; it posts days later."""
    alice = proved(real_cast.alice)
    assert added(alice, "pm_usBankAccount_success") == "/payment-methods/"
    account = latest()
    assert (account.kind, account.state, account.is_default) == ("us_bank_account", "verified", True)
    bill = make_bill(real_cast.maya, 18_500)
    payment = drafted(alice, {bill: "185.00"})
    alice.post(f"/pay/{payment.number}/method/", {"method": str(account.pk)})
    page = text_of(alice.get(f"/pay/{payment.number}/review/"))
    assert "up to 4 business days" in page
    confirmed(alice, payment)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PROCESSING
    assert payment.expected_on is not None and payment.expected_on > timezone.localdate() + dt.timedelta(days=3)
    assert balance(bill) == 18_500
    assert payable_cents([bill]) == {bill.pk: 0}
    assert "on its way" in text_of(alice.get(f"/payments/{payment.number}/"))
    assert "on its way" in text_of(amounts(alice, {bill: "1.00"})).lower()
    assert "On its way" in text_of(alice.get("/payments/"))
    assert "cannot be removed yet" in text_of(alice.get(f"/payment-methods/{account.pk}/remove/"))
    alice.post(f"/payment-methods/{account.pk}/remove/")
    assert PaymentMethod.objects.usable().count() == 1
    provider.post("bank_debits/settle", payment_intent=payment.stripe_payment_intent_id)
    payment = sweeping.refresh(payment)
    assert payment.status == PaymentStatus.SUCCEEDED
    assert (balance(bill), trial_balance()) == (0, 0)


def test_a_debit_that_the_bank_refuses_leaves_the_bill_open(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """D02: R01 from processing."""
    alice = proved(real_cast.alice)
    added(alice, "pm_usBankAccount_insufficientFunds")
    bill = make_bill(real_cast.maya, 18_500)
    payment = drafted(alice, {bill: "185.00"})
    alice.post(f"/pay/{payment.number}/method/", {"method": str(latest().pk)})
    confirmed(alice, payment)
    provider.post("clock/advance", seconds=60)
    payment = sweeping.refresh(Payment.objects.get(pk=payment.pk))
    assert payment.status == PaymentStatus.FAILED
    assert (balance(bill), payable_cents([bill])[bill.pk], trial_balance()) == (18_500, 18_500, 0)


def test_a_pending_account_cannot_pay(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """Not offered, not the default; a form made by hand is refused."""
    account = pending(real_cast)
    alice = proved(real_cast.alice)
    assert (account.state, account.is_default, account.deposits_kind) == ("pending", False, "amounts")
    assert account.deposits_on is not None and account.deposits_on > timezone.localdate()
    payment = drafted(alice, {make_bill(real_cast.maya, 18_500): "185.00"})
    assert alice.post(f"/pay/{payment.number}/method/", {"method": str(account.pk)}).status_code == 422
    assert "Two small deposits reach your account by" in text_of(alice.get("/payment-methods/"))
    alice.post(f"/payment-methods/{account.pk}/default/")
    assert not PaymentMethod.objects.filter(is_default=True).exists()


def test_the_right_amounts_make_it_ready(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """In any order, written as people write cents; a wrong try is counted and told."""
    account = pending(real_cast)
    alice = proved(real_cast.alice)
    address = f"/payment-methods/{account.pk}/verify/"
    wrong = alice.post(address, {"first": "1", "second": "2"})
    assert wrong.status_code == 422
    assert "Tries left: 9" in text_of(wrong)
    assert "Write the amount in cents" in text_of(alice.post(address, {"first": "3.2", "second": "45"}))
    assert alice.post(address, {"first": "0.45", "second": "32"})["Location"] == "/payment-methods/"
    account.refresh_from_db()
    assert (account.state, account.is_default) == ("verified", True)
    assert list(Event.objects.filter(kind__startswith="method.ver").values_list("kind", flat=True)) == [
        "method.verified"
    ]


def test_the_right_code_makes_it_ready(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """Where one deposit with a code was sent."""
    account = pending(real_cast)
    PaymentMethod.objects.filter(pk=account.pk).update(deposits_kind="descriptor_code")
    alice = proved(real_cast.alice)
    address = f"/payment-methods/{account.pk}/verify/"
    assert alice.post(address, {"code": "SM99ZZ"}).status_code == 422
    assert alice.post(address, {"code": "sm11aa"})["Location"] == "/payment-methods/"
    account.refresh_from_db()
    assert account.state == "verified"


def test_ten_wrong_tries_end_it(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """The eleventh is not asked; its owner is told what to do, once."""
    account = pending(real_cast)
    for _ in range(verification.MAX_TRIES):
        outcome = verification.attempt(account, amounts_cents=(1, 2))
    assert outcome.state == "ended"
    assert verification.attempt(account, amounts_cents=(32, 45)).state == "ended"
    assert "too many wrong tries" in text_of(proved(real_cast.alice).get("/payment-methods/"))
    assert Event.objects.filter(kind="method.verification_failed").count() == 1


def test_ten_days_end_it(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """By the daily task; a repeat does nothing."""
    account = pending(real_cast)
    assert verification.expire() == 0
    late = timezone.now() + dt.timedelta(days=11)
    assert (verification.expire(late), verification.expire(late)) == (1, 0)
    account.refresh_from_db()
    assert account.state == "failed"
    assert MethodSetup.objects.get().mandate.status == "revoked"


def test_the_provider_may_say_so_first(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """Verified at the provider, its answer lost: asking finds it."""
    account = pending(real_cast)
    provider.post("settings", hang_seconds=2)
    provider.post("faults", match={"method": "POST", "path": ".*verify_microdeposits"}, effect="timeout_after", times=1)
    assert verification.attempt(account, amounts_cents=(32, 45)).state == "unknown"
    assert verification.ask(account).state == "verified"


def test_one_payment_takes_no_account_that_is_not_proved_at_once(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """It would wait for days: such an account is added first."""
    alice = proved(real_cast.alice)
    bill = make_bill(real_cast.maya, 18_500)
    payment = drafted(alice, {bill: "185.00"})
    alice.post(f"/pay/{payment.number}/method/", {"method": "new", "confirmation_token": unproved_token()})
    alice.post(f"/pay/{payment.number}/review/", headers={"user-agent": AGENT})
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.FAILED
    assert payable_cents([bill]) == {bill.pk: 18_500}


def test_an_account_typed_for_one_payment_can_be_kept(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """Once the debit has succeeded, with the mandate that was agreed to."""
    alice = proved(real_cast.alice)
    payment = drafted(alice, {make_bill(real_cast.maya, 18_500): "185.00"})
    data = {"method": "new", "confirmation_token": token("pm_usBankAccount_success"), "saves_method": "1"}
    alice.post(f"/pay/{payment.number}/method/", data)
    alice.post(f"/pay/{payment.number}/review/", headers={"user-agent": AGENT})
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PROCESSING
    assert not PaymentMethod.objects.exists()
    provider.post("clock/advance", seconds=60)
    sweeping.refresh(payment)
    account = latest()
    assert account.state == "verified"
    assert payment.mandate.stripe_id
    assert account.mandates.get() == payment.mandate
