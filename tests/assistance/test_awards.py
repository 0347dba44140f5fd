"""Bills wait while an application is pending; an award takes its part off, to the cent and once."""

import datetime as dt
import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Member
from activity.models import Event, WorkItem
from activity.recording import record
from assistance import applying, awarding, holding, tasks
from assistance.models import Application, Award, AwardedBill
from bills import issuing
from bills.banking_days import add_banking_days
from bills.issuing import Line
from bills.models import Bill, Hold, Statement
from ledger.chart import Code
from ledger.models import Transfer
from notifications import notices
from notifications.models import Notification
from notifications.news.assistance import of_awards
from notifications.news.looking import News, NotToBeSent
from tests.assistance.asking import approved, draft, sent
from tests.factories import make_bill, make_payment
from tests.ledger.races import together
from tests.payments.pages import signed_in, text_of
from tests.payments.paying import wait_for_a_lock

TODAY = timezone.localdate


def owed(bill: Bill) -> int:
    return Bill.objects.select_related("receivable").get(pk=bill.pk).balance_cents


def is_held(bill: Bill) -> bool:
    return Bill.objects.get(pk=bill.pk).held_since is not None


def test_a_pending_application_holds_open_bills_and_those_that_come_in(cast):
    mine, mayas, other = make_bill(cast.alice), make_bill(cast.maya), make_bill(cast.charlie)
    application = draft(cast.alice)
    assert not is_held(mine), "a draft holds nothing"
    applying.submit(application, signature="Alice Rivera", by=cast.alice.user)
    assert is_held(mine) and is_held(mayas) and not is_held(other)
    later = make_bill(cast.alice)
    assert holding.hold_new() == 1 and is_held(later)
    assert holding.hold_new() == 0
    assert set(Hold.objects.values_list("cause", "reference")) == {("assistance", f"application:{application.pk}")}

    applying.withdraw(application, by=cast.alice.user)
    assert not any(is_held(bill) for bill in (mine, mayas, later))


def test_no_bill_is_held_for_an_application_that_is_taken_back_meanwhile(real_cast):
    """The task has seen it pending and waits for its lock; a hold that was left over nevertheless is let go of."""
    application = sent(real_cast.alice)
    bill = make_bill(real_cast.alice)
    outcomes: list[object] = []
    task = threading.Thread(target=lambda: outcomes.append(together([holding.hold_new])))
    with transaction.atomic():
        applying.withdraw(application, by=real_cast.alice.user)
        task.start()
        wait_for_a_lock()
    task.join(30)
    assert outcomes == [{"ok": 1}] and not is_held(bill)

    holding.hold(application)
    kept = sent(real_cast.alice)
    assert (holding.let_go_left_over(), holding.let_go_left_over()) == (1, 0)
    assert set(Hold.objects.standing().values_list("reference", flat=True)) == {kept.reference}


def test_the_clock_is_thirty_business_days_and_stands_in_the_queue(cast):
    application = sent(cast.alice)
    assert application.decide_by == add_banking_days(TODAY(), 30)
    item = WorkItem.objects.get(kind="assistance", done_at__isnull=True)
    assert timezone.localdate(item.due_at) == application.decide_by
    applying.deny(application, by=cast.dana, reason="The income is above the limit.")
    assert not WorkItem.objects.filter(kind="assistance", done_at__isnull=True).exists()


