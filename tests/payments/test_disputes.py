"""Cards: what cardholders' banks ask, take and give back."""

import dataclasses
import json
from collections.abc import Callable, Iterator

import pytest
import stripe
from django.utils import timezone, translation

from accounts.visibility import scope_of
from activity.models import Event, WorkItem
from bills.models import Bill
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount
from ledger.checks import run
from ledger.models import Transfer
from notifications import notices
from notifications.models import Notification
from payments import checkout, checks, clearing, dispute_wording, disputes, gateway, moving, receipts, refunds, webhooks
from payments.models import Dispute, Payment, StripeEvent
from payments.provider import Refused
from tests.conftest import Cast
from tests.ledger.books import summed
from tests.payments import banking
from tests.payments.paying import balance, drifting_accounts, make_bill, stripe_client, trial_balance
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]


@pytest.fixture(autouse=True)
def nothing_drifts(real_db: None) -> Iterator[None]:
    """After every story here the book holds."""
    yield
    assert drifting_accounts() == [] and trial_balance() == 0
    assert checks.run(deep=True) == []


def dispute(provider: Server, payment: Payment, **options: object) -> Payment:
    """The cardholder's bank asks or takes, and we hear of it."""
    provider.post("disputes", charge=payment.stripe_charge_id, **options)
    disputes.refresh(payment)
    return moving.current(payment.pk)


def close(provider: Server, payment: Payment, status: str) -> Payment:
    """The bank decides, and we hear of it."""
    provider.post("disputes/close", dispute=Dispute.objects.latest("pk").stripe_dispute_id, status=status)
    disputes.refresh(payment)
    return moving.current(payment.pk)


def told(payment: Payment, cast: Cast) -> receipts.Receipt:
    """What Alice reads."""
    return receipts.of(payment, scope_of(cast.alice.user))


