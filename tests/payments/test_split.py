"""Split tender: one checkout, several methods, each part right whatever becomes of the others."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.visibility import scope_of
from bills.models import Bill
from ledger import money
from notifications import notices
from notifications.models import Notification
from payments import checkout, legs, parts, refunds, splitting
from payments.models import Payment, PaymentAllocation
from tests.conftest import Cast
from tests.payments.pages import chosen, confirmed, drafted, signed_in, text_of
from tests.payments.paying import balance, charges, token, trial_balance
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

Draft = Callable[..., Payment]


def two(draft: Draft, cards: tuple[str, str] = ("pm_card_visa", "pm_card_mastercard")) -> list[Payment]:
    """$100.00 and $85.00 of the bill, each with its card."""
    first = draft(18_500)
    rest = splitting.part(first, first_cents=10_000)
    checkout.choose(first, confirmation_token=token(cards[0]), label="hsa")
    checkout.choose(rest, confirmation_token=token(cards[1]))
    return legs.of(Payment.objects.get(pk=first.pk))


def statuses(payment: Payment) -> list[str]:
    return [leg.status for leg in legs.of(Payment.objects.get(pk=payment.pk))]


def test_what_one_pretax_method_takes_is_no_room_for_the_next() -> None:
    """An HSA and an FSA card beside another one: together they pay what is medical care of each bill, and no more."""
    shares = legs.shares({1: 100, 2: 100}, {1: 10, 2: 90}, [(1, 60, True), (2, 40, True), (3, 100, False)])
    assert shares == {1: {1: 6, 2: 54}, 2: {1: 4, 2: 36}, 3: {1: 90, 2: 10}}


@given(
    st.dictionaries(st.integers(1, 40), st.integers(1, 100_000), min_size=1, max_size=11),
    st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=2, max_size=3),
    st.data(),
)
def test_the_parts_sum_to_the_whole_to_the_cent(
    wanted: dict[int, int], weights: list[tuple[int, bool]], data: st.DataObject
) -> None:
    """FAULTS A21: by leg and by bill, and pre-tax money never leaves what is eligible while there is room."""
    amounts = money.split(sum(wanted.values()), [weight for weight, _ in weights])
    eligible = {bill: data.draw(st.integers(0, cents)) for bill, cents in wanted.items()}
    flags = [is_pretax for _, is_pretax in weights]
    given_legs = list(zip(range(len(amounts)), amounts, flags, strict=True))
    shares = legs.shares(wanted, eligible, given_legs)
    assert [sum(shares[number].values()) for number, _, _ in given_legs] == amounts
    assert {bill: sum(part[bill] for part in shares.values()) for bill in wanted} == wanted
    assert all(cents >= 0 for part in shares.values() for cents in part.values())
    pretax = [number for number, _, is_pretax in given_legs if is_pretax]
    if sum(amounts[number] for number in pretax) <= sum(eligible.values()):
        assert all(sum(shares[number][bill] for number in pretax) <= eligible[bill] for bill in wanted)
    assert shares == legs.shares(wanted, eligible, given_legs)


def test_hsa_and_card_split_a_bill(draft: Draft, bill: Bill) -> None:
    first, rest = two(draft)
    checkout.confirm(rest)
    assert statuses(first) == ["succeeded", "succeeded"]
    assert sorted(charge.amount for charge in charges()) == [8_500, 10_000]
    assert balance(bill) == 0 and trial_balance() == 0


def test_two_tabs_and_a_double_click_send_each_part_once(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS A01, A03, I11: from either part, at once."""
    first, rest = two(draft)
    answers = at_once([lambda p=p: checkout.confirm(Payment.objects.get(pk=p.pk)) for p in (first, rest) * 3])
    assert {type(answer) for answer in answers} == {Payment}
    assert len(charges()) == 2
    assert balance(bill) == 0


def test_a_split_and_a_whole_payment_race_and_one_wins_whole(draft: Draft, bill: Bill) -> None:
    """FAULTS A03, A11: all parts are submitted together, or none is."""
    first, _rest = two(draft)
    whole = draft(18_500)
    answers = at_once([lambda: checkout.confirm(first), lambda: checkout.confirm(whole)])
    assert sorted(type(answer).__name__ for answer in answers) == ["AmountExceedsPayable", "Payment"]
    assert sum(charge.amount for charge in charges()) == 18_500
    assert len(set(statuses(first))) == 1
    assert balance(bill) == 0