def test_an_award_takes_its_percentage_off_and_says_by_which_rules(cast):
    """300 % of the guideline of 2026 for one in California: 75 % off."""
    bill = make_bill(cast.alice, amount_cents=18_501)
    application = approved(cast.alice, cast.dana, income_cents=15_960_00 * 3 // 12)
    assert owed(bill) == 18_501 - 13_876
    assert not is_held(bill)
    made = application.determinations.get()
    assert (made.guideline_year, made.guideline_version, made.region) == (2026, "91 FR 1797", "48")
    assert (made.household_size, made.income_cents, made.award_pct) == (1, 47_880_00, 75)
    award = application.awards.get()
    assert (award.percent, award.start_on) == (75, TODAY())
    transfer = Transfer.objects.get(code=Code.ASSISTANCE)
    assert (transfer.amount_cents, transfer.key) == (13_876, f"award:{award.pk}:bill:{bill.pk}")


def test_an_award_is_put_to_a_bill_once(cast):
    bill = make_bill(cast.alice, amount_cents=10_000)
    application = approved(cast.alice, cast.dana, income_cents=4_000_00)
    award = application.awards.get()
    left = owed(bill)
    assert awarding.put_to_bills(award) == 0
    assert awarding.reprice(award, bill, floor_cents=500) is False
    assert awarding.give(application, application.determinations.get(), by=cast.dana, on=TODAY()) == award
    assert owed(bill) == left
    with pytest.raises(applying.Conflict):
        applying.approve(application, by=cast.dana, reason="Again.")


def test_new_bills_in_its_period_are_covered_and_none_after_it(cast):
    award = approved(cast.alice, cast.dana, income_cents=1_000_00).awards.get()
    bill = make_bill(cast.bob, amount_cents=9_900)
    assert awarding.cover_new_bills(TODAY()) == 1
    assert owed(bill) == 0
    make_bill(cast.bob, issued_on=award.end_on + dt.timedelta(days=1))
    assert awarding.cover_new_bills(award.end_on + dt.timedelta(days=1)) == 0
    last = make_bill(cast.bob, amount_cents=9_900, issued_on=award.end_on)
    Award.objects.filter(pk=award.pk).update(revoked_at=timezone.now())
    assert awarding.cover_new_bills(award.end_on + dt.timedelta(days=1)) == 0
    Award.objects.filter(pk=award.pk).update(revoked_at=None)
    assert awarding.cover_new_bills(award.end_on + dt.timedelta(days=1)) == 1, "it came in after midnight"
    assert owed(last) == 0


def test_a_revoked_award_gives_nothing_new_and_takes_nothing_back(cast):
    bill = make_bill(cast.alice, amount_cents=10_000)
    award = approved(cast.alice, cast.dana, income_cents=1_000_00).awards.get()
    assert awarding.revoke(award, by=cast.dana, reason="Another plan pays.")
    assert not awarding.revoke(award, by=cast.dana, reason="Another plan pays.")
    assert owed(bill) == 0
    later = make_bill(cast.alice, amount_cents=10_000)
    assert awarding.cover_new_bills(TODAY()) == 0 and owed(later) == 10_000


def test_premiums_are_never_helped_and_excluded_services_neither(cast):
    lines = [
        Line(description="Hearing aid, one ear", amount_cents=6_000),
        Line(description="Visit", amount_cents=4_000),
    ]
    bill = make_bill(cast.alice, amount_cents=10_000, lines=lines)
    approved(cast.alice, cast.dana, income_cents=1_000_00)
    assert owed(bill) == 6_000


def test_what_was_paid_beyond_comes_back_as_credit_and_less_than_five_dollars_does_not(cast):
    paid, nearly = make_bill(cast.alice, amount_cents=10_000), make_bill(cast.alice, amount_cents=10_000)
    make_payment({paid: 10_000}, payer=cast.alice.user)
    make_payment({nearly: 2_999}, payer=cast.alice.user)
    # 75 %: of the first 7,500 were paid too much; of the second 499, which stay.
    application = approved(cast.alice, cast.dana, income_cents=47_880_00 // 12)
    rows = {row.bill_id: row for row in AwardedBill.objects.filter(award__application=application)}
    assert (rows[paid.pk].amount_cents, rows[paid.pk].returned_cents) == (7_500, 7_500)
    assert (rows[nearly.pk].amount_cents, rows[nearly.pk].returned_cents) == (7_001, 0)
    cast.household.credit.refresh_from_db()
    assert (owed(paid), owed(nearly), cast.household.credit.balance_cents) == (0, 0, -7_500)


@pytest.mark.parametrize("state", ["CA", "OR"])
def test_the_period_runs_from_the_first_statement_and_california_takes_open_bills_at_any_time(cast, state):
    """Days ago of the issue and of the first statement, whether it is paid, and whether it is lowered."""
    rows = [
        (241, None, True, False), (240, None, True, True), (270, 240, True, True), (270, 241, True, False),
        (400, None, False, True), (400, 240, False, True), (400, 241, False, state == "CA"),
    ]  # fmt: skip
    application = draft(cast.alice, income_cents=1_000_00)
    applying.write(application, state=state)
    wanted = set()
    for issued, stated, is_paid, is_lowered in rows:
        bill = make_bill(cast.alice, amount_cents=10_000, issued_on=TODAY() - dt.timedelta(days=issued))
        if stated is not None:
            for number, days in enumerate((stated, 30)):
                sums = ("previous", "charges", "payments", "adjustments", "corrections", "balance", "due")
                Statement.objects.create(
                    number=f"{bill.pk}-{number}", household=cast.household, content={"bills": [{"bill": bill.pk}]},
                    month=dt.date(2000, 1, 1) + dt.timedelta(days=31 * bill.pk + number),
                    issued_on=TODAY() - dt.timedelta(days=days), **{f"{name}_cents": 0 for name in sums},
                )  # fmt: skip
        if is_paid:
            make_payment({bill: 10_000}, payer=cast.alice.user)
        if is_lowered:
            wanted.add(bill.pk)
    applying.submit(application, signature="Alice Rivera", by=cast.alice.user)
    applying.approve(application, by=cast.dana, reason="Within the limit.")
    assert set(AwardedBill.objects.values_list("bill_id", flat=True)) == wanted


def test_a_void_bill_and_a_correction_of_a_helped_one_keep_the_book(cast):
    bill = make_bill(cast.alice, amount_cents=10_000)
    approved(cast.alice, cast.dana, income_cents=47_880_00 // 12)
    issuing.correct(bill, by_cents=-10_000, key="c", on=TODAY(), reason="The claim was corrected.")
    cast.household.credit.refresh_from_db()
    assert owed(bill) == 0 and cast.household.credit.balance_cents == 0, "what the plan gave is nobody's money"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=st.integers(1, 500_000), paid=st.integers(0, 500_000), percent=st.integers(1, 100))
def test_charge_is_what_was_given_paid_owed_and_never_less(cast, amount, paid, percent):
    paid = min(paid, amount)
    with transaction.atomic():
        bill = make_bill(cast.charlie, amount_cents=amount, lines=())
        if paid:
            make_payment({bill: paid}, payer=cast.charlie.user)
        application = draft(cast.charlie)
        applying.submit(application, signature="Charlie", by=cast.charlie.user)
        applying.approve(application, by=cast.dana, reason="As the rule says.", percent=percent)
        row = AwardedBill.objects.get(bill=bill)
        left = owed(bill)
        assert amount == row.amount_cents + (paid - row.returned_cents) + left
        assert left >= 0 and (row.returned_cents == 0 or row.returned_cents >= 500)
        transaction.set_rollback(True)


def test_missing_items_stop_the_clock_and_the_last_answer_starts_it_anew(cast):
    application = sent(cast.alice)
    applying.ask_for(application, texts=["A pay stub of October", "Page 2 of the letter"], by=cast.dana)
    application.refresh_from_db()
    assert (application.status, application.complete_at) == ("missing", None)
    assert Event.objects.filter(kind="application.missing").count() == 1
    with pytest.raises(applying.Conflict):
        applying.ask_for(application, texts=["More"], by=cast.dana)


def test_a_denial_is_appealed_once_and_holds_again(cast):
    bill = make_bill(cast.alice)
    application = sent(cast.alice, income_cents=90_000_00)
    with pytest.raises(applying.Refused):
        applying.approve(application, by=cast.dana, reason="Nothing to give.")
    applying.deny(application, by=cast.dana, reason="The income is above the limit.")
    assert not is_held(bill)
    applying.appeal(application, text="I lost my work.", by=cast.alice.user)
    assert Hold.objects.standing().get().cause == "appeal"
    applying.deny(application, by=cast.dana, reason="The income is above the limit still.")
    application.refresh_from_db()
    assert application.status == "upheld" and not is_held(bill)
    with pytest.raises(applying.Conflict):
        applying.appeal(application, text="Once more.", by=cast.alice.user)


def test_one_application_at_a_time_and_it_is_ones_own(cast):
    application = sent(cast.alice)
    assert draft(cast.charlie) != application
    from accounts.visibility import scope_of

    assert applying.begin(scope_of(cast.alice.user), cast.alice.user) == application
    assert list(Application.objects.visible_to(cast.bob.user)) == []
    assert list(Application.objects.visible_to(cast.alice.user)) == [application]


def test_a_confidential_member_is_not_asked_for_by_the_holder(cast):
    """FAULTS K13, F06."""
    from accounts.visibility import scope_of

    cast.bob.confidential_since = timezone.now()
    cast.bob.save()
    assert cast.bob not in applying.may_apply_for(scope_of(cast.alice.user))
    application = sent(cast.alice)
    bill = make_bill(cast.bob)
    holding.hold_new()
    assert not is_held(bill)
    own = sent(cast.bob)
    assert is_held(bill)
    assert own not in Application.objects.visible_to(cast.alice.user)
    assert application not in Application.objects.visible_to(cast.bob.user)


def test_the_database_knows_the_moves(cast):
    application = sent(cast.alice)
    for status in ("draft", "upheld"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE assistance_application SET status = %s WHERE id = %s", [status, application.pk])


def test_an_award_and_payments_at_the_same_moment_leave_the_book_right(real_cast):
    bill = make_bill(real_cast.alice, amount_cents=10_000)
    application = sent(real_cast.alice, income_cents=47_880_00 // 12)
    applying.approve(application, by=real_cast.dana, reason="Within the limit.")
    award = Award.objects.get()
    later = make_bill(real_cast.alice, amount_cents=10_000)
    gate, failures = threading.Barrier(4), []

    def run(do) -> None:
        try:
            gate.wait()
            do()
        except Exception as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connections.close_all()

    def give() -> None:
        awarding.reprice(award, later, floor_cents=500)

    def adjust() -> None:
        issuing.adjust(later, amount_cents=2_000, key="race", on=TODAY(), reason="At once.", actor="test")

    threads = [threading.Thread(target=run, args=(do,)) for do in (give, give, give, adjust)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    row = AwardedBill.objects.get(bill=later)
    assert owed(later) == 10_000 - 2_000 - row.amount_cents == 500
    assert owed(bill) == 2_500


def test_who_asked_for_confidentiality_since_it_was_begun_is_left_out(cast):
    """FAULTS F06: neither named on the page that is signed, nor asked for."""
    application = draft(cast.alice)
    assert cast.bob in application.members.all()
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    client = Client()
    client.force_login(cast.alice.user)
    page = client.get(f"/assistance/applications/{application.number}/sign/").content.decode()
    assert "Maya Rivera" in page and "Bob" not in page
    applying.submit(application, signature="Alice Rivera", by=cast.alice.user)
    assert set(application.members.all()) == {cast.alice, cast.maya}


@pytest.mark.parametrize("apart", [{"confidential_since": timezone.now()}, {"joined_on": dt.date(2015, 1, 1)}])
def test_an_application_works_on_nobody_who_is_apart_by_now(cast, apart):
    """FAULTS F06, K13: neither side learns of the other by what waits, is lowered, or is kept as credit."""
    his, mayas = make_bill(cast.bob, amount_cents=10_000), make_bill(cast.maya, amount_cents=10_000)
    application = sent(cast.alice)
    assert is_held(his) and is_held(mayas)
    Member.objects.filter(pk=cast.bob.pk).update(**apart)
    tasks.keep_up()
    assert not is_held(his) and is_held(mayas)
    applying.approve(application, by=cast.dana, reason="Within the limit.")
    later = make_bill(cast.bob, amount_cents=10_000)
    tasks.keep_up()
    award = Award.objects.get()
    assert (owed(his), owed(later), owed(mayas)) == (10_000, 10_000, 0) and cast.bob not in award.members.all()
    for bill in (his, mayas):
        record(
            "award.credit_left", subject=f"award:{award.pk}", owner_id=cast.household.pk, actor="test",
            award_id=award.pk, user_id=cast.alice.user_id, bill_id=bill.pk, amount_cents=1,
        )  # fmt: skip
    notices.make()
    notice, bobs = (Notification.objects.get(kind="help_credit", user=each.user) for each in (cast.alice, cast.bob))
    assert notice.member_id == cast.maya.pk and isinstance(of_awards([notice])[notice.pk], News)
    assert bobs.member_id == cast.bob.pk and isinstance(of_awards([bobs])[bobs.pk], News)
    Member.objects.filter(pk=cast.maya.pk).update(confidential_since=timezone.now())
    assert isinstance(of_awards([notice])[notice.pk], NotToBeSent)


@pytest.mark.parametrize("apart", [{"confidential_since": timezone.now()}, {"joined_on": dt.date(2015, 1, 1)}])
def test_an_award_follows_who_is_apart_by_now_and_its_applicant_learns_nothing_of_it(cast, apart):
    """What somebody was given is theirs; what it does from then on stands on no page and in no notice of the holder."""
    make_bill(cast.bob, amount_cents=10_000)
    application = approved(cast.alice, cast.dana, income_cents=1_000_00)
    Member.objects.filter(pk=cast.bob.pk).update(**apart)
    tasks.keep_up()
    notices.make()
    alice = signed_in(cast.alice)
    pages = ("/assistance/", f"/assistance/applications/{application.number}/", "/overview/", "/payments/overpaid/",
             "/notifications/", "/family/owes/", "/payments/")  # fmt: skip
    hers = Notification.objects.filter(user=cast.alice.user)
    before, told = [text_of(alice.get(page)) for page in pages], hers.count()
    assert all(before)
    later = make_bill(cast.bob, amount_cents=10_000, issued_on=timezone.localdate())
    make_payment({later: 4_000}, payer=cast.bob.user)
    tasks.keep_up()
    notices.make()
    assert owed(later) == 0 and "Financial assistance" in text_of(signed_in(cast.bob).get(f"/bills/{later.number}/"))
    assert [text_of(alice.get(page)) for page in pages] == before
    assert hers.count() == told
