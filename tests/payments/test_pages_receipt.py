"""A payment's page and PDF: true in every state, and silent about what its reader may no longer see."""

import io

import pypdf
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Delegate, Member
from activity.models import Access
from payments import receipts
from payments.models import Payment, PaymentAllocation, Refund
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_delegate, make_payment
from tests.payments.pages import make_premium, signed_in, text_of

MEANINGS = {
    PaymentStatus.SUBMITTED: "We are confirming your payment",
    PaymentStatus.REQUIRES_ACTION: "Your bank asks you to confirm",
    PaymentStatus.PROCESSING: "on its way",
    PaymentStatus.SUCCEEDED: "Your payment was received",
    PaymentStatus.FAILED: "You have not been charged",
    PaymentStatus.CANCELED: "This payment was canceled",
    PaymentStatus.PARTIALLY_REFUNDED: "Part of this payment was sent back",
    PaymentStatus.REFUNDED: "All of this payment was sent back",
    PaymentStatus.DISPUTED: "Your bank has questioned this payment",
    PaymentStatus.RETURNED: "Your bank took this payment back",
}


@pytest.mark.parametrize("status", MEANINGS)
def test_every_state_is_told_in_true_words(cast: Cast, status: PaymentStatus) -> None:
    """States that are true: submitted, on its way, posted, failed, refunded, and what to do next."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user, status=status)
    page = text_of(signed_in(cast.alice).get(f"/payments/{payment.number}/"))
    assert MEANINGS[status] in page
    assert "What to do next" in page
    assert ("Pay again" in page) is (status in ("failed", "canceled", "returned"))
    if status == PaymentStatus.SUBMITTED:
        assert "failed" not in page.lower()


def test_the_receipt_of_the_one_kind_leads_on_to_the_other(cast: Cast) -> None:
    """Medical bills and premiums are two charges (docs/decisions/0101): the second is not forgotten."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user)
    alice = signed_in(cast.alice)
    address = f"/payments/{payment.number}/"
    assert "go on to them" not in text_of(alice.get(address))
    make_premium(cast)
    assert "You have premiums to pay: go on to them" in text_of(alice.get(address))


def test_the_receipt_has_number_date_method_bills_and_amounts(cast: Cast) -> None:
    """What a receipt is for."""
    first, second = make_bill(cast.maya), make_bill(cast.alice, title="Laboratory", amount_cents=12_640)
    payment = make_payment({first: 5_000, second: 2_640}, payer=cast.alice.user)
    page = text_of(signed_in(cast.alice).get(f"/payments/{payment.number}/"))
    for words in (payment.number, "Visa ending in 4242", "Outpatient visit", "Maya Rivera", first.number,
                  "Laboratory", second.number, "$50.00", "$26.40", "$76.40", "Oakridge Medical Center"):  # fmt: skip
        assert words in page


def test_a_refund_says_how_much_and_where_it_went(cast: Cast) -> None:
    """Refunds and where they went."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user, status="partially_refunded")
    Refund.objects.create(payment=payment, amount_cents=2_000, status=Refund.Status.SUCCEEDED, reason="kept inside")
    page = text_of(signed_in(cast.alice).get(f"/payments/{payment.number}/"))
    assert "$20.00" in page
    assert "To Visa ending in 4242" in page
    assert "kept inside" not in page


def test_a_bill_that_is_no_longer_visible_shows_its_kind_and_amount_alone(cast: Cast) -> None:
    """F06, F09: from the moment of the request for confidentiality, page and PDF name no number, person or provider."""
    bob_bill, own = make_bill(cast.bob), make_bill(cast.alice, title="Laboratory")
    payment = make_payment({bob_bill: 5_000, own: 1_000}, payer=cast.alice.user)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    alice = signed_in(cast.alice)
    page = text_of(alice.get(f"/payments/{payment.number}/"))
    pdf = pdf_text(alice, payment)
    for shown in (page, pdf):
        assert "A bill that is no longer shown to you" in shown
        assert "$50.00" in shown
        assert "Laboratory" in shown
        for hidden in (bob_bill.number, "Bob", "Outpatient", "Oakridge Medical Center · " + bob_bill.number):
            assert hidden not in shown


def test_a_payment_of_a_confidential_member_is_not_there_for_the_holder(cast: Cast) -> None:
    """F06: Bob paid it himself; Alice gets 404 for page, PDF and state."""
    payment = make_payment({make_bill(cast.bob): 5_000}, payer=cast.bob.user)
    alice = signed_in(cast.alice)
    assert alice.get(f"/payments/{payment.number}/").status_code == 200
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    for path in ("", "pdf/", "status/", "return/"):
        assert alice.get(f"/payments/{payment.number}/{path}").status_code == 404
    assert signed_in(cast.bob).get(f"/payments/{payment.number}/").status_code == 200


@pytest.mark.parametrize("path", ["", "pdf/", "status/", "return/"])
def test_strangers_get_404_and_nobody_sees_it_without_signing_in(cast: Cast, path: str) -> None:
    """F01: as for a payment that is not there. Bob sees his own alone."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user)
    address = f"/payments/{payment.number}/{path}"
    assert Client().get(address)["Location"].startswith("/accounts/login/")
    for stranger in (cast.charlie, cast.bob):
        assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(cast.charlie).get(f"/payments/NOTE-THER-E000/{path}").status_code == 404


