"""Signing in as a browser does, reading the mails that a worker would send, and an authenticator made of software."""

import hashlib
import json
import os
import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.test import Client
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

from accounts import mailing
from accounts.models import User
from tests.conftest import PASSWORD

LOGIN = "/accounts/login/"


def sign_in(email: str, password: str = PASSWORD, client: Client | None = None, **extra: Any) -> tuple[Client, Any]:
    """Post the sign-in form; the client and the answer."""
    client = client or Client()
    return client, client.post(LOGIN, {"login": email, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    """Whether the session still opens a page."""
    return client.get("/settings/").status_code == 200


def mails_to(address: str) -> list[str]:
    """Send what waits; the texts of what went to an address."""
    mailing.send_waiting()
    return [message.body for message in mail.outbox if message.to == [address]]


def code_in(text: str) -> str:
    """The code of a mail: alone on its line."""
    found = re.search(r"^([A-Z0-9]{3,}(?:-[A-Z0-9]+)?)$", text, re.MULTILINE)
    assert found, text
    return found[1]


def add_totp(user: User) -> str:
    """Give the user an authenticator app; its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def totp_code(secret: str) -> str:
    """What the app shows now, and for at least five more seconds."""
    if (left := 30 - time.time() % 30) < 5:
        time.sleep(left)
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


class Passkey:
    """An ES256 passkey of software (WebAuthn level 3, section 6). `verifies`: whether it asks for a PIN or a finger."""

    def __init__(self, *, verifies: bool = True, origin: str = "http://testserver") -> None:
        self.verifies = verifies
        self.origin = origin
        self.credential_id = os.urandom(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user_handle = b""

    def create(self, options: dict[str, Any]) -> str:
        """Answer navigator.credentials.create()."""
        public = options["publicKey"]
        self.user_handle = websafe_decode(public["user"]["id"])
        client_data = self._client_data("webauthn.create", public["challenge"])
        key = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + key
        data = self._authenticator_data(public["rp"]["id"], flags=0x40) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            {"clientDataJSON": websafe_encode(client_data), "attestationObject": websafe_encode(attestation)}
        )

    def get(self, options: dict[str, Any]) -> str:
        """Answer navigator.credentials.get()."""
        public = options["publicKey"]
        client_data = self._client_data("webauthn.get", public["challenge"])
        data = self._authenticator_data(public["rpId"])
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client_data),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": websafe_encode(self.user_handle),
            }
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _authenticator_data(self, rp_id: str, *, flags: int = 0) -> bytes:
        present, verified = 0x01, 0x04 if self.verifies else 0
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags | present | verified]) + (1).to_bytes(4, "big")

    def _answer(self, response: dict[str, Any]) -> str:
        key_id = websafe_encode(self.credential_id)
        return json.dumps(
            {
                "id": key_id,
                "rawId": key_id,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )
