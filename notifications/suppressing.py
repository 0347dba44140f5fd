"""Addresses that are not written to any more: a mailbox that is gone, or whose owner complained (FAULTS L08, L16).

A bounce stops every notice to the address; required ones go to the list of letters. A complaint stops what is not
required. What the mail provider reports comes signed: HMAC-SHA256 over `<unix time>.<body>` with MAIL_WEBHOOK_SECRET.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Collection
from typing import Any

from activity.recording import record
from notifications.models import Suppression

MAX_BODY_BYTES = 256 * 1024
MAX_EVENTS = 1_000
TOLERANCE_SECONDS = 300
CAUSES = {"bounced": Suppression.Cause.BOUNCED, "complained": Suppression.Cause.COMPLAINED}


class ReportRefused(Exception):
    """Not signed by the provider for us, too old, or not to be read."""


def receive(body: bytes, signature: str, secret: str) -> int:
    """Take in a provider's report: `{"events": [{"type": "bounced", "address": "…", "id": "…"}]}`; how many are new.

    Other types are passed over; a repeat changes nothing. Raises ReportRefused.
    """
    said = read(body, signature, secret)
    try:
        told = [(CAUSES.get(one["type"]), str(one["address"]), str(one.get("id", ""))) for one in said["events"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportRefused("not a report") from error
    if len(told) > MAX_EVENTS:
        raise ReportRefused("too many events")
    return sum(add(address, cause, event_id=event_id) for cause, address, event_id in told if cause is not None)


def read(body: bytes, signature: str, secret: str) -> dict[str, Any]:
    """What a provider says, once its signature `t=<unix time>,v1=<hex>` is checked. Raises ReportRefused."""
    _check(body, signature, secret)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ReportRefused("not JSON") from error
    if not isinstance(said, dict) or "\\u0000" in body.decode(errors="replace"):
        raise ReportRefused("not a report")
    return said


def add(address: str, cause: str, *, event_id: str = "", actor: str = "provider") -> bool:
    """Write to an address no more; False where that is so already. A bounce outweighs a complaint."""
    address = address.strip().lower()
    if "@" not in address or "\0" in address or len(address) > 254:
        return False
    found, is_new = Suppression.objects.get_or_create(
        address=address, defaults={"cause": cause, "event_id": event_id[:100]}
    )
    if not is_new and cause == Suppression.Cause.BOUNCED and found.cause != cause:
        is_new = bool(Suppression.objects.filter(pk=found.pk).update(cause=cause, event_id=event_id[:100]))
    if is_new:
        record("mail.suppressed", subject=f"suppression:{found.pk}", actor=actor, reason=cause)
    return is_new


def lift(address: str, *, actor: str) -> bool:
    """Write to an address again; whether it had been stopped."""
    gone, _by_model = Suppression.objects.filter(address=address.strip().lower()).delete()
    if gone:
        record("mail.suppression_lifted", subject="suppression", actor=actor)
    return bool(gone)


def causes(addresses: Collection[str]) -> dict[str, str]:
    """Why each of these addresses is not written to, by the address in lower case: one query."""
    lower = {address.lower() for address in addresses}
    return dict(Suppression.objects.filter(address__in=lower).values_list("address", "cause"))


def sign(body: bytes, secret: str, at: int) -> str:
    """The signature of a report."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _check(body: bytes, signature: str, secret: str) -> None:
    name, _equals, at = signature.partition(",")[0].partition("=")
    if not secret or name != "t" or not (at.isascii() and at.isdecimal() and len(at) <= 12):
        raise ReportRefused("not signed")
    if not hmac.compare_digest(sign(body, secret, int(at)).encode(), signature.encode()):
        raise ReportRefused("not signed for us")
    if abs(time.time() - int(at)) > TOLERANCE_SECONDS:
        raise ReportRefused("too old")
