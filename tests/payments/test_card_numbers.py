"""A card number that is typed anywhere but in the provider's frame is refused and written nowhere (FAULTS M01)."""

import json
import logging

import pytest
from django.test import Client

from payments.card_numbers import has_card_number
from tests.conftest import Cast
from tests.payments.pages import signed_in

CARDS = [
    "4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "5555555555554444", "378282246310005",
    "6011111111111117", "3056930009020004", "3566002020360505", "2223003122003222",
    "４２４２４２４２４２４２４２４２",
    "my card is 4111 1111 1111 1111, thanks",
]  # fmt: skip
OTHERS = [
    "4242424242424241", "1234567890123", "2026-11-24 10:46:57", "0000000000000000", "M-4410-2297", "1-800-555-0100",
    "pm_1Abc4242424242424242", "18446744073709551615", "50.00", "9780306406157", "4242424242424242424242",
]  # fmt: skip


@pytest.mark.parametrize("text", CARDS)
def test_it_knows_a_card_number(text: str) -> None:
    """Every network's, spaced, dashed, full-width, within words."""
    assert has_card_number(text)


@pytest.mark.parametrize("text", OTHERS)
def test_it_leaves_other_numbers_alone(text: str) -> None:
    """Wrong check digit, other lengths, dates, telephone numbers, ids."""
    assert not has_card_number(text)


@pytest.mark.parametrize("way", ["form", "multipart", "json", "text", "query", "header", "path", "field name"])
def test_it_is_refused_whichever_way_it_comes(cast: Cast, way: str, caplog: pytest.LogCaptureFixture) -> None:
    """400 with words on what to do; neither the answer nor the log repeats the number."""
    number = "4242424242424242"
    client = signed_in(cast.alice)
    with caplog.at_level(logging.DEBUG):
        if way == "form":
            response = client.post("/pay/", f"group={number}", content_type="application/x-www-form-urlencoded")
        elif way == "multipart":
            response = client.post("/pay/", {"note": f"it is {number}"})
        elif way == "json":
            response = client.post("/pay/", json.dumps({"card": {"number": number}}), content_type="application/json")
        elif way == "text":
            response = client.post("/pay/", number, content_type="text/plain")
        elif way == "query":
            response = client.get(f"/payments/?least={number}")
        elif way == "header":
            response = client.get("/payments/", headers={"X-Note": number})
        elif way == "path":
            response = client.get(f"/payments/{number}/")
        else:
            response = client.post("/pay/", {number: "x"})
    assert response.status_code == 400
    assert number not in response.content.decode()
    assert "Never send a card number here" in response.content.decode()
    assert number not in "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("payments")
    )
    if way == "json":
        assert response["Content-Type"] == "application/problem+json"


def test_it_is_refused_before_anybody_is_asked_to_sign_in(db: None) -> None:
    """Otherwise the number would be carried on in the address of the sign-in page."""
    response = Client().get("/payments/?least=4242424242424242")
    assert response.status_code == 400
