"""How often something may be tried (FAULTS H01, H03, H04): counted in Valkey by one atomic script a limit.

Where Valkey does not answer, each process counts for itself, by the same limits, and asks Valkey again after
SILENT_SECONDS: signing in goes on, and an attacker gains at most the number of processes. See
docs/decisions/rate-limits.md.
"""

import hashlib
import ipaddress
import logging
import threading
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, TypeVar, cast

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
V = TypeVar("V", bound=Callable[..., HttpResponseBase])

SILENT_SECONDS = 10.0  # after a Valkey that did not answer, no request waits for it again for so long
TIMEOUT_SECONDS = 1.0
_silent_until = 0.0
_memory = MovingWindowRateLimiter(MemoryStorage())
_memory_lock = threading.Lock()

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` in any `seconds` on end."""

    name: str
    amount: int
    seconds: int


# Signing in: tries with a wrong password count by account; a right one forgives those of the five minutes.
SIGN_IN_PER_ACCOUNT = Limit("sign-in:account", 10, 5 * MINUTE)
SIGN_IN_PER_ACCOUNT_A_DAY = Limit("sign-in:account-day", 100, DAY)
SIGN_IN_PER_ADDRESS = Limit("sign-in:address", 60, MINUTE)
SIGN_IN_OVERALL = Limit("sign-in:all", 3000, 5 * MINUTE)
CODE_PER_ACCOUNT = Limit("code:account", 10, 5 * MINUTE)
PASSKEY_PER_ADDRESS = Limit("passkey:address", 20, MINUTE)
RESET_PER_ACCOUNT = Limit("reset:account", 3, HOUR)
RESET_PER_ADDRESS = Limit("reset:address", 20, 10 * MINUTE)
RESET_OVERALL = Limit("reset:all", 500, 10 * MINUTE)
SIGN_UP_PER_ADDRESS = Limit("sign-up:address", 20, 10 * MINUTE)
SIGN_UP_OVERALL = Limit("sign-up:all", 500, 10 * MINUTE)
CONFIRM_MAIL_PER_ACCOUNT = Limit("confirm:account", 5, HOUR)
CONFIRM_PER_ADDRESS = Limit("confirm:address", 30, 10 * MINUTE)
CHANGE_PER_USER = Limit("change:user", 10, 5 * MINUTE)
REAUTHENTICATION_PER_USER = Limit("reauthentication:user", 10, MINUTE)
# Proving to be a member: a member number, a birth date and a ZIP must not be found by trying.
ENROLMENT_PER_USER = Limit("enrolment:user", 5, HOUR)
ENROLMENT_PER_ADDRESS = Limit("enrolment:address", 20, HOUR)
ENROLMENT_PER_MEMBER_NUMBER = Limit("enrolment:number", 5, DAY)
ENROLMENT_OVERALL = Limit("enrolment:all", 1000, HOUR)
# A PDF or an export costs as much as a hundred pages.
INVITATIONS_PER_USER = Limit("invitation:user", 20, DAY)
DOCUMENTS_PER_USER = Limit("document:user", 60, 10 * MINUTE)


class NotCounted(Exception):
    """Valkey does not answer, and what was asked for may not go on without its count."""


def take(*claims: tuple[Limit, str], needs_valkey: bool = False) -> bool:
    """Count one try against each limit under its key, in order; False at the first that is used up.

    What is refused by a narrow limit does not use up the wide one behind it: put the widest last. Raises NotCounted
    where `needs_valkey` and Valkey is silent: what no process may decide by its own count alone.
    """
    return all(_hit(limit, key, needs_valkey=needs_valkey) for limit, key in claims)


def forgive(limit: Limit, key: str) -> None:
    """Forget what was counted under a key."""
    _with_counter(lambda counter: counter.clear(_item(limit), _hashed(key)))


def forget_everything() -> None:
    """Forget every count of this database's portal: for tests and for an operator after an attack."""
    storage = _valkey(_prefix()).storage
    assert isinstance(storage, RedisStorage)
    valkey = cast(Redis, storage.get_connection())
    if keys := list(valkey.scan_iter(f"{_prefix()}*")):
        valkey.delete(*keys)
    _memory.storage.reset()


def account_key(email: str) -> str:
    """One key for every spelling of a mailbox: case, Unicode look-alikes, dots and plus-tags (FAULTS H03)."""
    folded = unicodedata.normalize("NFKD", email.strip()).casefold().translate(LOOK_ALIKES)
    plain = "".join(sign for sign in folded if not unicodedata.combining(sign))
    local, _at, domain = plain.rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def address_key(request: HttpRequest) -> str:
    """The client's network address; of IPv6 the /64, which one subscriber holds."""
    address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network(f"{address}/64", strict=False))
    return str(address)


def refuse(request: HttpRequest) -> HttpResponse:
    """The page that says to try later: the same for everybody and for every limit."""
    response = render(request, "account/too_many_tries.html", status=429)
    response["Retry-After"] = str(5 * MINUTE)
    return response


def limited(limit: Limit) -> Callable[[V], V]:
    """Hold a view of somebody signed in to a limit: `@limited(DOCUMENTS_PER_USER)`."""

    def hold(view: V) -> V:
        @wraps(view)
        def held(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, *args, **kwargs) if take((limit, str(request.user.pk))) else refuse(request)

        return cast(V, held)

    return hold


# Cyrillic and Greek letters that look Latin (Unicode TR 39, confusables), after case folding.
LOOK_ALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u043a\u043c\u0442\u0432\u043d"
    "\u03b1\u03b5\u03bf\u03c1\u03b9\u03ba\u03bd\u03c4\u03c5\u03c7\u0131\u0261\u0251",
    "aeopcyxijsdqwhkmtbhaeopikvtuxiga",
)


def _hit(limit: Limit, key: str, *, needs_valkey: bool = False) -> bool:
    allowed = bool(_with_counter(lambda counter: counter.hit(_item(limit), _hashed(key)), needs_valkey=needs_valkey))
    if not allowed:
        level = logging.ERROR if limit.name.endswith(":all") else logging.WARNING  # an attack on everybody: an alarm
        logger.log(level, "the limit %s is used up", limit.name)
    return allowed


def _with_counter(use: Callable[[MovingWindowRateLimiter], bool | None], *, needs_valkey: bool = False) -> bool | None:
    global _silent_until
    if time.monotonic() >= _silent_until:
        try:
            return use(_valkey(_prefix()))
        except RedisError as error:
            _silent_until = time.monotonic() + SILENT_SECONDS
            logger.error("Valkey did not answer (%s); this process counts tries for itself", type(error).__name__)
    if needs_valkey:
        raise NotCounted
    with _memory_lock:
        return use(_memory)


@cache
def _valkey(prefix: str) -> MovingWindowRateLimiter:
    storage = RedisStorage(
        settings.REDIS_URL,
        key_prefix=prefix,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    return MovingWindowRateLimiter(storage)


def _prefix() -> str:
    """Portals that share a Valkey (a demo, test runs) count apart: by their database."""
    return f"limits:{connection.settings_dict['NAME']}:"


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.amount, limit.seconds, namespace=limit.name)


def _hashed(key: str) -> str:
    """Valkey holds no address and no member number."""
    return hashlib.sha256(f"{settings.SECRET_KEY}:{key}".encode()).hexdigest()[:32]


def _by_address(*limits: Limit) -> Callable[[HttpRequest], bool]:
    """Limits whose last is overall and whose others are by network address."""
    return lambda request: take(*((limit, address_key(request)) for limit in limits[:-1]), (limits[-1], "all"))


def _by_user(limit: Limit) -> Callable[[HttpRequest], bool]:
    return lambda request: take((limit, str(request.user.pk or address_key(request))))


LIMITED_POSTS: dict[str, Callable[[HttpRequest], bool]] = {
    "account_login": _by_address(SIGN_IN_PER_ADDRESS, SIGN_IN_OVERALL),
    "account_signup": _by_address(SIGN_UP_PER_ADDRESS, SIGN_UP_OVERALL),
    "account_reset_password": _by_address(RESET_PER_ADDRESS, RESET_OVERALL),
    "account_reset_password_from_key": _by_address(RESET_PER_ADDRESS, RESET_OVERALL),
    "account_email_verification_sent": _by_address(CONFIRM_PER_ADDRESS, SIGN_UP_OVERALL),
    "mfa_authenticate": _by_address(SIGN_IN_PER_ADDRESS, SIGN_IN_OVERALL),
    "mfa_login_webauthn": _by_address(PASSKEY_PER_ADDRESS, SIGN_IN_OVERALL),
    "account_change_password": _by_user(CHANGE_PER_USER),
    "account_email": _by_user(CHANGE_PER_USER),
    "account_reauthenticate": _by_user(REAUTHENTICATION_PER_USER),
    "mfa_reauthenticate": _by_user(REAUTHENTICATION_PER_USER),
}


class RateLimitsMiddleware:
    """Counts the posts of sign-in's pages, by network address and overall, before their views see them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponseBase | None:
        """Answer 429 where a limit is used up."""
        match = request.resolver_match
        allowed = LIMITED_POSTS.get(match.url_name or "") if match and request.method == "POST" else None
        return None if allowed is None or allowed(request) else refuse(request)
