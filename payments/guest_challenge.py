"""The step that costs a robot more than a person: ALTCHA's proof of work, made in the browser by itself.

Nothing is asked of the person, so nothing has to be read, heard or solved. Without script there is another way: to wait
a minute. Each proof is good once (FAULTS G08, G13).
"""

import base64
import binascii
import datetime as dt
import json
import secrets
import time

import altcha
from django.core import signing
from django.utils import timezone
from django.utils.crypto import salted_hmac

from payments import guest_limits
from payments.guest_limits import Who

ALGORITHM = "PBKDF2/SHA-256"
COST = 2_000  # rounds of one derivation
FEWEST, MOST = 400, 1_200  # derivations until the right one: about a second of a telephone
LIFE = dt.timedelta(minutes=15)
MAX_PAYLOAD = 4_000
WAIT_SECONDS = 60
SALT = "payments.guest_challenge"


def issue() -> str:
    """A new challenge, as the widget's attribute takes it."""
    made = altcha.create_challenge(
        ALGORITHM,
        COST,
        counter=FEWEST + secrets.randbelow(MOST - FEWEST),
        expires_at=timezone.now() + LIFE,
        hmac_secret=_key("challenge"),
        hmac_key_secret=_key("solution"),
    )
    return json.dumps(made.to_dict())


def waiting_ticket() -> str:
    """What a form without script carries: it is good once a minute has passed."""
    return signing.Signer(salt=SALT).sign(f"{int(time.time())}-{secrets.token_urlsafe(12)}")


def is_met(who: Who, *, solution: str, ticket: str) -> bool:
    """Whether this try brings a proof of its own. A proof is used up by the look. Raises guest_limits.Closed."""
    if solution and len(solution) <= MAX_PAYLOAD:
        return _is_solved(solution)
    return bool(ticket) and len(ticket) <= MAX_PAYLOAD and _has_waited(who, ticket)


def _is_solved(solution: str) -> bool:
    found = altcha.verify_solution(solution, _key("challenge"), hmac_key_secret=_key("solution"))
    if not found.verified:
        return False
    try:
        signature = json.loads(base64.b64decode(solution))["challenge"]["signature"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        return False
    return guest_limits.once("challenge", str(signature))


def _has_waited(who: Who, ticket: str) -> bool:
    try:
        issued_at = int(signing.Signer(salt=SALT).unsign(ticket).partition("-")[0])
    except signing.BadSignature:
        return False
    age = time.time() - issued_at
    return WAIT_SECONDS <= age <= LIFE.total_seconds() and guest_limits.may_wait(who, ticket)


def _key(use: str) -> str:
    return salted_hmac(SALT, use, algorithm="sha256").hexdigest()
