"""Taking over standing orders: strict rows, once each, nothing charged without leave, who must act, and why."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from pytest_django import Settings

from accounts.models import Household, Member
from accounts.roles import Role
from activity.models import Access, Event
from bills.models import ImportBatch, ImportReject
from payments.autopay import announcing, import_rows, importing, taking_over
from payments.models import (
    AutopayCharge,
    AutopayConsent,
    AutopayEnrollment,
    ImportedAutopay,
    Mandate,
    PaymentMethod,
    StripeCustomer,
)
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage
from tests.payments.adding import proved
from tests.payments.autopay.making import enrolled, make_card
from tests.payments.autopay.scene import charged, in_days, stands
from tests.payments.autopay.test_pages import turned_on
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import charges, stripe_client
from tests.staff.conftest import make_staff, sign_in
from tests.stripe_sandbox.conftest import Server

WORDS = "I authorize Oakridge Health to charge my account each month."


@pytest.fixture
def folder(tmp_path: Path, provider: Server) -> Path:
    return tmp_path


def at_provider(card: str = "pm_card_visa", *, customer: str = "") -> str:
    """A method that an earlier system attached to a customer of its own."""
    client = stripe_client()
    holder = customer or client.v1.customers.create({}).id
    return str(client.v1.payment_methods.attach(card, {"customer": holder}).id)


def row(member: Member, **cells: str) -> dict[str, str]:
    """Medical bills by a good card, on the due date, with the words that were agreed to."""
    given = {
        "source_id": "so-1", "as_of": "2026-10-01", "member_number": member.number, "covers": "medical",
        "stripe_payment_method_id": "pm_gone", "method_kind": "card", "brand": "visa", "last4": "4242",
        "expires": "2031-04", "mandate_text": WORDS, "mandate_version": "2019", "mandate_accepted_on": "2024-05-01",
        "day_rule": "on_due",
    }  # fmt: skip
    return dict.fromkeys(import_rows.COLUMNS, "") | given | cells


def written(folder: Path, *rows: dict[str, str], name: str = "orders.csv") -> Path:
    text = StringIO()
    writer = csv.DictWriter(text, import_rows.COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    path = folder / name
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def imported(folder: Path, *rows: dict[str, str]) -> ImportBatch:
    return importing.run(written(folder, *rows), source="old")


def only() -> ImportedAutopay:
    return ImportedAutopay.objects.get()


def test_a_good_order_goes_on_as_it_was_and_is_charged_after_notice(real_cast: Cast, folder: Path) -> None:
    """The customer at the provider becomes the member's; the words are kept; a charge is announced ten days ahead."""
    coverage = make_coverage(real_cast.alice)
    type(coverage).objects.filter(pk=coverage.pk).update(source="fhir", source_id="cov-1")
    good = row(
        real_cast.alice, covers="premium", coverage_source_id="cov-1", stripe_payment_method_id=at_provider(),
        day_rule="days_before", day="3", limit="600.00",
    )  # fmt: skip
    batch = imported(folder, good)
    assert (batch.status, batch.read, batch.new, batch.refused) == ("finished", 1, 1, 0)
    enrollment = only().enrollment
    assert enrollment is not None and only().code == ""
    assert (enrollment.status, enrollment.coverage, enrollment.imported_from) == ("active", coverage, "old:so-1")
    assert (enrollment.day_rule, enrollment.days_before, enrollment.limit_cents) == ("days_before", 3, 60_000)
    consent = AutopayConsent.objects.get()
    assert (consent.text, consent.version, consent.address) == (WORDS, "2019", None)
    assert Event.objects.filter(kind="autopay.enrolled").count() == 1
    assert "3 days before the due date" in text_of(signed_in(real_cast.alice).get("/autopay/"))


