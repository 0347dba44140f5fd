"""Staff read what was sent to whom, when and in which words; each look is written down."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Member, User
from accounts.roles import Role
from activity.models import Access, WorkItem
from notifications import sending
from notifications.models import SentText
from tests.conftest import Cast
from tests.notifications.telling import make_notice, wait_again
from tests.smtp import Mailbox
from tests.staff.conftest import make_staff, sign_in


@pytest.mark.parametrize("role", [Role.MEMBER_SERVICES, Role.AUDITOR])
def test_staff_read_the_words_that_were_sent(cast: Cast, mailbox: Mailbox, role: Role) -> None:
    notice = make_notice(cast, "due_today", member_id=cast.maya.pk)
    sending.send_waiting()
    client = sign_in(Client(), make_staff(role))
    shown = client.get(f"/admin/notifications/notification/{notice.pk}/change/").content.decode()
    assert "Meridian Health: A bill is due today" in shown
    assert "It is due today" in shown and "alice@example.com" in shown
    assert "unsubscribe" not in shown, "what staff read gives no power"
    look = Access.objects.get(subject=f"notification:{notice.pk}")
    assert look.member_id == cast.maya.pk


@pytest.mark.parametrize("is_about", [True, False])
def test_what_a_confidential_member_was_told_opens_for_a_reason_and_to_nobody_of_the_household(
    cast: Cast, mailbox: Mailbox, is_about: bool
) -> None:
    """F25: a notice about them, and one that they read."""
    about = {"member_id": cast.bob.pk} if is_about else {"user": cast.bob.user}
    notice = make_notice(cast, "due_today" if is_about else "receipt", **about)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    page = f"/admin/notifications/notification/{notice.pk}/change/"
    client = sign_in(Client(), make_staff(Role.MEMBER_SERVICES))
    assert "Confidential record" in client.get(page).content.decode()
    assert client.post(page, {"reason": "He called about this mail."}).status_code == 302
    assert notice.kind in client.get(page).content.decode()
    assert WorkItem.objects.get(kind="confidential_look").subject == f"member:{cast.bob.number}"
    parent = make_staff(Role.AUDITOR)
    Member.objects.filter(pk=cast.alice.pk).update(user=parent)
    client = sign_in(Client(), parent)
    assert client.get(page).status_code == (302 if is_about else 403)  # not in the list, or closed
    assert (page in client.get("/admin/notifications/notification/").content.decode()) is not is_about


def test_a_repeat_keeps_the_words_of_the_last_sending(cast: Cast, mailbox: Mailbox) -> None:
    notice = make_notice(cast, "receipt")
    for language in ("en", "es"):
        User.objects.filter(pk=cast.alice.user_id).update(language=language)
        if language == "es":
            wait_again(notice)
        assert sending.send_waiting() == 1
    said = SentText.objects.get()
    assert (said.pk, said.subject) == (notice.pk, mailbox.subjects()[1])


def test_letters_are_listed_marked_and_never_of_a_confidential_member(
    cast: Cast, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """L17, L02: the post at home is read by others."""
    cast.alice.user.emailaddress_set.update(verified=False)
    cast.bob.user.emailaddress_set.update(verified=False)
    make_notice(cast, "receipt")
    make_notice(cast, "receipt", user=cast.bob.user)
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    sending.send_waiting()
    call_command("list_letters")
    header, *rows = capsys.readouterr().out.strip().splitlines()
    assert header.startswith("notice,kind,about")
    assert len(rows) == 1 and "Alice Rivera" in rows[0] and "4410-2297" in rows[0]
    call_command("list_letters", printed=[int(rows[0].split(",")[0])])
    call_command("list_letters")
    assert len(capsys.readouterr().out.strip().splitlines()) == 2


def test_an_address_is_stopped_and_taken_up_again_by_hand(cast: Cast, mailbox: Mailbox) -> None:
    """L08, L16."""
    call_command("suppress", "ALICE@example.com", cause="bounced")
    make_notice(cast, "receipt")
    assert sending.send_waiting() == 0
    call_command("suppress", "alice@example.com", lift=True)
    make_notice(cast, "receipt")
    assert sending.send_waiting() == 1
    with pytest.raises(CommandError, match="no email address"):
        call_command("suppress", "alice")
