"""Mail over a real SMTP conversation: what it says, whom it reaches, and what happens when the server does not."""

import datetime as dt
import smtplib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.mail import get_connection
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Member, User
from accounts.roles import Role
from notifications import claiming, deciding, line, notices, sending, tasks
from notifications.models import Notification, Queued, SentText
from notifications.rendering import Mail
from payments import moving
from payments.models import Payment, PaymentMethod
from payments.states import PaymentStatus
from tests.conftest import Cast
from tests.factories import make_bill, make_payment
from tests.notifications.telling import due_again, hush, make_notice
from tests.smtp import Mailbox
from tests.staff.conftest import make_staff, sign_in
from tests.stripe_sandbox.conftest import free_port


def test_the_task_makes_and_sends(cast: Cast, mailbox: Mailbox) -> None:
    """The whole way: the move, its event, the notice, the mail."""
    payment = make_payment({make_bill(cast.maya): 5_000}, payer=cast.alice.user, status=PaymentStatus.SUBMITTED)
    hush()
    moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")
    tasks.work_off()
    tasks.work_off()
    assert mailbox.subjects() == ["Meridian Health: Your payment receipt"]
    assert mailbox.recipients == ["alice@example.com"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda cast, notice: User.objects.filter(pk=cast.alice.user_id).update(is_active=False), "not active"),
        (lambda cast, notice: Payment.objects.update(payer=cast.charlie.user, household=cast.strangers), "not visible"),
        (lambda cast, notice: moving.move(Payment.objects.get().pk, PaymentStatus.RETURNED, actor="x"), "returned"),
        (lambda cast, notice: Notification.objects.filter(pk=notice.pk).update(user=cast.charlie.user), "not visible"),
    ],
    ids=["inactive", "payment gone", "no longer true", "another's"],
)
def test_what_is_no_longer_to_be_said_is_dropped_with_its_reason(
    cast: Cast, mailbox: Mailbox, change, reason: str
) -> None:
    """F09, L02, L03: all is looked at again at the moment of sending."""
    notice = make_notice(cast)
    change(cast, notice)
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert notice.status == Notification.Status.DROPPED
    assert reason in notice.reason
    assert not Notification.objects.visible_to(notice.user).exists(), "nor is it news in the portal"
    assert mailbox.taken == []


def test_who_has_no_confirmed_address_reads_it_in_the_portal_and_a_required_one_by_letter(
    cast: Cast, mailbox: Mailbox
) -> None:
    """L02, L17: never to an address that nobody confirmed."""
    cast.alice.user.emailaddress_set.update(verified=False)
    make_notice(cast, "receipt")
    make_notice(cast, "payment_on_its_way")
    assert sending.send_waiting() == 0
    kept = Notification.objects.visible_to(cast.alice.user)
    assert {(notice.kind, notice.status) for notice in kept} == {("receipt", "kept"), ("payment_on_its_way", "kept")}
    letters = Notification.objects.filter(channel="letter")
    assert [(letter.kind, letter.status) for letter in letters] == [("receipt", "waiting")]
    assert sending.send_waiting() == 0, "a letter is not mailed"
    assert mailbox.taken == []


def test_a_card_that_was_removed_meanwhile_is_not_announced_as_kept(cast: Cast, mailbox: Mailbox) -> None:
    """L04: the words fit what is."""
    make_notice(cast, "method_kept")
    PaymentMethod.objects.update(removed_at=timezone.now())
    assert sending.send_waiting() == 0
    assert Notification.objects.get().status == "dropped"


def test_the_address_of_the_moment_is_used(cast: Cast, mailbox: Mailbox) -> None:
    """L03: changed and confirmed between queueing and sending."""
    make_notice(cast)
    User.objects.filter(pk=cast.alice.user_id).update(email="alice.new@example.com")
    cast.alice.user.emailaddress_set.update(email="alice.new@example.com")
    sending.send_waiting()
    assert mailbox.recipients == ["alice.new@example.com"]


def test_a_confidential_members_mail_goes_to_their_own_address(cast: Cast, mailbox: Mailbox) -> None:
    """L02."""
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    payment = make_payment({make_bill(cast.bob): 5_000}, payer=cast.bob.user, status=PaymentStatus.SUBMITTED)
    hush()
    moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")
    tasks.work_off()
    assert mailbox.recipients == ["bob@example.com"]


def test_a_temporary_refusal_is_tried_again_later_and_the_queue_moves(cast: Cast, mailbox: Mailbox) -> None:
    """L11: 4xx; the next mail goes out in the same run."""
    mailbox.answers = ["451 later"]
    first, second = make_notice(cast), make_notice(cast, "refund_sent")
    assert sending.send_waiting() == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("waiting", "sent")
    assert first.next_try_at > timezone.now() + dt.timedelta(seconds=50)
    assert sending.send_waiting() == 0
    due_again(first)
    assert sending.send_waiting() == 1


def test_a_refusal_for_good_is_not_tried_again(cast: Cast, mailbox: Mailbox) -> None:
    """L11: 5xx."""
    mailbox.answers = ["550 no such mailbox"]
    notice = make_notice(cast)
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert notice.status == Notification.Status.FAILED
    assert "550" in notice.reason
    due_again(notice)
    assert sending.send_waiting() == 0
    assert mailbox.taken == []