def test_a_charge_of_it_is_made_with_the_customer_that_was_taken_over(real_cast: Cast, folder: Path) -> None:
    imported(folder, row(real_cast.alice, stripe_payment_method_id=at_provider()))
    make_bill(real_cast.alice, due_on=in_days(20))
    assert announcing.run().announced == 1
    charge = AutopayCharge.objects.get()
    charged(in_days(20))
    assert stands(charge) == ("done", "") and len(charges()) == 1
    assert StripeCustomer.objects.get(user=real_cast.alice.user).stripe_id == charges()[0].customer


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"mandate_text": "", "mandate_version": "", "mandate_accepted_on": ""}, "imported_no_mandate"),
        ({"stripe_payment_method_id": "pm_gone"}, "imported_unknown"),
        ({"last4": "1111"}, "imported_unknown"),
    ],
)
def test_what_cannot_be_charged_as_it_is_begins_stopped(
    real_cast: Cast, folder: Path, cells: dict[str, str], code: str
) -> None:
    """Nothing is announced or charged; the member is told and sees the one thing to do."""
    imported(folder, row(real_cast.alice, **({"stripe_payment_method_id": at_provider()} | cells)))
    enrollment = AutopayEnrollment.objects.get()
    assert (enrollment.status, enrollment.suspended_code, only().code) == ("suspended", code, code)
    assert Event.objects.filter(kind="autopay.suspended").count() == 1
    assert not AutopayConsent.objects.exists()
    make_bill(real_cast.alice, due_on=in_days(20))
    assert announcing.run() == announcing.Summary()
    charged(in_days(20))
    assert charges() == []
    page = text_of(signed_in(real_cast.alice).get("/autopay/"))
    assert "It comes from our earlier system" in page


def test_an_expired_card_begins_stopped(real_cast: Cast, folder: Path) -> None:
    """As the provider knows it, whatever the file says."""
    known = at_provider()
    imported(folder, row(real_cast.alice, stripe_payment_method_id=known))
    AutopayEnrollment.objects.update(status="ended")
    PaymentMethod.objects.update(expires_year=2024)
    imported(folder, row(real_cast.alice, stripe_payment_method_id=known, source_id="so-2"))
    assert ImportedAutopay.objects.get(source_id="so-2").code == "imported_expired"


@pytest.mark.parametrize("owner", ["bob", "alice"])
def test_a_customer_that_is_not_the_members_is_never_charged(real_cast: Cast, folder: Path, owner: str) -> None:
    """Bob's customer holds the method; or Alice has a customer already, and another one holds it."""
    customer, held = stripe_client().v1.customers.create({}).id, stripe_client().v1.customers.create({}).id
    StripeCustomer.objects.create(user=getattr(real_cast, owner).user, stripe_id=customer)
    known = at_provider(customer=customer if owner == "bob" else held)
    imported(folder, row(real_cast.alice, stripe_payment_method_id=known))
    assert only().code == "imported_unknown" and AutopayEnrollment.objects.get().status == "suspended"
    assert list(StripeCustomer.objects.values_list("stripe_id", flat=True)) == [customer]


def test_the_members_own_consent_starts_it(real_cast: Cast, folder: Path) -> None:
    imported(folder, row(real_cast.alice))
    card, alice = make_card(real_cast.alice), proved(real_cast.alice)
    turned_on(alice, "medical", method=card.pk, day_rule="on_due", members=[real_cast.alice.pk])
    enrollment = AutopayEnrollment.objects.get()
    assert (enrollment.status, enrollment.method, enrollment.suspended_code) == ("active", card, "")
    assert not ImportedAutopay.objects.unsettled().exists()


def test_the_same_file_and_an_older_or_shorter_one_change_nothing(real_cast: Cast, folder: Path) -> None:
    known = at_provider()
    mine, other = row(real_cast.alice, stripe_payment_method_id=known), row(real_cast.charlie, source_id="so-2")
    imported(folder, mine, other)
    events = Event.objects.count()
    again = imported(folder, mine, other)
    assert (again.new, again.changed, again.same) == (0, 0, 2)
    older = imported(folder, mine | {"as_of": "2026-09-01", "limit": "5.00"})
    assert (older.new, older.changed, older.same, older.status) == (0, 0, 0, "finished")
    later = imported(folder, mine | {"as_of": "2026-11-01", "limit": "5.00"})
    assert later.same == 1
    enrollment = AutopayEnrollment.objects.get(user=real_cast.alice.user)
    assert (enrollment.status, enrollment.limit_cents) == ("active", None)
    assert AutopayEnrollment.objects.in_force().count() == 2 and Event.objects.count() == events