def test_a_draft_has_no_receipt_for_others_of_the_household(cast: Cast) -> None:
    """Drafts are the payer's alone."""
    payment = make_payment({make_bill(cast.bob): 5_000}, payer=cast.bob.user, status=PaymentStatus.DRAFT)
    assert signed_in(cast.alice).get(f"/payments/{payment.number}/").status_code == 404


def test_a_pay_only_delegate_sees_amounts_and_dates_and_the_look_is_recorded(cast: Cast) -> None:
    """N01, DESIGN section 7: nothing of the service."""
    bill = make_bill(cast.maya)
    helper = make_delegate(cast.maya, "helper@example.com", Delegate.Grant.PAY_ONLY)
    payment = make_payment({bill: 5_000}, payer=helper)
    client = Client()
    client.force_login(helper)
    page = text_of(client.get(f"/payments/{payment.number}/"))
    assert bill.number in page
    assert "Outpatient" not in page
    assert "Oakridge" not in page
    assert Access.objects.filter(user=helper, member_id=cast.maya.pk, subject=f"payment:{payment.number}").count() == 1


def test_a_pay_only_delegate_is_not_told_what_another_paid_with(cast: Cast) -> None:
    """DESIGN section 7: amounts and dates. What they paid with themselves they know."""
    helper = make_delegate(cast.maya, "helper@example.com", Delegate.Grant.PAY_ONLY)
    bill = make_bill(cast.maya)
    client = Client()
    client.force_login(helper)
    for payer, is_told in ((cast.alice.user, False), (helper, True)):
        payment = make_payment({bill: 5_000}, payer=payer)
        Payment.objects.filter(pk=payment.pk).update(method_kind="card", method_brand="visa", method_last4="4242")
        assert ("4242" in text_of(client.get(f"/payments/{payment.number}/"))) is is_told
    assert text_of(client.get("/payments/")).count("4242") == 1


def test_the_pdf_is_tagged_and_says_the_same(cast: Cast) -> None:
    """PDF/UA: tagged, with its language and title; names of any script are shown."""
    Member.objects.filter(pk=cast.maya.pk).update(first_name="Zoë Ñ 😀 عمر", last_name="O'Neil <b>")
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user)
    response = signed_in(cast.alice).get(f"/payments/{payment.number}/pdf/")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'attachment; filename="receipt-{payment.number}.pdf"'
    assert "no-store" in response["Cache-Control"]
    reader = pypdf.PdfReader(io.BytesIO(response.content))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"].startswith("en")
    assert payment.number in str(reader.metadata.title)
    text = "".join(page.extract_text() for page in reader.pages)
    assert "$50.00" in text
    assert "O'Neil <b>" in text


def test_lines_take_two_queries_however_many_payments(cast: Cast, django_assert_num_queries) -> None:
    """O05: constant for 1 and 20 payments."""
    scope = signed_in_scope(cast.alice)
    payments = [make_payment({make_bill(cast.maya): 100}, payer=cast.alice.user) for _ in range(20)]
    with django_assert_num_queries(2):
        receipts.lines_of(payments[:1], scope)
    with django_assert_num_queries(2):
        assert len(receipts.lines_of(payments, scope)) == 20


def test_what_no_bill_could_take_is_told_as_credit(cast: Cast) -> None:
    """A10: the money is kept, and the receipt says so."""
    import ledger
    from ledger.chart import Code, SystemAccount
    from ledger.opening import system_id

    bill = make_bill(cast.maya)
    payment = make_payment({bill: 5_000}, payer=cast.alice.user, status=PaymentStatus.FAILED)
    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.SUCCEEDED)
    ledger.post(
        ledger.Posting(
            debit_id=system_id(SystemAccount.STRIPE_CLEARING), credit_id=cast.household.credit_id, amount_cents=5_000,
            code=Code.OVERPAYMENT, key=f"payment:{payment.pk}:bill:{bill.pk}:over", reference="x",
            effective_on=timezone.localdate(), owner_id=cast.household.pk,
        )
    )  # fmt: skip
    page = text_of(signed_in(cast.alice).get(f"/payments/{payment.number}/"))
    assert "$50.00 of it was more than the bills still owed" in page
    assert PaymentAllocation.objects.filter(payment=payment).count() == 1


def pdf_text(client: Client, payment: Payment) -> str:
    """The words of a receipt's PDF."""
    response = client.get(f"/payments/{payment.number}/pdf/")
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(response.content)).pages)


def signed_in_scope(member: Member) -> receipts.Scope:
    """Whom this member may see."""
    from accounts.visibility import scope_of

    return scope_of(member.user)
