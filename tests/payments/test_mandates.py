"""Leave to debit a bank account: shown, kept as it was, sent to the provider and as a copy, ended (RULES 3; D28)."""

import pytest
from django.db import DatabaseError, transaction

from activity.models import Event
from notifications import notices, sending
from payments import checkout, method_news
from payments.checkout import MandateMissing
from payments.models import Mandate, Payment
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.payments.adding import AGENT, added, latest, posted, proved
from tests.payments.pages import confirmed, drafted, signed_in, text_of
from tests.payments.paying import make_bill, stripe_client, token
from tests.provider import provider, provider_process  # noqa: F401
from tests.smtp import Mailbox, mailbox, whole  # noqa: F401
from tests.stripe_sandbox.conftest import Server


def chosen_account(cast: Cast) -> Payment:
    """Alice's draft, to be paid once by a bank account."""
    alice = signed_in(cast.alice)
    payment = drafted(alice, {make_bill(cast.maya, 18_500): "185.00"})
    data = {"method": "new", "confirmation_token": token("pm_usBankAccount_success")}
    alice.post(f"/pay/{payment.number}/method/", data)
    payment.refresh_from_db()
    return payment


def test_what_was_shown_before_the_click_is_kept_word_for_word(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """D28: with time, address, browser, version and language; the provider is given the same."""
    payment = chosen_account(real_cast)
    alice = signed_in(real_cast.alice)
    page = text_of(alice.get(f"/pay/{payment.number}/review/"))
    alice.post(f"/pay/{payment.number}/review/", headers={"user-agent": AGENT})
    payment.refresh_from_db()
    mandate = payment.mandate
    assert mandate.text in page.replace("&amp;", "&")
    assert "6789" in mandate.text and payment.number in mandate.text
    assert (mandate.address, mandate.user_agent, mandate.language) == ("127.0.0.1", AGENT, "en")
    assert mandate.version and mandate.fingerprint
    kept = stripe_client().v1.mandates.retrieve(mandate.stripe_id)
    assert kept.customer_acceptance.online.user_agent == AGENT
    assert kept.customer_acceptance.accepted_at == int(mandate.accepted_at.timestamp())
    assert mandate.text in text_of(alice.get(f"/payments/{payment.number}/mandate/"))


def test_no_debit_without_it(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """A caller that shows nothing cannot charge."""
    payment = chosen_account(real_cast)
    with pytest.raises(MandateMissing):
        checkout.confirm(payment)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.DRAFT
    assert not stripe_client().v1.payment_intents.list().data


def test_an_account_is_added_only_after_its_owner_agreed(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """The words first; nothing at the provider until then."""
    alice = proved(real_cast.alice)
    address = posted(alice, token("pm_usBankAccount_success"))["Location"]
    page = text_of(alice.get(address))
    assert "authorize" in page and "6789" in page
    assert not stripe_client().v1.setup_intents.list().data
    alice.post(address, headers={"user-agent": AGENT})
    alice.post(address, headers={"user-agent": "another"})
    mandate = Mandate.objects.get()
    assert mandate.text in page
    assert (mandate.method, mandate.user_agent) == (latest(), AGENT)
    assert mandate.text in text_of(alice.get(f"/payment-methods/{latest().pk}/mandate/"))


def test_its_words_can_neither_be_changed_nor_deleted(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """By the database itself."""
    added(proved(real_cast.alice), "pm_usBankAccount_success")
    for change in (
        lambda: Mandate.objects.update(text="anything"),
        lambda: Mandate.objects.update(user_agent="anything"),
        lambda: Mandate.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="neither changed nor deleted"), transaction.atomic():
            change()


def test_a_copy_is_mailed_and_says_nothing_of_health_or_money(
    real_cast: Cast,
    provider: Server,  # noqa: F811
    mailbox: Mailbox,  # noqa: F811
) -> None:
    """D28, L01."""
    payment = chosen_account(real_cast)
    confirmed(signed_in(real_cast.alice), payment)
    notices.make()
    sending.send_waiting()
    mandate = Mandate.objects.get()
    copies = [mail for mail in mailbox.taken if "copy of your bank authorization" in str(mail["Subject"])]
    assert len(copies) == 1
    body = copies[0].get_body(("plain",)).get_content()
    assert " ".join(mandate.text.split()) in " ".join(body.split())
    for canary in ("185.00", "Oakridge", "Outpatient", "Maya", "Rivera"):
        assert canary not in whole(copies[0])


def test_removal_revokes_it_and_keeps_it(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """Kept for two years and longer."""
    alice = proved(real_cast.alice)
    added(alice, "pm_usBankAccount_success")
    account = latest()
    alice.post(f"/payment-methods/{account.pk}/remove/")
    mandate = Mandate.objects.get()
    assert (mandate.status, mandate.method) == (Mandate.Status.REVOKED, account)
    assert mandate.ended_at is not None and mandate.text


def test_an_inactive_mandate_blocks_its_account_and_its_owner_is_told(
    real_cast: Cast,
    provider: Server,  # noqa: F811
) -> None:
    """By the provider's news of it, and only once the provider confirms it."""
    alice = proved(real_cast.alice)
    added(alice, "pm_usBankAccount_success")
    mandate = Mandate.objects.get()
    method_news.handle("mandate.updated", {"id": mandate.stripe_id, "status": "inactive"})
    assert latest().blocked_at is None
    provider.post("objects/patch", object=mandate.stripe_id, changes={"status": "inactive"})
    method_news.handle("mandate.updated", {"id": mandate.stripe_id})
    method_news.handle("mandate.updated", {"id": mandate.stripe_id})
    assert latest().blocked_code == "mandate_inactive"
    assert "has ended" in text_of(alice.get("/payment-methods/"))
    assert Event.objects.filter(kind="method.blocked").count() == 1
    added(alice, "pm_usBankAccount_success")
    assert latest().is_ready
    assert latest().is_default


def test_nobody_else_reads_it(real_cast: Cast, provider: Server) -> None:  # noqa: F811
    """F01."""
    added(proved(real_cast.alice), "pm_usBankAccount_success")
    for other in (real_cast.bob, real_cast.charlie):
        assert signed_in(other).get(f"/payment-methods/{latest().pk}/mandate/").status_code == 404
