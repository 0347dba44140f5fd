"""A second start keeps the data, the timers and the request log."""

from pathlib import Path

import pytest
import stripe

from .conftest import pay, start, stop


def test_objects_survive_a_restart(tmp_path: Path) -> None:
    """Serves E12: the demo's second start knows the first one's payments and finishes its debits."""
    server = start("--data", str(tmp_path), "--bank-debit-delay-seconds", "86400")
    client = server.client()
    card = pay(client, metadata={"a": "1"}, options={"idempotency_key": "before"})
    debit = pay(client, "pm_usBankAccount_success")
    customer = client.v1.customers.create()
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    server.process.kill()
    server.process.wait()
    server = start("--data", str(tmp_path))
    try:
        client = server.client()
        assert client.v1.payment_intents.retrieve(card.id).metadata.to_dict() == {"a": "1"}
        assert client.v1.payment_intents.retrieve(debit.id).status == "processing"
        assert pay(client, metadata={"a": "1"}, options={"idempotency_key": "before"}).id == card.id
        server.post("clock/advance", seconds=86401)
        assert client.v1.payment_intents.retrieve(debit.id).status == "succeeded"
        assert pay(client, saved.id, customer=customer.id, off_session=True).status == "succeeded"
        assert (tmp_path / "requests.jsonl").read_text().count("/v1/payment_intents") >= 2
    finally:
        stop(server)


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """Serves E01: killed while writing."""
    server = start("--data", str(tmp_path))
    customer = server.client().v1.customers.create()
    server.process.kill()
    server.process.wait()
    with (tmp_path / "objects.jsonl").open("ab") as journal:
        journal.write(b'["customer","cus_torn",{"id":"cus_t')
    for _ in range(2):
        server = start("--data", str(tmp_path))
        client = server.client()
        try:
            assert client.v1.customers.retrieve(customer.id).id == customer.id
            with pytest.raises(stripe.InvalidRequestError):
                client.v1.customers.retrieve("cus_torn")
            customer = client.v1.customers.create()
        finally:
            stop(server)
