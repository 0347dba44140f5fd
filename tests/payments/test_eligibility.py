"""Pre-tax money: what an HSA or FSA card may pay, and what it may not (RULES section 2)."""

import datetime as dt

import pytest

import ledger
from accounts.models import Coverage
from accounts.visibility import scope_of
from bills.models import Bill
from ledger import Posting
from ledger.chart import Code, SystemAccount
from ledger.opening import system_id
from payments import checkout, declines, eligibility, offering, splitting
from payments.models import Payment, PaymentMethod
from tests.conftest import Cast
from tests.payments.pages import make_premium, signed_in, text_of
from tests.payments.paying import make_bill
from tests.stripe_sandbox.conftest import Server


def card(cast: Cast, label: str = "", **more: object) -> PaymentMethod:
    return PaymentMethod.objects.create(
        user=cast.alice.user, kind="card", brand="visa", last4="4242", label=label,
        stripe_id=f"pm_{label or 'card'}_{PaymentMethod.objects.count()}", **more,
    )  # fmt: skip


def begin(cast: Cast, bill: Bill, cents: int) -> Payment:
    user = cast.alice.user
    return checkout.begin(scope_of(user), payer=user, amounts={bill.number: cents})


def charge_interest(bill: Bill, cents: int) -> None:
    ledger.post_many(
        [Posting(
            debit_id=bill.receivable_id, credit_id=system_id(SystemAccount.FINANCE_CHARGE_REVENUE), amount_cents=cents,
            code=Code.FINANCE_CHARGE, key=f"test:{bill.pk}", reference=f"bill:{bill.number}",
            effective_on=dt.date(2026, 11, 2), owner_id=bill.household_id,
        )]
    )  # fmt: skip


def test_an_fsa_never_pays_a_premium(cast: Cast) -> None:
    """Refused when it is chosen, whatever is attested, and nothing of the choice is kept."""
    payment = begin(cast, make_premium(cast), 53_076)
    with pytest.raises(checkout.NotEligible, match="FSA cannot pay a premium"):
        checkout.choose(payment, method=card(cast, "fsa"), attestation="cobra")
    payment.refresh_from_db()
    assert payment.method_id is None


def test_a_card_that_became_an_fsas_after_it_was_chosen_pays_no_premium(real_cast: Cast, provider: Server) -> None:
    """Asked again under the lock, when it is confirmed."""
    payment = begin(real_cast, make_premium(real_cast), 53_076)
    chosen = card(real_cast)
    checkout.choose(payment, method=chosen)
    PaymentMethod.objects.filter(pk=chosen.pk).update(label="fsa")
    with pytest.raises(checkout.NotEligible):
        checkout.confirm(Payment.objects.get(pk=payment.pk))
    assert Payment.objects.get(pk=payment.pk).status == "draft"


@pytest.mark.parametrize(
    ("kind", "attested", "is_taken"),
    [
        ("cobra", "cobra", True), ("cobra", "", False), ("cobra", "medicare_65", False),
        ("family", "unemployment", True), ("family", "cobra", False), ("family", "employer_65", False),
        ("individual", "long_term_care", True), ("medigap", "unemployment", False), ("medigap", "medicare_65", False),
        ("medicare_advantage", "medicare_65", False),
    ],
)  # fmt: skip
def test_an_hsa_pays_a_premium_only_under_its_exception(cast: Cast, kind: str, attested: str, is_taken: bool) -> None:
    """Alice is 42: what counts from 65 on is not hers to attest."""
    payment = begin(cast, make_premium(cast), 53_076)
    Coverage.objects.update(kind=kind)
    if is_taken:
        checkout.choose(payment, method=card(cast, "hsa"), attestation=attested)
        assert Payment.objects.get(pk=payment.pk).attestation == attested
    else:
        with pytest.raises(checkout.NotEligible):
            checkout.choose(payment, method=card(cast, "hsa"), attestation=attested)


def test_from_65_on_medicare_is_an_exception(cast: Cast) -> None:
    payment = begin(cast, make_premium(cast), 53_076)
    Coverage.objects.update(kind="medicare_advantage")
    cast.alice.birth_date = dt.date(1950, 1, 1)
    cast.alice.save()
    checkout.choose(payment, method=card(cast, "hsa"), attestation="medicare_65")
    assert Payment.objects.get(pk=payment.pk).attestation == "medicare_65"


def test_every_kind_of_coverage_has_its_rule_and_its_source() -> None:
    assert set(eligibility.PREMIUMS) == set(Coverage.Kind.values)
    assert all(rule.source for rule in eligibility.PREMIUMS.values())


def test_interest_is_not_paid_with_pre_tax_money(cast: Cast) -> None:
    """A part that is not medical care is refused, with what can be paid; that part is taken."""
    bill = make_bill(cast.maya, 10_000)
    charge_interest(bill, 1_000)
    hsa = card(cast, "hsa")
    with pytest.raises(checkout.NotEligible, match=r"can pay \$100\.00"):
        checkout.choose(begin(cast, bill, 11_000), method=hsa)
    checkout.choose(begin(cast, bill, 10_000), method=hsa)


def test_two_hsa_cards_together_pay_no_interest_either(cast: Cast) -> None:
    bill = make_bill(cast.maya, 10_000)
    charge_interest(bill, 1_000)
    payment = begin(cast, bill, 11_000)
    rest = splitting.part(payment, first_cents=6_000)
    checkout.choose(payment, method=card(cast, "hsa"))
    with pytest.raises(checkout.NotEligible):
        checkout.choose(rest, method=card(cast, "fsa"))


def test_hsa_and_fsa_come_first_on_medical_bills_and_are_never_suggested_for_premiums(cast: Cast) -> None:
    plain, hsa, fsa = card(cast, is_default=True), card(cast, "hsa"), card(cast, "fsa")
    medical = begin(cast, make_bill(cast.maya, 5_000), 5_000)
    choices = offering.choices(medical, [plain, hsa, fsa])
    assert [choice.option.method for choice in choices] == [hsa, fsa, plain]
    assert offering.preselected(medical, choices) == str(hsa.pk)
    premium = begin(cast, make_premium(cast), 53_076)
    choices = offering.choices(premium, [hsa, fsa, plain])
    assert [bool(choice.reason) for choice in choices] == [False, False, True]
    assert offering.preselected(premium, choices) == str(plain.pk)


def test_the_page_says_why_an_fsa_cannot_be_chosen(cast: Cast) -> None:
    card(cast, "fsa")
    payment = begin(cast, make_premium(cast), 53_076)
    page = text_of(signed_in(cast.alice).get(f"/pay/{payment.number}/method/"))
    assert "An FSA cannot pay a premium" in page


def test_a_declined_hsa_reads_the_same_whatever_the_bank_hides() -> None:
    """FAULTS B30, G12: it says what to do, and a label tells a tester of cards nothing."""
    assert "Pay a smaller part with it" in str(declines.text_of("card_not_supported", label="hsa"))
    texts = {str(declines.text_of(code, label="hsa")) for code in ("stolen_card", "do_not_honor", "fraudulent", "new")}
    assert texts == {str(declines.PRETAX)}
