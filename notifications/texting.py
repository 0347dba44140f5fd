"""Text messages: who takes them, by a number that was confirmed, and until they say STOP.

SMS_BACKEND names a class with `send(number, words)`; unset, nothing is offered and nothing sent. `FileBackend` is the
stand-in for demo and tests: it writes to VAR_DIR, and what it writes is shown nowhere else.
"""

import datetime as dt
import hashlib
import hmac
import json
import secrets
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rate_limits import DAY, HOUR, Limit, take
from activity.recording import record
from notifications import preferences
from notifications.line import Refusal
from notifications.models import Delivery

CODES_PER_USER = Limit("text-code:user", 5, HOUR)
CODES_PER_NUMBER = Limit("text-code:number", 5, DAY)
CODES_OVERALL = Limit("text-code:all", 1_000, HOUR)
TEXTS_PER_NUMBER = Limit("text:number", 10, DAY)
CODE_LIFE = dt.timedelta(minutes=10)
MAX_CODE_TRIES = 5
STOP_WORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "alto", "parar"}
START_WORDS = {"start", "unstop", "yes"}


class Backend(Protocol):
    """What a provider of text messages does."""

    def send(self, number: str, words: str) -> None:
        """Send words to a number (E.164). Raises OSError where the provider did not take them."""


class FileBackend:
    """Writes each text as a line of JSON into VAR_DIR/texts.jsonl, readable by the portal's user alone."""

    def send(self, number: str, words: str) -> None:
        """Write it down."""
        path = settings.VAR_DIR / "texts.jsonl"
        path.touch(mode=0o600)
        with path.open("a") as file:
            file.write(json.dumps({"number": number, "words": words}) + "\n")


class TooMany(Exception):
    """More texts, or more codes, than one number or person is sent."""


class CodeRefused(Exception):
    """Not the code that was sent, or too late, or tried too often."""


def is_offered() -> bool:
    """Whether texts can be sent at all."""
    return bool(settings.SMS_BACKEND)


def send(number: str, words: str, *, notice_id: int) -> None:
    """Send a notice's text. Raises TooMany, and Refusal where the provider did not take it for now."""
    if not take((TEXTS_PER_NUMBER, number)):
        raise TooMany
    try:
        _backend().send(number, words)
    except OSError as error:
        raise Refusal(0, is_final=False) from error


def ask_for(user: User, number: str) -> None:
    """Send a code to a number that the person says is theirs; texts go to no number before it is confirmed.

    Raises TooMany. What was confirmed before holds until the new number is.
    """
    if not take((CODES_PER_USER, str(user.pk)), (CODES_PER_NUMBER, number), (CODES_OVERALL, "all")):
        raise TooMany
    code = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        Delivery.objects.get_or_create(user=user)
        Delivery.objects.filter(user=user).update(
            code_digest=_digest(user.pk, number, code), code_sent_at=timezone.now(), code_tries=0
        )
    words = _("%(portal)s: your code is %(code)s. Nobody of ours asks you for it. Reply STOP to end.")
    try:
        _backend().send(number, words % {"portal": settings.PORTAL_NAME, "code": code})
    except OSError as error:
        raise TooMany from error


def confirm(user: User, number: str, code: str) -> None:
    """Take texts at this number from now on. Raises CodeRefused."""
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().filter(user=user).first()
        is_right = delivery is not None and _is_right(delivery, user.pk, number, code)
        if delivery is not None:
            delivery.code_tries += 1
            if is_right:
                delivery.text_number, delivery.text_confirmed_at = number, timezone.now()
                delivery.text_stopped_at, delivery.code_digest = None, ""
                preferences.changed(user.pk, "text_number")
            delivery.save()
    if not is_right:
        raise CodeRefused


def forget(user: User) -> None:
    """Send no more texts to this person: the number is deleted."""
    with transaction.atomic():
        if (
            Delivery.objects.filter(user=user)
            .exclude(text_number="")
            .update(text_number="", text_confirmed_at=None, text_stopped_at=None, code_digest="")
        ):
            preferences.changed(user.pk, "text_number")


def answered(number: str, words: str) -> bool:
    """What a number wrote back: STOP ends its texts at once, START takes them up again; whether either was meant."""
    word = words.strip().strip(".!").casefold()
    confirmed = Delivery.objects.filter(text_number=number, text_confirmed_at__isnull=False)
    with transaction.atomic():
        if word in STOP_WORDS:
            stopped = confirmed.filter(text_stopped_at__isnull=True)
            for user_id in list(stopped.values_list("user_id", flat=True)):
                record("texts.stopped", subject=f"user:{user_id}", actor="provider")
            stopped.update(text_stopped_at=timezone.now())
            return True
        if word in START_WORDS:
            confirmed.update(text_stopped_at=None)
            return True
    return False


def _is_right(delivery: Delivery, user_id: int, number: str, code: str) -> bool:
    is_live = delivery.code_sent_at is not None and timezone.now() - delivery.code_sent_at <= CODE_LIFE
    is_same = hmac.compare_digest(delivery.code_digest, _digest(user_id, number, code))
    return is_live and is_same and bool(delivery.code_digest) and delivery.code_tries < MAX_CODE_TRIES


def _digest(user_id: int, number: str, code: str) -> str:
    return hashlib.sha256(f"{settings.SECRET_KEY}:text:{user_id}:{number}:{code}".encode()).hexdigest()


def _backend() -> Backend:
    backend: Backend = import_string(settings.SMS_BACKEND)()
    return backend
