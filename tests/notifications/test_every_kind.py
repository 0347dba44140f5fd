"""Every kind of notice there is: in the mailbox and in the portal's list, in English and in Spanish."""

import re
from email.message import EmailMessage

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.html import escape

from accounts.models import User
from billing_portal.environment import BASE_DIR
from notifications import news, reading, sending
from notifications.kinds import KINDS, Kind
from notifications.models import Notification, Preference
from notifications.news import News
from tests.conftest import Cast
from tests.notifications.telling import make_notice, wait_again
from tests.smtp import Mailbox, bodies, whole

CANARIES = (
    "$", "50.00", "185.00", "Outpatient", "Oakridge", "Maya", "Rivera", "M-MAYA", "M-ALICE", "4410-2297", "ending in",
    "terminada en", "Visa", "<img", "<link", "<script", "style=",
)  # fmt: skip
SAME_IN_BOTH = re.compile(
    r"[^A-Za-z]*$|Meridian Health$|https?://\S+$|\$[\d.,]+$"
)  # a line without words of a language
NOTICES = re.compile(r'<ul class="notices">.*?</ul>', re.DOTALL)

# What members are promised to hear of, and as which kinds.
PROMISED: dict[str, tuple[str, ...]] = {
    "new bill": ("new_bill",),
    "due in 7, 3, 1 days": ("due_in_7_days", "due_in_3_days", "due_tomorrow"),
    "due today": ("due_today",),
    "past due": ("past_due_1_day", "past_due_7_days", "past_due_30_days"),
    "receipt, and posted": ("receipt", "guest_paid"),
    "on its way": ("payment_on_its_way",),
    "failed": ("payment_failed",),
    "returned": ("payment_returned", "payment_disputed", "guest_payment_returned"),
    "refund": ("refund_pending", "refund_sent", "refund_failed"),
    "autopay ahead": ("autopay_announced", "autopay_changed", "autopay_asked"),
    "autopay failed": ("autopay_failed", "autopay_action", "autopay_suspended"),
    "autopay paused and on again": ("autopay_paused", "autopay_resumed"),
    "method expiring": ("method_expiring",),
    "an instalment": ("plan_due_soon", "plan_due_today", "plan_missed"),
    "plan events": (
        "plan_agreement",
        "plan_updated",
        "plan_paused",
        "plan_resumed",
        "plan_cured",
        "plan_completed",
        "plan_grace",
        "plan_defaulted",
    ),
    "grace": ("grace_began", "grace_ends_soon", "grace_cured", "coverage_ended"),
    "statement ready": ("statement_ready",),
    "assistance": ("help_received", "help_missing", "help_approved", "help_denied", "help_ends_soon"),
    "reply from Member Services": ("inquiry_answered",),
    "security": ("paperless_changed", "delivery_changed", "second_claim", "method_kept", "method_removed"),
    "weekly family digest": ("weekly_digest",),
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_is_mailed_and_listed_in_both_languages_and_says_nothing_of_its_news(
    cast: Cast, mailbox: Mailbox, kind: str
) -> None:
    """L01, L14, L17: no amount, service, provider, name, member number or card; no host but ours; text and HTML.

    A kind of which `telling` does not know what it is about fails here: what is new is looked at as well.
    """
    notice = make_notice(cast, kind)
    Preference.objects.create(user=cast.alice.user, kind=kind, channel="mail", is_wanted=True)
    lines, labels = {}, {}
    for language in ("en", "es"):
        User.objects.filter(pk=cast.alice.user_id).update(language=language)
        if language == "es":
            wait_again(notice)
        assert sending.send_waiting() == 1
        notice.refresh_from_db()
        assert (notice.status, notice.address, notice.language) == ("sent", "alice@example.com", language)
        assert notice.sent_at is not None
        lines[language] = _mailed(notice, mailbox.taken[-1], language)
        labels[language] = _listed(cast, notice, language)
    assert lines["en"] & lines["es"] <= _copied(notice), "a line that has no Spanish"
    assert labels["en"] != labels["es"]


def _mailed(notice: Notification, message: EmailMessage, language: str) -> set[str]:
    """What a mail says, line by line; it is held against what any mail may say and has to."""
    kind = KINDS[notice.kind]
    text, html = bodies(message)
    must_state = ("$", "185.00") if kind.must_state_amount else ()
    for canary in CANARIES:
        assert canary not in whole(message) or canary in must_state, canary
    for stated in must_state:
        assert stated not in message["Subject"]
        assert stated in text
        assert stated in html
    hosts = set(re.findall(r"https?://([^/\s\"<>]+)", text + html))
    assert hosts == {settings.PORTAL_URL.partition("://")[2]}
    where = reading.destination(notice)
    assert f"{settings.PORTAL_URL}{where}" in text
    assert f'href="{settings.PORTAL_URL}{where}"' in html
    assert f'lang="{language}"' in html
    assert message["Content-Language"] == language
    assert message["Auto-Submitted"] == "auto-generated"
    _stoppable(kind, message)
    return {line.strip() for line in (str(message["Subject"]), *text.splitlines()) if not SAME_IN_BOTH.match(line)}


def _stoppable(kind: Kind, message: EmailMessage) -> None:
    """RFC 8058: what may be switched off is with one click; a required notice offers no such thing."""
    expected = None if kind.is_required else "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe-Post"] == expected
    assert (message["List-Unsubscribe"] is None) is kind.is_required
    if not kind.is_required:
        assert str(message["List-Unsubscribe"]).startswith(f"<{settings.PORTAL_URL}/notifications/unsubscribe/?token=")


def _listed(cast: Cast, notice: Notification, language: str) -> str:
    """What the list calls it; its link leads to the very thing, and that page is there."""
    client = Client()
    assert cast.alice.user is not None
    client.force_login(cast.alice.user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    with translation.override(language):  # and afterwards back: a request leaves its language behind
        label = str(KINDS[notice.kind].label)
        (found,) = NOTICES.findall(client.get("/notifications/").content.decode())
        assert f'href="/notifications/{notice.pk}/">{escape(label)}</a>' in found
        assert not any(canary in found for canary in CANARIES)
        if language == "es":
            answer = client.get(f"/notifications/{notice.pk}/")
            assert answer["Location"] == reading.destination(notice)
            assert client.get(answer["Location"]).status_code == 200
    return label


def _copied(notice: Notification) -> set[str]:
    """Lines that are the same in both languages by right: what was agreed to, word for word, in its own language."""
    looked = news.look([Notification.objects.select_related("user").get(pk=notice.pk)])[notice.pk]
    return set(looked.text.splitlines()) if isinstance(looked, News) else set()


def test_what_is_promised_is_there_and_each_event_that_makes_a_notice_is_recorded_somewhere() -> None:
    """A kind that no code ever makes would be looked at above, and never be told."""
    assert {name for names in PROMISED.values() for name in names} <= set(KINDS)
    apps = ("accounts", "bills", "payments", "assistance", "support", "notifications")
    files = [path for app in apps for path in (BASE_DIR / app).rglob("*.py") if "kinds" not in path.parts]
    source = "\n".join(path.read_text() for path in files)
    written = set(re.findall(r"[\"']([a-z_]+\.[a-z_]+)[\"']", source))
    begun = set(re.findall(r'f"([a-z_]+\.[a-z_]*)\{', source))  # "payment.{status}"
    for event in {event for kind in KINDS.values() for event in kind.events}:
        assert event in written or any(event.startswith(begin) for begin in begun), f"nothing records {event}"