def test_autopay_that_is_on_stays_as_the_member_has_it(real_cast: Cast, folder: Path) -> None:
    standing = enrolled(real_cast.alice)
    imported(folder, row(real_cast.alice))
    assert only().code == "already_on" and only().enrollment is None
    assert AutopayEnrollment.objects.get() == standing


def test_who_has_no_account_waits_and_is_enrolled_after_signing_up(real_cast: Cast, folder: Path) -> None:
    user = real_cast.alice.user
    Member.objects.filter(pk=real_cast.alice.pk).update(user=None)
    imported(folder, row(real_cast.alice, stripe_payment_method_id=at_provider()))
    assert only().code == "no_user" and not AutopayEnrollment.objects.exists()
    assert taking_over.take_waiting() == 0
    Member.objects.filter(pk=real_cast.alice.pk).update(user=user)
    assert taking_over.take_waiting() == 1 and taking_over.take_waiting() == 0
    assert only().code == "" and AutopayEnrollment.objects.get().status == "active"


def test_a_bank_accounts_mandate_is_kept_word_for_word(real_cast: Cast, folder: Path) -> None:
    """Its words are neither changed nor deleted, and only an imported one has no address."""
    known = at_provider("pm_usBankAccount_success")
    bank = row(
        real_cast.alice, stripe_payment_method_id=known, method_kind="us_bank_account", brand="", expires="",
        last4="6789",
    )  # fmt: skip
    imported(folder, bank)
    mandate = Mandate.objects.get()
    assert (mandate.text, mandate.imported_from, mandate.status) == (WORDS, "old:so-1", "active")
    assert only().enrollment is not None and only().code == ""
    for change in ({"text": "other"}, {"imported_from": "x"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Mandate.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        mandate.delete()


def test_paper_or_paperless_is_set_once_by_document(real_cast: Cast, folder: Path) -> None:
    chosen = row(real_cast.alice, paperless_statements="yes", paperless_bills="no", paperless_letters="yes")
    imported(folder, chosen)
    home = Household.objects.get(pk=real_cast.household.pk)
    assert (home.is_paperless, home.has_paperless_bills, home.has_paperless_letters) == (True, False, True)
    Household.objects.update(is_paperless=False)
    imported(folder, chosen | {"as_of": "2026-11-02"})
    home.refresh_from_db()
    assert not home.is_paperless


BAD = [
    ({"source_id": "so 1"}, "source_id", "grammar"),
    ({"member_number": "M-NOBODY"}, "member_number", "member_unknown"),
    ({"covers": "plan"}, "covers", "grammar"),
    ({"covers": "premium"}, "coverage_source_id", "coverage"),
    ({"covers": "premium", "coverage_source_id": "none"}, "coverage_source_id", "coverage_unknown"),
    ({"stripe_payment_method_id": "4242424242424242"}, "stripe_payment_method_id", "grammar"),
    ({"last4": "٤٢٤٢"}, "last4", "grammar"),
    ({"expires": "2031-13"}, "expires", "grammar"),
    ({"expires": ""}, "expires", "expires"),
    ({"mandate_version": ""}, "mandate_text", "mandate_whole"),
    ({"mandate_accepted_on": "2999-01-01"}, "mandate_accepted_on", "date"),
    ({"as_of": "2026-02-30"}, "as_of", "date"),
    ({"day": "5"}, "day", "day"),
    ({"day_rule": "days_before", "day": "21"}, "day", "day"),
    ({"limit": "-5"}, "limit", "amount"),
    ({"limit": "0"}, "limit", "amount"),
    ({"paperless_bills": "maybe"}, "paperless_bills", "grammar"),
]


def test_bad_rows_are_named_and_the_good_ones_are_kept(real_cast: Cast, folder: Path) -> None:
    """Line, field and rule of each; nothing that was written there is kept."""
    bad = [
        row(real_cast.alice, **({"source_id": f"so-{number}"} | cells)) for number, (cells, _f, _r) in enumerate(BAD)
    ]
    batch = imported(folder, *bad, row(real_cast.charlie, source_id="good"))
    assert (batch.status, batch.read, batch.new, batch.refused) == ("finished", len(BAD) + 1, 1, len(BAD))
    found = ImportReject.objects.order_by("line").values_list("line", "field", "rule", "record")
    assert list(found) == [(line, field, rule, None) for line, (_c, field, rule) in enumerate(BAD, 2)]
    assert only().member == real_cast.charlie


def test_a_dependant_does_not_choose_for_the_household_and_an_id_stands_once(real_cast: Cast, folder: Path) -> None:
    batch = imported(
        folder, row(real_cast.bob, paperless_bills="yes"), row(real_cast.alice, source_id="so-2"),
        row(real_cast.charlie, source_id="so-2"),
    )  # fmt: skip
    rules = ImportReject.objects.order_by("line").values_list("line", "rule")
    assert list(rules) == [(2, "not_holder"), (4, "twice")] and batch.new == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"source_id\nso-1\n", b"\xff\xfea", (",".join(import_rows.COLUMNS) + "\n").encode()],
    ids=["empty", "columns", "utf-16", "no rows"],
)
def test_a_file_that_is_none_is_refused_whole(folder: Path, db: None, content: bytes) -> None:
    path = folder / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="refused"):
        call_command("import_autopay", str(path), format="csv", stdout=StringIO(), stderr=StringIO())
    assert ImportBatch.objects.get().status == "refused" and not ImportedAutopay.objects.exists()
    with pytest.raises(CommandError, match="no such file"):
        call_command("import_autopay", str(folder / "none.csv"), format="csv")


