"""Questions to Member Services: asked, held, answered, settled, and read by nobody else."""

import datetime as dt
from pathlib import Path

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Member, User
from accounts.roles import Role
from accounts.visibility import scope_of
from activity.models import Access, Event, WorkItem
from bills import check_facts, checking, holds, issuing, sharing
from bills.models import Bill, Hold
from notifications import notices, sending
from notifications.models import Notification
from support import asking, clock, settling, threads
from support.models import Inquiry, Message
from tests.bills.importing import eob, owes, patient, take
from tests.bills.test_checking import make_claim
from tests.conftest import Cast
from tests.factories import make_bill, make_delegate, make_payment
from tests.staff.conftest import make_staff, sign_in
from tests.support.questions import make_inquiry

REASON = "The member asked us to."
KEY = "0123456789abcdef"


def client_of(user: User | None) -> Client:
    """A browser of somebody signed in."""
    client = Client()
    assert user is not None
    client.force_login(user, "accounts.backends.AuthenticationBackend")
    return client


def wish(**changes: object) -> dict[str, object]:
    """What the form sends."""
    return {"topic": "wrong", "text": "I was charged twice.", "holds_bill": "on", "form_key": "k" * 20} | changes


def test_asking_about_a_bill_opens_a_question_holds_the_bill_and_waits_for_staff(cast: Cast) -> None:
    bill = make_bill(cast.alice)
    make_claim(bill, cast.alice, owes_cents=14_000)
    held_for_another = holds.begin(bill, cause=Hold.Cause.ASSISTANCE, reference="application:1")
    client = client_of(cast.alice.user)
    assert "&amp;flag=more_than_claim" in client.get(f"/bills/{bill.number}/").content.decode()
    holds.end([held_for_another])
    address = f"/support/ask/?bill={bill.number}&flag=more_than_claim"
    assert "Hold this bill until you answer" in client.get(address).content.decode()
    answer = client.post(address, wish())
    inquiry = Inquiry.objects.get()
    assert answer.headers["Location"] == f"/support/{inquiry.number}/"
    assert (inquiry.topic, inquiry.flag, inquiry.status, inquiry.charged_cents) == (
        "wrong",
        "more_than_claim",
        "open",
        18_500,
    )
    hold = Hold.objects.standing().get()
    assert (hold.bill_id, hold.cause, hold.reference) == (bill.pk, "dispute", inquiry.reference)
    item = WorkItem.objects.get(kind="inquiry")
    assert (item.subject, item.due_at) == (f"inquiry:{inquiry.number}", inquiry.due_at)
    page = client.get(answer.headers["Location"]).content.decode()
    assert "I was charged twice." in page and "The bill is on hold" in page
    page = client.get(f"/bills/{bill.number}/").content.decode()
    assert "We are checking this bill" in page and "more than your claim says" in page
    assert "flag=more_than_claim" not in page  # it is asked already