def test_a_question_moves_no_money_and_is_a_flag(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS D15: the payment stands, and may be refunded, which answers it."""
    payment = dispute(provider, checkout.confirm(draft(5_000)), inquiry=True)
    assert payment.status == "succeeded"
    assert balance(bill) == 13_500
    assert not Transfer.objects.filter(code=Code.DISPUTE).exists()
    [item] = WorkItem.objects.all()
    assert (item.kind, item.due_at) == ("dispute", Dispute.objects.get().due_by)
    assert "no money has moved" in item.detail
    assert told(payment, real_cast).taken_back[0].told.tone == "waiting"
    notices.make()
    assert not Notification.objects.filter(kind__startswith="payment_disputed").exists()
    assert refunds.refundable_cents(payment) == 5_000
    close(provider, payment, "warning_closed")
    item.refresh_from_db()
    assert item.done_at is not None


def test_a_question_that_becomes_a_dispute_takes_the_money_once(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D15, D16."""
    payment = dispute(provider, checkout.confirm(draft(5_000)), inquiry=True)
    provider.post("disputes/escalate", dispute=Dispute.objects.get().stripe_dispute_id)
    disputes.refresh(payment)
    assert moving.current(payment.pk).status == "disputed"
    assert balance(bill) == 18_500
    assert WorkItem.objects.filter(kind="dispute", done_at__isnull=True).count() == 1


def test_what_is_taken_is_one_debit_and_the_member_is_told(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D16, M7, F13: the bill is open again, staff read what to send and by when, the payer alone is told."""
    payment = dispute(provider, checkout.confirm(draft(5_000)), reason="fraudulent")
    for _ in range(3):
        disputes.refresh(payment)
    assert payment.status == "disputed"
    assert balance(bill) == 18_500
    assert Transfer.objects.filter(code=Code.DISPUTE).count() == 1
    [item] = WorkItem.objects.all()
    assert "3-D Secure" in item.detail and "Until " in item.detail
    assert item.due_at == Dispute.objects.get().due_by
    notices.make()
    assert [notice.user for notice in Notification.objects.filter(kind="payment_disputed")] == [real_cast.alice.user]
    assert not told(payment, real_cast).is_retryable  # while it is open, paying again would pay twice


@pytest.mark.parametrize("status", ["won", "prevented"])
def test_what_is_given_back_is_one_credit(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill, status: str
) -> None:
    """FAULTS D16, M7."""
    payment = dispute(provider, checkout.confirm(draft(5_000)))
    payment = close(provider, payment, status)
    disputes.refresh(payment)
    assert payment.status == "succeeded"
    assert balance(bill) == 13_500
    assert Transfer.objects.filter(code=Code.DISPUTE).count() == 2
    assert WorkItem.objects.get().done_at is not None
    assert Event.objects.filter(kind="dispute.closed").count() == 1
    assert told(payment, real_cast).taken_back[0].told.tone == "good"


def test_what_is_lost_stays_owed(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS D16: and can be paid again."""
    payment = dispute(provider, checkout.confirm(draft(5_000)))
    payment = close(provider, payment, "lost")
    assert payment.status == "disputed"
    assert balance(bill) == 18_500
    assert Transfer.objects.filter(code=Code.DISPUTE).count() == 1
    assert told(payment, real_cast).is_retryable
    notices.make()
    assert Notification.objects.filter(kind="dispute_closed", user=real_cast.alice.user).count() == 1


def test_a_dispute_won_after_the_bill_was_paid_again_leaves_credit(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS D16: the money is the household's."""
    payment = dispute(provider, checkout.confirm(draft(5_000)))
    checkout.confirm(draft(18_500))
    close(provider, payment, "won")
    assert real_cast.household.credit is not None
    real_cast.household.credit.refresh_from_db()
    assert (balance(bill), real_cast.household.credit.balance_cents) == (0, -5_000)


def test_the_fee_of_a_dispute_is_the_plans(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS D18: from the balance transaction, to the fee account, once; the member owes what was paid, no more."""
    payment = checkout.confirm(draft(5_000))
    before = summed(SYSTEM_ACCOUNT_IDS[SystemAccount.STRIPE_FEES])
    payment = dispute(provider, payment)
    close(provider, payment, "lost")
    assert summed(SYSTEM_ACCOUNT_IDS[SystemAccount.STRIPE_FEES]) - before == 1_500
    assert balance(bill) == 18_500


def test_older_news_undoes_nothing(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS C11, A16: two workers fetched it, and the slower one comes last."""
    payment = dispute(provider, checkout.confirm(draft(5_000)))
    [older] = gateway.disputes_of(payment.stripe_payment_intent_id or "")
    close(provider, payment, "won")
    disputes.apply(payment.pk, older)
    assert balance(bill) == 13_500
    assert Dispute.objects.get().status == "won"
    [newest] = gateway.disputes_of(payment.stripe_payment_intent_id or "")
    disputes.apply(payment.pk, dataclasses.replace(newest, status="under_review"))
    assert Dispute.objects.get().status == "won"


def test_a_state_that_nobody_knows_is_kept_and_looked_at(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS B19: no crash; the money is what the balance transactions say, the member reads something true."""
    payment = checkout.confirm(draft(5_000))
    provider.post("disputes", charge=payment.stripe_charge_id)
    [state] = gateway.disputes_of(payment.stripe_payment_intent_id or "")
    disputes.apply(payment.pk, dataclasses.replace(state, status="mediation", due_by=None, reason=""))
    assert moving.current(payment.pk).status == "disputed"
    assert balance(bill) == 18_500
    assert WorkItem.objects.filter(kind="payment_conflict").count() == 1
    assert told(moving.current(payment.pk), real_cast).taken_back[0].told.meaning


def test_a_dispute_that_does_not_say_what_it_moved_is_parked(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS B19: a null where a list is expected never puts money back."""
    payment = dispute(provider, checkout.confirm(draft(5_000)))
    name = Dispute.objects.get().stripe_dispute_id
    provider.post("objects/patch", object=name, changes={"balance_transactions": None})
    with pytest.raises(Refused):
        gateway.disputes_of(payment.stripe_payment_intent_id or "")
    assert balance(bill) == 18_500


def dispute_event(found: stripe.Dispute, **changes: object) -> str:
    """The event of a dispute, as the provider would send it."""
    body = {"id": found.id, "object": "dispute", "payment_intent": str(found.payment_intent), "charge": found.charge}
    event = {"id": "evt_d", "object": "event", "type": "charge.dispute.created", "api_version": "x", "livemode": False}
    return json.dumps({**event, "data": {"object": {**body, **changes}}})


def work_off(body: str) -> StripeEvent:
    """Take an event in and work it off."""
    webhooks.take_in(json.loads(body), body)
    webhooks.work_off()
    return StripeEvent.objects.get()


@pytest.mark.parametrize("changes", [{}, {"payment_intent": None}], ids=["by intent", "by charge alone"])
def test_the_webhook_brings_the_payment_to_where_it_stands(
    provider: Server, draft: Draft, bill: Bill, changes: dict[str, object]
) -> None:
    """FAULTS C: the event says only which; what it is, is fetched."""
    payment = checkout.confirm(draft(5_000))
    provider.post("disputes", charge=payment.stripe_charge_id)
    [found] = stripe_client().v1.disputes.list({}).data
    event = work_off(dispute_event(found, **changes))
    assert event.outcome == "processed", event.reason
    assert moving.current(payment.pk).status == "disputed"


def test_a_dispute_of_a_payment_whose_reply_was_lost_is_booked(provider: Server, draft: Draft, bill: Bill) -> None:
    """FAULTS C09: the dispute's event is the first that names the intent."""
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    payment = checkout.confirm(draft(5_000))
    assert payment.stripe_payment_intent_id is None
    [charge] = [each for each in stripe_client().v1.charges.list({}).data if each.status == "succeeded"]
    provider.post("disputes", charge=charge.id)
    [found] = stripe_client().v1.disputes.list({}).data
    event = work_off(dispute_event(found))
    assert event.outcome == "processed", event.reason
    assert moving.current(payment.pk).status == "disputed"
    assert balance(bill) == 18_500


def test_a_dispute_of_what_is_not_ours_is_ignored(real_db: None, provider: Server) -> None:
    """FAULTS C18."""
    made = provider.post("charges", amount=4_321, metadata={})
    body = {"id": "dp_x", "object": "dispute", "payment_intent": None, "charge": made.get("id", "ch_x")}
    event = {"id": "evt_d", "object": "event", "type": "charge.dispute.created", "livemode": False}
    assert work_off(json.dumps({**event, "data": {"object": body}})).outcome == "ignored"


def test_every_state_has_its_text_and_its_next_step() -> None:
    """What a member can meet: the provider's ten states, and a return."""
    with translation.override("en"):
        for status in disputes.KNOWN:
            read = dispute_wording.of(Dispute(status=status, kind="dispute"))
            assert status in dispute_wording.TEXTS
            assert read.meaning.endswith(".") and read.next_step.endswith(".") and read.name


def test_who_did_not_pay_reads_nothing_of_why(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """FAULTS F13: what is in somebody's account is their bank's business and theirs."""
    own = make_bill(real_cast.bob, 9_000)
    payment = banking.paid(provider, real_cast.bob, {own: 4_000})
    payment = banking.returned(provider, payment, "R01")
    his = receipts.of(payment, scope_of(real_cast.bob.user))
    hers = receipts.of(payment, scope_of(real_cast.alice.user))
    assert "not enough money" in his.taken_back[0].told.meaning
    assert "not enough money" not in str(hers)
    notices.make()
    assert {notice.user for notice in Notification.objects.filter(kind="payment_returned")} == {real_cast.bob.user}


def test_the_provider_and_the_book_agree_about_disputes(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """FAULTS M5, D19: a booked one agrees with the clearing account; one that was not booked is named."""
    payment = checkout.confirm(draft(5_000))
    provider.post("disputes", charge=payment.stripe_charge_id)
    found = Dispute.objects.count()
    assert found == 0
    broken = compared()
    assert set(broken) == {"disputes at the provider", "clearing"}
    assert "unknown here" in broken["disputes at the provider"][0]
    disputes.refresh(payment)
    assert compared() == {}
    close(provider, payment, "won")
    assert compared() == {}


def compared() -> dict[str, tuple[str, ...]]:
    """What the rules about the clearing account find, with nothing too young to be looked at."""
    with clearing.fetched(gateway.balance_rows()):
        rules = clearing.rules(until=timezone.now() + clearing.SETTLING)
        return {each.rule: each.rows for each in run(rules)}