def test_the_command_says_what_came_of_it(real_cast: Cast, folder: Path) -> None:
    out, err = StringIO(), StringIO()
    call_command("import_autopay", str(written(folder, row(real_cast.alice))), format="csv", stdout=out, stderr=err)
    assert "1 rows: 1 new, 0 changed, 0 same, 0 refused" in out.getvalue()
    bad = written(folder, row(real_cast.alice, source_id="so-3", day="40"), name="b.csv")
    with pytest.raises(CommandError):
        call_command("import_autopay", str(bad), format="csv", stdout=out, stderr=err)
    assert "line 2, day:" in err.getvalue() and "[grammar]" in err.getvalue()


def test_staff_see_who_must_act_and_why_and_take_it_as_a_file(real_cast: Cast, folder: Path, client: Client) -> None:
    other = row(real_cast.charlie, source_id="so-2", stripe_payment_method_id="pm_lost")
    imported(folder, row(real_cast.alice), other)
    ImportedAutopay.objects.filter(source_id="so-2").update(source="=cmd|x")
    services = sign_in(client, make_staff(Role.BILLING))
    page = services.get("/admin/payments/importedautopay/").content.decode()
    assert "Method not found at the provider: the member has to add one (2)" in page
    chosen = services.get("/admin/payments/importedautopay/", {"code": "imported_unknown"})
    assert chosen.context["cl"].result_count == 2
    answer = services.get("/admin/payments/importedautopay/csv/")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3 and real_cast.alice.number in lines[1] and lines[2].startswith('"\'=cmd|x"')
    assert Access.objects.filter(action="download", subject="imported autopay").count() == 1
    assert signed_in(real_cast.alice).get("/admin/payments/importedautopay/csv/").status_code != 200


def test_a_provider_that_does_not_answer_is_asked_again(real_cast: Cast, folder: Path, settings: Settings) -> None:
    """Unknown is not failed: nothing is enrolled, the row is named, and the same file takes it later."""
    good = row(real_cast.alice, stripe_payment_method_id=at_provider())
    base = settings.STRIPE_API_BASE
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    batch = imported(folder, good)
    assert batch.refused == 1 and ImportReject.objects.get().rule == "provider"
    assert not AutopayEnrollment.objects.exists()
    settings.STRIPE_API_BASE = base
    imported(folder, good)
    assert AutopayEnrollment.objects.get().status == "active"
