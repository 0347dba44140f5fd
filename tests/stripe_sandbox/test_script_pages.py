"""What a browser loads, and what a publishable key may ask."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
import stripe

from .conftest import Server, pay


def fetch(url: str, form: dict[str, str] | None = None, method: str | None = None) -> tuple[int, Any, Any]:
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.mark.parametrize(
    "path", ["", "/", "/element", "/element.js", "/element_fields.js", "/texts.js", "/element.css"]
)
def test_the_script_and_its_parts_are_served(sandbox: Server, path: str) -> None:
    """Serves M04: each from the sandbox's own origin."""
    status, headers, body = fetch(f"{sandbox.url}/v3{path}")
    assert status == 200 and body and headers["X-Content-Type-Options"] == "nosniff"


def test_the_frame_allows_no_inline_code(sandbox: Server) -> None:
    """Serves M06: its own policy is strict."""
    _, headers, body = fetch(f"{sandbox.url}/v3/element")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert b"<style" not in body and b"style=" not in body


def test_a_publishable_key_makes_tokens_and_reads_with_the_secret_only(
    sandbox: Server, client: stripe.StripeClient
) -> None:
    """Serves B22 and M02: no other call, no other member's intent."""
    intent = pay(client)
    key = {"key": "pk_test_browser"}
    query = urllib.parse.urlencode({**key, "client_secret": intent.client_secret})
    status, headers, body = fetch(f"{sandbox.url}/v1/payment_intents/{intent.id}?{query}")
    assert status == 200 and headers["Access-Control-Allow-Origin"] == "*"
    assert json.loads(body)["id"] == intent.id
    wrong = urllib.parse.urlencode({**key, "client_secret": f"{intent.id}_secret_guess"})
    assert fetch(f"{sandbox.url}/v1/payment_intents/{intent.id}?{wrong}")[0] == 400
    assert fetch(f"{sandbox.url}/v1/charges?key=pk_test_browser")[0] == 401
    assert fetch(f"{sandbox.url}/v1/payment_intents", {**key, "amount": "100", "currency": "usd"})[0] == 401
    assert fetch(f"{sandbox.url}/v1/payment_intents", method="OPTIONS")[0] == 204


def test_an_unknown_address_is_a_404_of_stripes_form(sandbox: Server) -> None:
    """Serves O03."""
    status, _, body = fetch(f"{sandbox.url}/v1/moons?key=pk_test_browser")
    assert status == 404 and json.loads(body)["error"]["type"] == "invalid_request_error"
    assert fetch(f"{sandbox.url}/v1/charges")[0] == 401


def test_digits_are_not_in_the_request_log(sandbox: Server) -> None:
    """Serves M01 and N04."""
    form = {
        "key": "pk_test_browser", "payment_method_data[type]": "card",
        "payment_method_data[card][number]": "4242424242424242", "payment_method_data[card][exp_month]": "1",
        "payment_method_data[card][exp_year]": "2035", "payment_method_data[card][cvc]": "987",
    }  # fmt: skip
    status, _, body = fetch(f"{sandbox.url}/v1/confirmation_tokens", form)
    assert status == 200 and b"4242424242424242" not in body
    shown = json.dumps(sandbox.get("log"))
    assert "4242424242424242" not in shown and '"987"' not in shown
