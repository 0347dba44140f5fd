"""Overpaid money: where it came from, to whom it shows, and what becomes of it."""

import datetime as dt
import functools
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from bills import issuing
from bills.models import Bill
from ledger import checks
from ledger.models import Transfer
from payments import checkout, disputes, lockbox, moving, overpaid, sweeping
from payments.lockbox import Slip
from payments.models import CreditMove, Dispute, Payment, Refund
from payments.overpaid import Overpaid, OverpaidError
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.ledger.races import together
from tests.payments.pages import make_premium, signed_in, text_of
from tests.payments.paying import balance, make_bill, stripe_client, token
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]
TODAY = dt.date(2026, 11, 20)


def lowered(draft: Draft, bill: Bill, by_cents: int = 3_000) -> None:
    """Alice pays all of Maya's bill of $185.00; later it is lowered."""
    assert checkout.confirm(draft(18_500)).status == "succeeded"
    issuing.correct(bill, by_cents=-by_cents, key=f"bill:{bill.pk}:lowered", on=TODAY, reason="corrected")


def only(cast: Cast) -> Overpaid:
    """The one source that Alice sees."""
    (found,) = overpaid.found(scope_of(cast.alice.user))
    return found


def move(cast: Cast, one: Overpaid, bill: Bill, cents: int, key: str = "a-form-of-its-own") -> CreditMove:
    scope = scope_of(cast.alice.user)
    return overpaid.move(scope, one, user=cast.alice.user, bill_number=bill.number, amount_cents=cents, form_key=key)


def ask_back(cast: Cast, one: Overpaid, cents: int, key: str = "a-form-of-its-own") -> list[Refund]:
    return overpaid.ask_back(one, user=cast.alice.user, amount_cents=cents, form_key=key)


def test_a_bill_lowered_after_it_was_paid_is_explained_moved_and_sent_back(
    real_cast: Cast, draft: Draft, bill: Bill
) -> None:
    """D10, D13: part goes to another bill, the rest back to the card; the lowered bill owes nothing again."""
    lowered(draft, bill)
    other = make_bill(real_cast.alice, 5_000)
    one = only(real_cast)
    assert (one.source.left_cents, one.why) == (3_000, "The bill was lowered after it had been paid.")
    move(real_cast, one, other, 1_000)
    assert (balance(other), only(real_cast).source.left_cents) == (4_000, 2_000)
    (refund,) = ask_back(real_cast, only(real_cast), 2_000, "another-form-key")
    assert (refund.status, refund.amount_cents) == ("succeeded", 2_000)
    assert [made.amount for made in stripe_client().v1.refunds.list({}).data] == [2_000]
    assert (balance(bill), balance(other)) == (0, 4_000)
    assert overpaid.found(scope_of(real_cast.alice.user)) == []
    assert checks.run(checks.RULES, deep=True) == []