@pytest.mark.parametrize("offers", [[], ["PIPELINING"]], ids=["one word at a time", "pipelined"])
@pytest.mark.parametrize(("doubt", "status"), [("450 busy", "waiting"), ("550 no such mailbox", "failed")])
def test_a_recipient_that_is_refused_ends_its_own_mail_alone(
    cast: Cast, mailbox: Mailbox, offers: list[str], doubt: str, status: str
) -> None:
    """L11: whether the server was told of the recipient before it answered for the sender, or after."""
    mailbox.offers, mailbox.doubts = offers, [doubt]
    refused, second = make_notice(cast), make_notice(cast, "refund_sent")
    assert sending.send_waiting() == 1
    refused.refresh_from_db()
    second.refresh_from_db()
    assert (refused.status, second.status) == (status, "sent")
    assert doubt[:3] in refused.reason
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize(
    ("offers", "said"),
    [([], ["MAIL", "answer", "RCPT", "answer", "DATA", "answer"]),
     (["PIPELINING"], ["MAIL+RCPT", "answer", "answer", "DATA", "answer"])],
    ids=["one word at a time", "pipelined"],
)  # fmt: skip
def test_the_server_is_told_no_more_than_it_takes_before_it_answers(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, offers: list[str], said: list[str]
) -> None:
    """RFC 5321, 2.1, and RFC 2920: two words at once where the server offers that, and the text in no case."""
    mailbox.offers = offers
    heard = list[str]()
    send, getreply = smtplib.SMTP.send, smtplib.SMTP.getreply

    def put(self: smtplib.SMTP, said: str | bytes) -> None:
        words = said.decode() if isinstance(said, bytes) else said
        heard.append("+".join(line[:4].upper() for line in words.splitlines()))
        send(self, said)

    def get(self: smtplib.SMTP) -> tuple[int, bytes]:
        heard.append("answer")
        return getreply(self)

    monkeypatch.setattr(smtplib.SMTP, "send", put)
    monkeypatch.setattr(smtplib.SMTP, "getreply", get)
    make_notice(cast)
    assert sending.send_waiting() == 1
    begun = heard.index(said[0])
    assert heard[begun : begun + len(said)] == said
    assert mailbox.recipients == ["alice@example.com"]