def test_the_same_form_sent_twice_asks_once(cast: Cast) -> None:
    client = client_of(cast.alice.user)
    person = {"person": cast.alice.pk}
    for _time in range(2):
        assert client.post("/support/ask/", wish(**person)).status_code == 302
    assert (Inquiry.objects.count(), Message.objects.count(), WorkItem.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("name", ["bill", "claim", "payment"])
def test_nobody_asks_about_what_they_do_not_see(cast: Cast, name: str) -> None:
    bill = make_bill(cast.alice)
    payment = make_payment({bill: 500}, payer=cast.alice.user)
    number = {"bill": bill.number, "claim": "CLM-1", "payment": payment.number}[name]
    for value in (number, "nothing", "%00"):
        assert client_of(cast.charlie.user).get(f"/support/ask/?{name}={value}").status_code == 404
    assert client_of(cast.charlie.user).post(f"/support/ask/?{name}={number}", wish()).status_code == 404


def test_what_is_missing_or_too_long_is_told_beside_its_field(cast: Cast) -> None:
    client = client_of(cast.alice.user)
    for changes in (
        {"text": ""},
        {"text": "x" * 4001},
        {"topic": "poem"},
        {"form_key": "x"},
        {"person": cast.charlie.pk},
    ):
        answer = client.post("/support/ask/", wish(person=cast.alice.pk) | changes)
        assert (answer.status_code, Inquiry.objects.count()) == (422, 0)


def test_a_delegate_who_may_only_look_asks_without_a_hold_and_who_may_pay_with_one(cast: Cast) -> None:
    bill = make_bill(cast.bob)
    for grant, held in (("view", False), ("pay_only", True)):
        user = make_delegate(cast.bob, f"{grant}@example.com", grant)
        client_of(user).post(f"/support/ask/?bill={bill.number}", wish())
        inquiry = Inquiry.objects.get(asked_by=user)
        assert threads.is_holding(inquiry) is held
        assert client_of(user).get(f"/support/{inquiry.number}/").status_code == 200
        assert Access.objects.filter(user=user, subject=f"inquiry:{inquiry.number}", member_id=cast.bob.pk).exists()


def test_who_may_only_look_does_not_end_the_hold_of_anothers_question(cast: Cast) -> None:
    """It is closed by who asked, the member, and who may pay; one that holds nothing by whoever reads it."""
    bill = make_bill(cast.bob)
    inquiry = make_inquiry(cast.bob, bill=bill, topic="wrong", holds_bill=True)
    address = f"/support/{inquiry.number}/"
    users = {grant: make_delegate(cast.bob, f"{grant}@example.com", grant) for grant in ("view", "pay_only", "full")}
    tried = {**users, "member": cast.bob.user}
    closed = []
    for name, user in tried.items():
        client = client_of(user)
        shows = "It is settled: close it" in client.get(address).content.decode()
        client.post(f"{address}close/")
        inquiry.refresh_from_db()
        assert threads.is_holding(inquiry) is (inquiry.status == "open")
        assert shows is (inquiry.status == "closed")
        if inquiry.status == "closed":
            closed.append(name)
            threads.add(inquiry, by=cast.bob.user, text=f"Still wrong, after {name}.")  # type: ignore[arg-type]
            threads.hold(inquiry, by=cast.dana, reason="Still looked at.")
    assert closed == ["full", "member"]
    threads.release(inquiry, by=cast.dana)
    client_of(users["view"]).post(f"{address}close/")
    inquiry.refresh_from_db()
    assert inquiry.status == "closed"
    own = make_inquiry(cast.bob, by=users["view"], bill=bill)
    threads.hold(own, by=cast.dana, reason="It may be wrong.")
    client_of(users["view"]).post(f"/support/{own.number}/close/")
    assert not threads.is_holding(own)


def test_who_reads_a_question(cast: Cast) -> None:
    """An adult's is the adult's; a child's is also the holder's; a delegate's grant decides (decision 1602)."""
    bobs, mayas = make_inquiry(cast.bob), make_inquiry(cast.maya, by=cast.alice.user)
    viewer = make_delegate(cast.bob, "viewer@example.com", "view")
    payer = make_delegate(cast.bob, "payer@example.com", "pay_only")

    def seen(user: User | None) -> set[int]:
        assert user is not None
        return set(Inquiry.objects.visible_to(user).values_list("pk", flat=True))

    assert seen(cast.bob.user) == seen(viewer) == {bobs.pk}
    assert seen(cast.alice.user) == {mayas.pk}
    assert seen(payer) == seen(cast.charlie.user) == set()
    asked = make_inquiry(cast.bob, by=cast.alice.user)
    assert seen(cast.alice.user) == {mayas.pk, asked.pk}
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    assert seen(cast.alice.user) == {mayas.pk}
    assert asked.pk in seen(cast.bob.user)


def test_a_holder_may_ask_about_a_bill_that_a_confidential_member_shared(cast: Cast) -> None:
    bill = make_bill(cast.bob)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    client = client_of(cast.alice.user)
    assert client.get(f"/support/ask/?bill={bill.number}").status_code == 404
    sharing.set_shared(bill, is_shared=True, actor="test")
    answer = client.post(f"/support/ask/?bill={bill.number}", wish())
    assert client.get(answer.headers["Location"]).status_code == 200
    sharing.set_shared(bill, is_shared=False, actor="test")
    assert client.get(answer.headers["Location"]).status_code == 404


def test_staff_answer_and_the_member_reads_it_while_the_mail_says_only_that_there_is_an_answer(cast: Cast) -> None:
    bill = make_bill(cast.alice)
    inquiry = make_inquiry(cast.alice, bill=bill, topic="wrong", holds_bill=True)
    clerk = make_staff(Role.MEMBER_SERVICES)
    staff = sign_in(Client(), clerk)
    listed = staff.get("/admin/support/inquiry/").content.decode()
    assert inquiry.number in listed and "What waits for an answer, by age" in listed
    assert "Is this right?" in staff.get(f"/admin/support/inquiry/{inquiry.pk}/change/").content.decode()
    page = f"/admin/support/inquiry/{inquiry.pk}/answer/"
    assert staff.post(page, {"key": KEY}).status_code == 422
    sent = staff.post(page, {"key": KEY, "standard": "correct", "text": "Call us with <b>more</b>."})
    assert sent.status_code == 302
    inquiry.refresh_from_db()
    bill.refresh_from_db()
    assert (inquiry.status, inquiry.due_at, bill.held_since) == ("answered", None, None)
    assert WorkItem.objects.get().done_at is not None
    read = client_of(cast.alice.user).get(f"/support/{inquiry.number}/").content.decode()
    assert "the amount is right" in read and "&lt;b&gt;more&lt;/b&gt;" in read
    notices.make()
    sending.send_waiting()
    [letter] = [each for each in mail.outbox if "answer" in each.subject]
    said = letter.body + str(letter.alternatives)
    assert letter.to == ["alice@example.com"] and f"/support/{inquiry.number}/" in said
    assert "amount is right" not in said and bill.number not in said and "$" not in said


def test_an_answer_that_is_not_final_keeps_the_hold(cast: Cast) -> None:
    inquiry = make_inquiry(cast.alice, bill=make_bill(cast.alice), topic="wrong", holds_bill=True)
    threads.answer(inquiry, by=cast.dana, text="We look.", keeps_hold=True)
    assert threads.is_holding(inquiry)
    threads.add(inquiry, by=cast.alice.user, text="And now?")  # type: ignore[arg-type]
    inquiry.refresh_from_db()
    assert (inquiry.status, inquiry.due_at is not None) == ("open", True)
    assert WorkItem.objects.filter(done_at__isnull=True).count() == 1
    threads.close(inquiry, by=cast.dana, reason="Settled by phone.")
    assert not threads.is_holding(inquiry) and not WorkItem.objects.filter(done_at__isnull=True).exists()


def test_a_closed_question_is_answered_no_more_and_opens_again_with_a_message(cast: Cast) -> None:
    inquiry = make_inquiry(cast.alice)
    client = client_of(cast.alice.user)
    for _time in range(2):
        assert client.post(f"/support/{inquiry.number}/close/").status_code == 302
    with pytest.raises(threads.StateChanged):
        threads.answer(inquiry, by=cast.dana, text="Too late.")
    for _time in range(2):
        client.post(f"/support/{inquiry.number}/", {"text": "One more thing"})
    inquiry.refresh_from_db()
    assert (inquiry.status, inquiry.closed_at, inquiry.messages.count()) == ("open", None, 2)


def test_a_standard_answer_is_in_the_language_of_who_asked(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.user.pk).update(language="es")  # type: ignore[union-attr]
    inquiry = Inquiry.objects.get(pk=make_inquiry(cast.alice).pk)
    staff = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    staff.post(f"/admin/support/inquiry/{inquiry.pk}/answer/", {"key": KEY, "standard": "paid"})
    assert "pago" in inquiry.messages.last().text  # type: ignore[union-attr]


def test_the_worklist_finds_what_is_overdue_mine_and_disputed(cast: Cast) -> None:
    disputed = make_inquiry(cast.alice, bill=make_bill(cast.alice), topic="wrong")
    late = make_inquiry(cast.charlie)
    Inquiry.objects.filter(pk=late.pk).update(due_at=timezone.now() - dt.timedelta(hours=1))
    clerk = make_staff(Role.MEMBER_SERVICES)
    staff = sign_in(Client(), clerk)
    staff.post(f"/admin/support/inquiry/{late.pk}/give/", {"key": KEY, "reason": REASON, "to": clerk.email})
    for state, number in (("overdue", late.number), ("mine", late.number), ("disputed", disputed.number)):
        page = staff.get(f"/admin/support/inquiry/?state={state}").content.decode()
        assert [each for each in (disputed.number, late.number) if each in page] == [number]
    assert "overdue</strong>" in staff.get("/admin/support/inquiry/?state=overdue").content.decode()


def test_a_corrected_bill_settles_its_dispute_and_what_was_paid_too_much_is_credit(cast: Cast, tmp_path: Path) -> None:
    """Corrected claim, repriced bill, credit, end of the hold, told to the member: by the task alone."""
    take(tmp_path, patient(), eob())
    bill = Bill.objects.get()
    Member.objects.filter(pk=bill.member_id).update(user=cast.charlie.user)
    member = Member.objects.get(pk=bill.member_id)
    issuing.correct(bill, by_cents=4_500, key="by-hand", on=bill.issued_on, reason="raised by mistake")
    make_payment({bill: 7_500}, payer=member.user)
    inquiry = make_inquiry(member, bill=bill, topic="wrong", flag="more_than_claim")
    threads.hold(inquiry, by=cast.dana, reason=REASON)
    other = make_inquiry(member, bill=bill, topic="already_paid")
    assert settling.settle_corrected() == 0
    take(tmp_path, owes(eob(), 29))
    assert (settling.settle_corrected(), settling.settle_corrected()) == (1, 0)
    inquiry.refresh_from_db()
    bill = Bill.objects.get()
    assert (inquiry.status, bill.held_since, bill.balance_cents) == ("closed", None, 0)
    assert bill.household.credit is not None and bill.household.credit.balance_cents == -4_600
    assert "$75.00" in inquiry.messages.last().text and "$29.00" in inquiry.messages.last().text  # type: ignore[union-attr]
    assert Event.objects.filter(kind="inquiry.answered", data__inquiry_id=inquiry.pk).exists()
    other.refresh_from_db()
    assert other.status == "open"


def test_a_bill_that_is_still_wrong_stays_disputed(cast: Cast) -> None:
    first, second = make_bill(cast.alice), make_bill(cast.alice)
    inquiry = make_inquiry(cast.alice, bill=second, topic="wrong", holds_bill=True)
    issuing.correct(second, by_cents=-100, key="less", on=second.issued_on, reason="test")
    assert settling.settle_corrected() == 0  # still billed twice
    issuing.void(first, on=second.issued_on, reason="test", actor="test")
    assert settling.settle_corrected() == 1
    assert not threads.is_holding(inquiry)


@pytest.mark.parametrize("how", ["adjust", "correct"])
def test_what_staff_take_off_a_bill_clears_its_flag_and_settles_its_dispute(cast: Cast, how: str) -> None:
    bill = make_bill(cast.alice)
    make_claim(bill, cast.alice, owes_cents=14_000)
    inquiry = make_inquiry(cast.alice, bill=bill, topic="wrong", flag="more_than_claim", holds_bill=True)
    if how == "correct":  # also where it is paid
        make_payment({bill: 18_500}, payer=cast.alice.user)
    staff = sign_in(Client(), make_staff(Role.BILLING))
    for cents, settled in ((500, 0), (4_000, 1)):
        now = issuing.asked_cents(bill) - cents
        amount = f"{(cents if how == 'adjust' else now) / 100:.2f}"
        form = {"amount": amount, "reason": REASON, "key": f"{cents:016x}"}
        assert staff.post(f"/admin/bills/bill/{bill.pk}/{how}/", form).status_code == 302
        assert settling.settle_corrected() == settled
    assert not threads.is_holding(inquiry)
    credit = bill.household.credit
    assert credit is not None and -credit.balance_cents == (4_500 if how == "correct" else 0)
    assert checking.check(check_facts.gather(bill)).matches


def test_a_hold_ends_without_a_sudden_past_due(cast: Cast) -> None:
    """There are 21 days from the end of the last hold on, and the list of what is owed says the same."""
    bill = make_bill(cast.alice, due_on=timezone.localdate() - dt.timedelta(days=3))
    inquiry = make_inquiry(cast.alice, bill=bill, topic="wrong", holds_bill=True)
    other = holds.begin(bill, cause=Hold.Cause.REVIEW)
    threads.release(inquiry, by=cast.dana)
    bill.refresh_from_db()
    assert bill.due_on < timezone.localdate()
    holds.end([other])
    bill = Bill.objects.get(pk=bill.pk)
    assert bill.due_on == bill.receivable.matures_on == timezone.localdate() + dt.timedelta(days=21)


def test_the_clock_counts_business_days(settings: object) -> None:
    """Asked on the Wednesday before Thanksgiving, 2026: two business days are Friday and Monday."""
    asked = timezone.make_aware(dt.datetime(2026, 11, 25, 9))
    assert timezone.localtime(clock.due_at(asked)) == timezone.make_aware(dt.datetime(2026, 11, 30, 18))


def test_one_person_has_a_bounded_number_of_open_questions(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST_UNSETTLED", 2)
    for _time in range(2):
        make_inquiry(cast.alice)
    with pytest.raises(asking.TooManyQuestions):
        make_inquiry(cast.alice)
    answer = client_of(cast.alice.user).post("/support/ask/", wish(person=cast.alice.pk), follow=True)
    assert "many questions open" in answer.content.decode()


def test_the_database_keeps_a_closed_question_with_its_reason(cast: Cast) -> None:
    inquiry = make_inquiry(cast.alice)
    for fields in ({"status": "closed"}, {"closed_at": timezone.now()}, {"due_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Inquiry.objects.filter(pk=inquiry.pk).update(**fields)


def test_no_notice_reaches_who_may_not_read_the_question_any_more(cast: Cast) -> None:
    inquiry = make_inquiry(cast.bob, by=cast.alice.user)
    threads.answer(inquiry, by=cast.dana, text="Here it is.")
    notices.make()
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    sending.send_waiting()
    assert not [each for each in mail.outbox if "answer" in each.subject]
    notice = Notification.objects.get(kind="inquiry_answered")
    assert notice.is_void and not Notification.objects.visible_to(scope_of(cast.alice.user)).exists()  # type: ignore[arg-type]
