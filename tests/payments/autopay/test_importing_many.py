"""Taking over thousands of standing orders: few statements a batch, one bad row alone, and once each whoever races."""

import datetime as dt
import threading
import time
from itertools import count
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.households import add_member
from accounts.models import User
from activity.models import Event
from bills.models import ImportBatch, ImportReject
from payments import gateway
from payments.autopay import importing
from payments.models import (
    AutopayConsent,
    AutopayEnrollment,
    ImportedAutopay,
    Mandate,
    PaymentMethod,
    StripeCustomer,
)
from tests.conftest import Cast
from tests.factories import make_coverage
from tests.payments.autopay.making import enrolled
from tests.payments.autopay.test_importing import at_provider, imported, row, written
from tests.payments.test_races import at_once
from tests.stripe_sandbox.conftest import Server

SIGNED_UP_ONE_IN = 5  # of many orders
_serial = count(1)


@pytest.fixture
def folder(tmp_path: Path, provider: Server, settings: Settings) -> Path:
    settings.AUTOPAY_PER_SECOND = 1000
    return tmp_path


def orders(cast: Cast, number: int) -> list[dict[str, str]]:
    """So many orders: of people who sign in, every other one with a card that is known, and of Maya, who does not."""
    made = [row(cast.maya, source_id=f"maya-{next(_serial)}") for _ in range(number - number // SIGNED_UP_ONE_IN)]
    for turn in range(number // SIGNED_UP_ONE_IN):
        serial = next(_serial)
        member = add_member(
            cast.household, number=f"N-{serial}", first_name="N", last_name="N", birth_date=dt.date(1980, 1, 1),
            user=User.objects.create(email=f"n-{serial}@example.com"),
        )  # fmt: skip
        method = f"pm_gone{serial}" if turn % 2 else at_provider()
        made.append(row(member, source_id=f"so-{serial}", stripe_payment_method_id=method))
    return made


def doubled() -> list[int]:
    """Whatever of these stands other than once for each who signs in."""
    many = ImportedAutopay.objects.filter(member__user__isnull=False).count()
    told = Event.objects.filter(kind__in=("autopay.enrolled", "autopay.suspended")).count()
    methods, begun = PaymentMethod.objects.count(), AutopayEnrollment.objects.count()
    return [found for found in (told, methods, begun) if found != many]


def statements(path: Path) -> int:
    with CaptureQueriesContext(connection) as captured:
        batch = importing.run(path, source="old")
    assert batch.refused == 0
    return len(captured)


def test_five_hundred_rows_cost_as_many_statements_as_fifty(real_cast: Cast, folder: Path) -> None:
    """New ones, and the same again."""
    few, many = (orders(real_cast, number) for number in (50, 500))
    few_path, many_path = written(folder, *few, name="few.csv"), written(folder, *many, name="many.csv")
    first = statements(few_path)
    assert statements(many_path) == first < 50
    assert AutopayEnrollment.objects.filter(status="active").count() == 55 and doubled() == []
    assert AutopayConsent.objects.count() == 55 and ImportedAutopay.objects.filter(code="no_user").count() == 440
    again = statements(few_path)
    assert statements(many_path) == again < first and doubled() == []


def test_what_breaks_off_is_taken_up_by_the_same_file(
    real_cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole batches stand; of the one in the midst nothing does."""
    monkeypatch.setattr(importing, "BATCH", 6)
    path = written(folder, *orders(real_cast, 15))

    def die(read: int) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        importing.run(path, source="old", progress=die)
    assert ImportedAutopay.objects.count() == 6 and doubled() == []
    batch = importing.run(path, source="old")
    assert (batch.read, batch.new, batch.same) == (15, 9, 6) and doubled() == []


def test_two_imports_of_one_file_at_once_take_each_order_once(real_cast: Cast, folder: Path) -> None:
    path = written(folder, *orders(real_cast, 40))
    batches = at_once([lambda: importing.run(path, source="old")] * 3)
    assert all(isinstance(batch, ImportBatch) and batch.refused == 0 for batch in batches), batches
    assert sum(batch.new for batch in batches if isinstance(batch, ImportBatch)) == 40 and doubled() == []
    assert AutopayConsent.objects.count() == 4


@pytest.mark.parametrize("others", [0, 2])
def test_who_turns_autopay_on_in_the_midst_keeps_it_and_the_others_are_taken(
    real_cast: Cast, folder: Path, others: int
) -> None:
    """Charlie's own click is not yet committed as the batch looks, and is as it writes."""
    cast = real_cast
    rows = (
        row(cast.charlie, source_id="so-1"), row(cast.alice, source_id="so-2", stripe_payment_method_id=at_provider()),
        row(cast.bob, source_id="so-3", stripe_payment_method_id="pm_gone3"),
    )  # fmt: skip
    path = written(folder, *rows[: 1 + others])
    clicked = threading.Event()

    def click() -> None:
        with transaction.atomic():
            enrolled(cast.charlie)
            clicked.set()
            _until_somebody_waits()

    def take() -> ImportBatch:
        clicked.wait(10)
        return importing.run(path, source="old")

    _own, batch = at_once([click, take])
    assert isinstance(batch, ImportBatch) and (batch.new, batch.refused) == (1 + others, 0)
    codes = list(ImportedAutopay.objects.order_by("source_id").values_list("code", flat=True))
    assert codes == ["already_on", "", "imported_unknown"][: 1 + others]
    assert AutopayEnrollment.objects.filter(user=cast.charlie.user).count() == 1


def _until_somebody_waits() -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waited")


def test_a_row_that_the_database_refuses_takes_no_other_with_it(real_cast: Cast, folder: Path) -> None:
    """Whatever the reason: its line is named, and the others of its batch are kept."""
    rows = [row(real_cast.maya, source_id=f"so-{number}", limit=f"{number}.00") for number in range(1, 8)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE payments_importedautopay ADD CONSTRAINT unforeseen CHECK (limit_cents <> 500)")
        try:
            batch = imported(folder, *rows)
        finally:
            cursor.execute("ALTER TABLE payments_importedautopay DROP CONSTRAINT unforeseen")
    assert (batch.status, batch.new, batch.refused) == ("finished", 6, 1)
    reject = ImportReject.objects.get()
    assert (reject.line, reject.rule, reject.source_id) == (6, "conflict", "so-5")
    assert imported(folder, *rows).new == 1


def test_rows_of_one_batch_see_each_other(real_cast: Cast, folder: Path) -> None:
    """One card for two things is saved once; a thing is paid once; a customer is the first one's who brings it."""
    coverage = make_coverage(real_cast.alice)
    type(coverage).objects.filter(pk=coverage.pk).update(source="fhir", source_id="cov-1")
    known = at_provider()
    customer = gateway.method_summary(known).customer_id
    premium = row(
        real_cast.alice, source_id="so-2", covers="premium", coverage_source_id="cov-1", stripe_payment_method_id=known
    )
    batch = imported(
        folder, row(real_cast.alice, stripe_payment_method_id=known), premium, premium | {"source_id": "so-3"},
        row(real_cast.bob, source_id="so-4", stripe_payment_method_id=at_provider(customer=customer)),
        row(real_cast.charlie, source_id="so-5", stripe_payment_method_id=known),
    )  # fmt: skip
    assert (batch.new, batch.refused) == (5, 0)
    codes = list(ImportedAutopay.objects.order_by("source_id").values_list("code", flat=True))
    assert codes == ["", "", "already_on", "imported_unknown", "not_payable"]
    assert StripeCustomer.objects.get().user == real_cast.alice.user
    assert PaymentMethod.objects.filter(stripe_id=known).count() == 1
    assert sorted(AutopayEnrollment.objects.values_list("covers", "status")) == [
        ("medical", "active"), ("medical", "suspended"), ("premium", "active"),
    ]  # fmt: skip


def test_bank_accounts_of_one_batch_have_a_mandate_each_or_none(real_cast: Cast, folder: Path) -> None:
    """What the first row of an account did not agree to, the second does not debit."""
    coverage = make_coverage(real_cast.alice)
    type(coverage).objects.filter(pk=coverage.pk).update(source="fhir", source_id="cov-1")
    known = at_provider("pm_usBankAccount_success")
    bank = row(
        real_cast.alice, stripe_payment_method_id=known, method_kind="us_bank_account", brand="", expires="",
        last4="6789",
    )  # fmt: skip
    silent = dict.fromkeys(("mandate_text", "mandate_version", "mandate_accepted_on"), "")
    second = {"source_id": "so-2", "covers": "premium", "coverage_source_id": "cov-1"}
    imported(folder, bank | silent, bank | second)
    codes = list(ImportedAutopay.objects.order_by("source_id").values_list("code", flat=True))
    assert codes == ["imported_no_mandate", "imported_unfit"] and not Mandate.objects.exists()


def test_a_file_that_breaks_in_the_middle_keeps_what_was_before(real_cast: Cast, folder: Path) -> None:
    path = written(folder, row(real_cast.alice), row(real_cast.bob, day="40", source_id="so-2"))
    path.write_bytes(path.read_bytes() + b'so-3,"never closed\n')
    batch = importing.run(path, source="old")
    assert batch.status == "refused" and "What was read before stands." in batch.message
    assert (batch.read, batch.new, batch.refused) == (2, 1, 1) and ImportReject.objects.get().line == 3