def test_what_was_sent_stays_sent_where_the_server_is_away_for_the_next(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L04, L11: the next needs a line of its own, and there is none."""
    lines = iter([get_connection(), get_connection(port=free_port())])
    monkeypatch.setattr(line, "MOST_MESSAGES", 1)
    monkeypatch.setattr(line, "get_connection", lambda: next(lines))
    made = [make_notice(cast, kind) for kind in ("receipt", "refund_sent", "method_kept")]
    sending.send_waiting()
    for notice in made:
        notice.refresh_from_db()
    assert [(notice.status, notice.tries) for notice in made] == [("sent", 1), ("waiting", 1), ("waiting", 0)]
    assert len(mailbox.taken) == 1


def test_pauses_grow_and_it_is_given_up_after_the_last_try(cast: Cast, settings: Settings) -> None:
    """L11: the server is away; nothing is lost until the last try."""
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", free_port(), False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    notice = make_notice(cast)
    pauses = []
    for _ in range(sending.MAX_TRIES):
        assert sending.send_waiting() == 0
        notice.refresh_from_db()
        pauses.append((notice.next_try_at - timezone.now()).total_seconds())
        due_again(notice)
    assert pauses[1] > pauses[0] * 1.5
    assert notice.status == Notification.Status.FAILED
    assert "given up" in notice.reason


def test_one_server_that_is_away_ends_the_run_at_once(cast: Cast, settings: Settings) -> None:
    """L11: not every waiting mail waits for the same silence."""
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", free_port(), False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    for kind in ("receipt", "refund_sent", "method_kept"):
        make_notice(cast, kind)
    sending.send_waiting()
    assert sorted(Notification.objects.values_list("tries", flat=True)) == [0, 0, 1]


def test_nothing_is_sent_in_clear_where_tls_is_asked_for(cast: Cast, mailbox: Mailbox, settings: Settings) -> None:
    """L10: the server offers no STARTTLS; the mail waits, on this run and the next."""
    settings.EMAIL_USE_TLS = True
    notice = make_notice(cast)
    for _ in range(2):
        assert sending.send_waiting() == 0
        due_again(notice)
    notice.refresh_from_db()
    assert notice.status == Notification.Status.WAITING
    assert mailbox.taken == []


def test_production_never_speaks_in_clear_whatever_else_is_set(
    cast: Cast, mailbox: Mailbox, settings: Settings
) -> None:
    """L10: the last wall, where the setting was forgotten."""
    settings.IS_SECURE = True
    make_notice(cast)
    assert sending.send_waiting() == 0
    assert mailbox.taken == []


def test_a_line_break_in_a_header_is_refused(cast: Cast, mailbox: Mailbox) -> None:
    """L12: no second header, no second recipient."""
    hostile = "alice@example.com\nBcc: x@example.com"
    User.objects.filter(pk=cast.alice.user_id).update(email=hostile)
    cast.alice.user.emailaddress_set.update(email=hostile)
    notice = make_notice(cast)
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert (notice.status, notice.reason) == ("failed", "a header could not be written")
    assert mailbox.taken == []


def test_parallel_senders_send_each_mail_once(real_cast: Cast, mailbox: Mailbox) -> None:
    """L05: six senders, twelve notices, twelve mails."""
    bill = make_bill(real_cast.maya, amount_cents=900_000)
    hush()
    for _ in range(12):
        payment = make_payment({bill: 100}, payer=real_cast.alice.user, status=PaymentStatus.SUBMITTED)
        moving.move(payment.pk, PaymentStatus.SUCCEEDED, actor="stripe")
    notices.make()

    def run(_number: int) -> int:
        try:
            return sending.send_waiting()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(run, range(6))) == 12
    assert len({message["Message-ID"] for message in mailbox.taken}) == len(mailbox.taken) == 12


class Killed(BaseException):
    """What ends a worker between the server's yes and our mark."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A worker that dies after each mail was taken, while the event is set."""
    dies = threading.Event()
    step = claiming.step

    def step_or_die(cursor: CursorWrapper, sent: claiming.Mark | None, begun: claiming.Claimed | None) -> bool:
        if dies.is_set() and sent is not None:
            raise Killed
        return step(cursor, sent, begun)

    monkeypatch.setattr(claiming, "step", step_or_die)
    dies.set()
    yield dies


def test_a_sender_that_dies_after_the_servers_yes_causes_one_repeat_at_most(
    real_cast: Cast, mailbox: Mailbox, dying: threading.Event
) -> None:
    """L04, P11: the repeat carries the same Message-ID; a second death ends it."""
    notice = make_notice(real_cast)
    for _ in range(2):
        with pytest.raises(Killed):
            sending.send_waiting()
        assert sending.send_waiting() == 0, "the lease holds"
        due_again(notice)
    assert sending.send_waiting() == 0
    notice.refresh_from_db()
    assert (notice.status, notice.reason) == ("failed", "its sender died twice")
    assert len(mailbox.taken) == 2
    assert len({message["Message-ID"] for message in mailbox.taken}) == 1


def test_after_one_death_the_repeat_is_marked_as_sent(
    real_cast: Cast, mailbox: Mailbox, dying: threading.Event
) -> None:
    """P11: the usual end."""
    notice = make_notice(real_cast)
    with pytest.raises(Killed):
        sending.send_waiting()
    page = f"/admin/notifications/notification/{notice.pk}/change/"
    staff = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    assert "Not known to have been sent: Meridian Health: Your payment receipt" in staff.get(page).content.decode()
    dying.clear()
    due_again(notice)
    assert sending.send_waiting() == 1
    notice.refresh_from_db()
    assert (notice.status, notice.reason, notice.address) == ("sent", claiming.REPEATED, "alice@example.com")
    assert "Not known" not in staff.get(page).content.decode()


def test_a_late_sender_does_not_mark_what_another_has_taken_over(cast: Cast, mailbox: Mailbox) -> None:
    """A lease that ran out: the mark is compared and set."""
    notice = make_notice(cast)
    (claimed,) = claiming.claimed(claiming.claim())
    Queued.objects.filter(notification=notice).update(tries=2)
    assert claiming.write([claiming.Mark(notice=claimed, status="failed", reason="late")]) == set()
    claiming.keep_words([(claimed, Mail("late@example.com", "en", "Late", "Late", ""))])
    assert not SentText.objects.exists()
    with connection.cursor() as cursor:
        assert not claiming.step(cursor, claiming.Mark(notice=claimed, status="sent"), claimed)
    assert claiming.claimed([claiming.Lease(notice.pk, 1)]) == []
    notice.refresh_from_db()
    assert notice.status == "waiting"


def test_a_mail_that_another_took_over_is_spoken_of_and_not_sent(
    cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L04: its lease ran out while the server was told whom it is for; the next goes out on a line of its own."""
    lost, next_one = make_notice(cast, "receipt"), make_notice(cast, "new_bill")
    decide = deciding.decide

    def decide_late(notices: Sequence[Notification]) -> deciding.Decisions:
        found = decide(notices)
        Queued.objects.filter(notification=lost).update(tries=2)
        return found

    monkeypatch.setattr(deciding, "decide", decide_late)
    assert sending.send_waiting() == 1
    assert mailbox.subjects() == ["Meridian Health: A new bill is ready"]
    assert Notification.objects.get(pk=next_one.pk).status == "sent"
    assert Queued.objects.filter(notification=lost, tries=2).exists()


def test_no_text_is_sent_of_a_mail_that_was_not_begun(
    real_cast: Cast, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L04: the commit comes first; a sender that dies in it has delivered nothing."""
    make_notice(real_cast)

    def die(*_asked: object) -> bool:
        raise Killed

    monkeypatch.setattr(claiming, "step", die)
    with pytest.raises(Killed):
        sending.send_waiting()
    assert mailbox.taken == []
