"""The balance and its transactions (docs.stripe.com/api/balance_transactions, docs.stripe.com/reports/
reporting-categories). Amounts are cents; money in is positive; `net = amount - fee`."""

from stripe_sandbox import errors, forms, listing
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import money
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

FILTERS = "limit starting_after ending_before created currency payout source type"


def card_fee(amount: int) -> int:
    """2.9 % and 30 cents, the percentage rounded half up."""
    return (amount * 29 + 500) // 1000 + 30


def bank_debit_fee(amount: int) -> int:
    """0.8 %, at most $5.00."""
    return min((amount * 8 + 500) // 1000, 500)


def record(
    sandbox: Sandbox,
    kind: str,
    *,
    amount: int,
    fee: int = 0,
    source: str | None,
    category: str,
    wait: int = 0,
) -> Obj:
    """Adds a line; it becomes available after `wait` seconds."""
    created = sandbox.now()
    line = money.transaction(
        kind,
        amount=amount,
        fee=fee,
        source=source,
        created=created,
        available_on=created + wait,
        category=category,
    )
    return sandbox.store.save(line)


def refresh(sandbox: Sandbox, line: Obj) -> Obj:
    """Sets `available` once its time has come."""
    if line["status"] == "pending" and line["available_on"] <= sandbox.now():
        line["status"] = "available"
        sandbox.store.save(line)
    return line


@route("GET", "/v1/balance")
def retrieve_balance(sandbox: Sandbox, call: Call) -> Obj:
    """What is available and what is pending."""
    sums = {"available": 0, "pending": 0}
    for line in sandbox.store.table("balance_transaction").values():
        sums[refresh(sandbox, line)["status"]] += line["net"]
    return money.balance(sums["available"], sums["pending"])


@route("GET", "/v1/balance_transactions/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One line."""
    line = sandbox.store.find("balance_transaction", call.path_ids[0])
    if line is None:
        raise errors.missing("balance transaction", call.path_ids[0])
    return refresh(sandbox, line)


@route("GET", "/v1/balance_transactions", FILTERS)
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Lines, newest first; those of an automatic payout by `payout`."""
    payout_id = forms.text(call.params, "payout")
    rows = (refresh(sandbox, line) for line in sandbox.store.newest_first("balance_transaction"))
    if payout_id:
        payout = sandbox.store.find("payout", payout_id)
        if payout is None:
            raise errors.missing("payout", payout_id, param="payout", status=400)
        if not payout["automatic"]:
            raise errors.invalid(
                "Balance transaction history can only be filtered on automatic transfers, not manual.",
                param="payout",
            )
        rows = (line for line in rows if sandbox.store.fact(line["id"], "payout") == payout_id)
    tests = [listing.created_test(call.params), *listing.equals(call.params, "type", "source", "currency")]
    return listing.page(rows, call.params, url="/v1/balance_transactions", tests=tests)