def test_a_withdrawn_bill_says_so(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    checkout.confirm(draft(18_500))
    issuing.void(Bill.objects.get(pk=bill.pk), on=TODAY, reason="wrong person", actor="user:1")
    assert only(real_cast).why == "The bill was withdrawn after it had been paid."


def test_two_payers_of_one_bill_are_found(real_cast: Cast, provider: Server, draft: Draft, bill: Bill) -> None:
    """A10: a reply was lost and given up, a relative paid meanwhile, then the first charge turns out to stand."""
    mine = draft(18_500)
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    assert checkout.confirm(mine).status == "submitted"
    moving.move(mine.pk, PaymentStatus.FAILED, actor="system", failure_code="never_sent")
    scope = scope_of(real_cast.alice.user)
    theirs = checkout.begin(scope, payer=real_cast.bob.user, amounts={bill.number: 18_500})
    checkout.confirm(checkout.choose(theirs, confirmation_token=token("pm_card_visa")))
    (intent,) = [
        found for found in stripe_client().v1.payment_intents.list({}).data if found.metadata["payment"] == mine.number
    ]
    assert sweeping.adopt(moving.current(mine.pk), intent.id).status == "succeeded"
    one = only(real_cast)
    assert one.why == "Somebody else had paid the bill when your payment arrived."
    assert one.source.payment == mine
    ask_back(real_cast, one, 18_500)
    assert Payment.objects.get(pk=mine.pk).status == "refunded"
    assert Payment.objects.get(pk=theirs.pk).status == "succeeded"
    assert balance(bill) == 0
    assert checks.run(checks.RULES, deep=True) == []


def test_no_more_than_is_left_and_than_the_bill_takes(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """I07."""
    lowered(draft, bill)
    small = make_bill(real_cast.alice, 700)
    strangers = make_bill(real_cast.charlie, 5_000)
    one = only(real_cast)
    for wanted, cents in ((small, 701), (small, 0), (small, -1), (bill, 100), (strangers, 100)):
        with pytest.raises(OverpaidError):
            move(real_cast, one, wanted, cents)
    for cents in (3_001, 0, -1):
        with pytest.raises(OverpaidError):
            ask_back(real_cast, one, cents)
    assert CreditMove.objects.count() == Refund.objects.count() == 0


def test_what_is_on_its_way_to_a_bill_is_left_to_it(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """A05: else the payment would be more than is owed."""
    lowered(draft, bill)
    other = make_bill(real_cast.alice, 2_000)
    scope = scope_of(real_cast.alice.user)
    coming = checkout.begin(scope, payer=real_cast.alice.user, amounts={other.number: 1_500})
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_before")
    checkout.confirm(checkout.choose(coming, confirmation_token=token("pm_card_visa")))
    with pytest.raises(OverpaidError):
        move(real_cast, only(real_cast), other, 501)
    assert move(real_cast, only(real_cast), other, 500).amount_cents == 500


def test_many_at_once_use_it_once(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """A13: of moves and wishes to have it back, each for all of it, one is done."""
    lowered(draft, bill)
    other = make_bill(real_cast.alice, 9_000)
    one = only(real_cast)
    jobs: list[Callable[[], object]] = []
    for turn in range(3):
        jobs.append(functools.partial(move, real_cast, one, other, 3_000, f"moving-{turn}-key"))
        jobs.append(functools.partial(ask_back, real_cast, one, 3_000, f"asking-{turn}-key"))
    assert together(jobs) == {"ok": 1, "OverpaidError": 5}
    assert overpaid.found(scope_of(real_cast.alice.user)) == []
    assert 9_000 - balance(other) + sum(refund.amount_cents for refund in Refund.objects.all()) == 3_000


def test_the_same_form_twice_is_done_once(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """I11."""
    lowered(draft, bill)
    other = make_bill(real_cast.alice, 9_000)
    one = only(real_cast)
    assert move(real_cast, one, other, 1_000) == move(real_cast, one, other, 1_000)
    assert ask_back(real_cast, one, 500, "asked-for-once") == ask_back(real_cast, one, 500, "asked-for-once")
    assert (balance(other), only(real_cast).source.left_cents) == (8_000, 1_500)


def test_what_could_not_be_sent_back_is_there_again(
    real_cast: Cast, provider: Server, draft: Draft, bill: Bill
) -> None:
    """D10: the refund is taken, and fails later."""
    lowered(draft, bill)
    (refund,) = ask_back(real_cast, only(real_cast), 3_000)
    assert overpaid.found(scope_of(real_cast.alice.user)) == []
    provider.post("refunds/fail", refund=refund.stripe_refund_id)
    overpaid.refunds.refresh(moving.current(refund.payment_id))
    assert only(real_cast).source.left_cents == 3_000
    assert checks.run(checks.RULES, deep=True) == []


def test_pre_tax_money_is_not_put_to_a_premium(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """RULES 2: neither HSA nor FSA money."""
    lowered(draft, bill)
    premium = make_premium(real_cast)
    scope = scope_of(real_cast.alice.user)
    assert [target for target, _most in overpaid.targets(scope, only(real_cast))] == [premium]
    for label in ("hsa", "fsa"):
        Payment.objects.update(method_label=label)
        assert overpaid.targets(scope, only(real_cast)) == []
        with pytest.raises(OverpaidError):
            move(real_cast, only(real_cast), premium, 100)


def test_it_shows_to_nobody_who_sees_neither_payment_nor_bill(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """F06, M14: Bob and Charlie see nothing of Maya's; of a confidential member's the holder sees nothing."""
    lowered(draft, bill)
    source_id = only(real_cast).id
    for other in (real_cast.bob, real_cast.charlie):
        assert overpaid.found(scope_of(other.user)) == []
        assert signed_in(other).get(f"/payments/overpaid/{source_id}/").status_code == 404
    bobs = make_bill(real_cast.bob, 4_000)
    payment = checkout.begin(scope_of(real_cast.bob.user), payer=real_cast.bob.user, amounts={bobs.number: 4_000})
    checkout.confirm(checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    issuing.correct(bobs, by_cents=-1_000, key="bobs:lowered", on=TODAY, reason="corrected")
    assert len(overpaid.found(scope_of(real_cast.alice.user))) == 2
    real_cast.bob.confidential_since = timezone.now()
    real_cast.bob.save()
    assert [one.id for one in overpaid.found(scope_of(real_cast.alice.user))] == [source_id]
    (bobs_own,) = overpaid.found(scope_of(real_cast.bob.user))
    assert (bobs_own.source.left_cents, bobs_own.can_act) == (1_000, True)


def test_the_pages_by_hand(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """From the list to the form, with a mistake on the way."""
    lowered(draft, bill)
    other = make_bill(real_cast.alice, 5_000)
    alice = signed_in(real_cast.alice)
    assert "$30.00 is overpaid" in text_of(alice.get("/payments/"))
    assert "$30.00" in text_of(alice.get("/payments/overpaid/"))
    address = f"/payments/overpaid/{only(real_cast).id}/"
    assert "Put it to another bill" in text_of(alice.get(address))
    wrong = alice.post(address, {"wish": "move", "bill": other.number, "amount": "1e2", "form_key": "x" * 16})
    assert wrong.status_code == 422
    assert "Write an amount in dollars" in text_of(wrong)
    assert _posted(alice, address, wish="move", bill=other.number, amount="10.00") == 302
    assert _posted(alice, address, wish="back", amount="20.00") == 302
    assert _posted(alice, address, wish="back", amount="20.00") == 302  # nothing is left: led back, nothing done
    assert (balance(other), Refund.objects.get().amount_cents) == (4_000, 2_000)
    assert "Nothing is overpaid" in text_of(alice.get("/payments/overpaid/"))
    assert Transfer.objects.filter(key__startswith="credit-move:").count() == 1


def _posted(client: Client, address: str, **data: str) -> int:
    return client.post(address, {**data, "form_key": f"key-of-{data['wish']}-form"}).status_code


def test_credit_from_a_confidential_dispute_is_the_members_alone(real_cast: Cast, provider: Server, bill: Bill) -> None:
    """F06, F13: the bank gives back what was paid again meanwhile; the holder sees neither the payment nor the bill."""
    Member.objects.filter(pk=real_cast.bob.pk).update(confidential_since=timezone.now())
    own = make_bill(real_cast.bob, 4_000)
    payment = pay(real_cast.bob, own, 4_000)
    provider.post("disputes", charge=payment.stripe_charge_id)
    disputes.refresh(payment)
    pay(real_cast.bob, own, 4_000)
    provider.post("disputes/close", dispute=Dispute.objects.latest("pk").stripe_dispute_id, status="won")
    disputes.refresh(payment)
    assert overpaid.found(scope_of(real_cast.alice.user)) == []
    (one,) = overpaid.found(scope_of(real_cast.bob.user))
    assert (one.source.left_cents, one.can_act, one.source.payment) == (4_000, True, payment)


def test_one_form_sent_many_times_at_once_is_done_once(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """A01, I11: all get the same answer."""
    lowered(draft, bill)
    other = make_bill(real_cast.alice, 9_000)
    one = only(real_cast)
    jobs = [functools.partial(move, real_cast, one, other, 2_000) for _turn in range(4)]
    assert together(jobs) == {"ok": 4}
    assert (balance(other), only(real_cast).source.left_cents) == (7_000, 1_000)


def pay(member: Member, bill: Bill, cents: int) -> Payment:
    """A member pays a bill with a test card."""
    assert member.user is not None
    payment = checkout.begin(scope_of(member.user), payer=member.user, amounts={bill.number: cents})
    payment = checkout.confirm(checkout.choose(payment, confirmation_token=token("pm_card_visa")))
    assert payment.status == "succeeded"
    return payment


def test_a_check_above_the_bill_is_moved_but_not_sent_back_to_a_card(real_cast: Cast) -> None:
    """Its money came by mail: Member Services sends it back."""
    bill, other = make_bill(real_cast.maya, 3_000), make_bill(real_cast.alice, 9_000)
    paid = Slip(number="1234", amount_cents=5_000, received_on=timezone.localdate(), reference=bill.number)
    lockbox.record_check(paid, by=real_cast.dana, reason="Opened by hand")
    one = only(real_cast)
    assert (one.source.left_cents, overpaid.returnable_cents(one)) == (2_000, 0)
    with pytest.raises(OverpaidError):
        ask_back(real_cast, one, 2_000)
    page = text_of(signed_in(real_cast.alice).get(f"/payments/overpaid/{one.id}/"))
    assert "sent back by Member Services" in page
    assert "Ask for it back" not in page
    move(real_cast, one, other, 2_000)
    assert balance(other) == 7_000
    assert overpaid.found(scope_of(real_cast.alice.user)) == []


def test_a_check_for_the_household_is_its_holders_to_use(real_cast: Cast) -> None:
    """It named no bill, so it is credit as a whole."""
    other = make_bill(real_cast.alice, 9_000)
    number = real_cast.household.number
    paid = Slip(number="77", amount_cents=5_000, received_on=timezone.localdate(), reference=number)
    lockbox.record_check(paid, by=real_cast.dana, reason="Opened by hand")
    one = only(real_cast)
    assert (one.source.left_cents, one.can_act) == (5_000, True)
    assert overpaid.found(scope_of(real_cast.bob.user)) == []
    move(real_cast, one, other, 5_000)
    assert balance(other) == 4_000