def test_one_part_that_fails_leaves_the_other_right_and_is_paid_another_way(
    real_cast: Cast, provider: Server, bill: Bill
) -> None:
    """One review, one receipt that says so, and a way on for the rest, once."""
    alice = signed_in(real_cast.alice)
    payment = drafted(alice, {bill: "185.00"})
    assert alice.post(f"/pay/{payment.number}/split/", {"amount": "100.00"}).status_code == 302
    second = chosen(alice, payment, label="hsa")["Location"]
    rest = Payment.objects.exclude(pk=payment.pk).get()
    assert second == f"/pay/{rest.number}/method/"
    assert "Method 2 of 2" in text_of(alice.get(second))
    chosen(alice, rest, "pm_card_chargeDeclined")
    review = text_of(alice.get(f"/pay/{rest.number}/review/"))
    assert "$100.00" in review and "$85.00" in review and "Pay $185.00 now" in review
    assert confirmed(alice, rest)["Location"] == f"/payments/{rest.number}/"
    for number in (payment.number, rest.number):
        receipt = text_of(alice.get(f"/payments/{number}/"))
        assert "A part of your payment did not go through" in receipt
        assert "$85.00 was not charged. $100.00 was received and stands." in receipt
    assert balance(bill) == 8_500
    again = alice.post(f"/payments/{payment.number}/again/")["Location"]
    assert again == alice.post(f"/payments/{rest.number}/again/")["Location"].replace(rest.number, payment.number)
    draft = Payment.objects.get(number=again.split("/")[2])
    assert draft.amount_cents == 8_500
    chosen(alice, draft)
    confirmed(alice, draft)
    assert balance(bill) == 0
    assert alice.get(f"/payments/{rest.number}/pdf/").content.startswith(b"%PDF")


def test_a_part_whose_outcome_is_unknown_is_not_sent_again(draft: Draft, bill: Bill, provider: Server) -> None:
    """FAULTS B02: the other part stands, this one waits for an answer, and its money stays promised."""
    first, rest = two(draft)
    provider.post("faults", match={"method": "POST", "path": "/v1/payment_intents"}, effect="timeout_after")
    checkout.confirm(first)
    assert statuses(first) == ["submitted", "succeeded"]
    checkout.confirm(rest)
    assert len(charges()) == 2
    with pytest.raises(checkout.AmountExceedsPayable):
        draft(100)


def test_a_bank_that_asks_about_one_part_is_answered_and_leads_to_the_one_receipt(
    real_cast: Cast, draft: Draft, bill: Bill
) -> None:
    """FAULTS B16."""
    first, rest = two(draft, ("pm_card_visa", "pm_card_authenticationRequired"))
    alice = signed_in(real_cast.alice)
    assert confirmed(alice, first)["Location"] == f"/pay/{rest.number}/authenticate/"
    assert "Your bank asks you to confirm" in text_of(alice.get(f"/payments/{first.number}/"))
    alice.post(f"/pay/{rest.number}/authenticate/")
    assert statuses(first) == ["succeeded", "canceled"]
    assert "$85.00 was not charged" in text_of(alice.get(f"/payments/{first.number}/"))


def test_refunds_go_back_by_part(real_cast: Cast, draft: Draft, bill: Bill) -> None:
    """FAULTS D29."""
    first, rest = two(draft)
    checkout.confirm(first)
    refunds.issue(Payment.objects.get(pk=rest.pk), amount_cents=8_500, reason="asked", requested_by=real_cast.dana)
    assert statuses(first) == ["succeeded", "refunded"]
    assert balance(bill) == 8_500
    with pytest.raises(refunds.RefundError):
        refunds.issue(Payment.objects.get(pk=rest.pk), amount_cents=1, reason="more", requested_by=real_cast.dana)


def test_one_mail_tells_of_all_parts(draft: Draft) -> None:
    first, _rest = two(draft)
    checkout.confirm(first)
    notices.make()
    assert Notification.objects.filter(kind="receipt").count() == 1


def test_one_method_pays_all_again_and_no_more_than_three_share(draft: Draft, bill: Bill) -> None:
    first = draft(18_500)
    splitting.part(first, first_cents=10_000)
    splitting.part(first, first_cents=5_000)
    with pytest.raises(splitting.TooManyMethods):
        splitting.part(first, first_cents=1_000)
    joined = splitting.join(first)
    assert (joined.amount_cents, joined.split_id, joined.method_kind) == (18_500, None, "")
    assert PaymentAllocation.objects.get(payment=joined).amount_cents == 18_500


@pytest.mark.parametrize("typed", ["0.49", "184.51", "185.00", "-5", "1e2", "NaN", "１０", "", "100.005"])
def test_the_first_amount_is_held_to_its_grammar_and_its_bounds(real_cast: Cast, draft: Draft, typed: str) -> None:
    """FAULTS I01 to I08."""
    payment = draft(18_500)
    response = signed_in(real_cast.alice).post(f"/pay/{payment.number}/split/", {"amount": typed})
    assert response.status_code == 422
    assert Payment.objects.get().split_id is None


def test_a_part_is_not_sent_without_the_others_method(real_cast: Cast, draft: Draft) -> None:
    """FAULTS I20."""
    first = draft(18_500)
    splitting.part(first, first_cents=10_000)
    checkout.choose(first, confirmation_token=token("pm_card_visa"))
    with pytest.raises(checkout.NotADraft):
        checkout.confirm(first)
    assert charges() == []


def test_the_parts_are_the_payers_own(real_cast: Cast, draft: Draft) -> None:
    """FAULTS F01."""
    first, rest = two(draft)
    for stranger in (real_cast.bob, real_cast.charlie):
        client = signed_in(stranger)
        assert client.get(f"/pay/{first.number}/split/").status_code == 404
        assert client.post(f"/payments/{rest.number}/again/").status_code == 404
        assert parts.of(first, scope_of(stranger.user)).parts == []
