"""Payment methods (docs.stripe.com/api/payment_methods): made from test ids, or from details the element
took."""

import datetime

from stripe_sandbox import banks, cards, customers, errors, forms, listing
from stripe_sandbox.banks import Bank
from stripe_sandbox.cards import Card
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import methods, people
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

CREATE_FIELDS = "type card us_bank_account billing_details metadata allow_redisplay payment_method customer"
MOST_PER_CUSTOMER = 400


def find(sandbox: Sandbox, method_id: str, *, param: str = "payment_method", status: int = 400) -> Obj:
    """A method by id; a test id makes a new one, as at Stripe."""
    method = sandbox.store.find("payment_method", method_id) or from_test_id(sandbox, method_id)
    if method is None:
        raise errors.missing("PaymentMethod", method_id, param=param, status=status)
    return method


def from_test_id(sandbox: Sandbox, method_id: str, billing: Obj | None = None) -> Obj | None:
    """A new method for `pm_card_…` or `pm_usBankAccount_…`, or None for any other id."""
    card, bank = cards.by_id(method_id), banks.BY_ID.get(method_id)
    year = datetime.datetime.fromtimestamp(sandbox.now(), datetime.UTC).year
    if card:
        return _save_card(sandbox, card, billing or {}, exp_month=12, exp_year=year + 3, cvc=True, decline_id=method_id)
    if bank:
        owner = billing or {"name": "Jenny Rosen", "email": "jenny.rosen@example.com"}
        return _save_bank(sandbox, bank, owner, routing=banks.TEST_ROUTING_NUMBER, verified=True)
    return None


def from_data(sandbox: Sandbox, data: Obj, *, param: str = "payment_method_data") -> Obj:
    """A new method from `payment_method_data` or the create call's parameters."""
    kind = forms.required_text(data, "type")
    billing = forms.hash_of(data, "billing_details")
    if kind == "card":
        method = _card_from_data(sandbox, forms.hash_of(data, "card"), billing)
    elif kind == "us_bank_account":
        method = _bank_from_data(sandbox, forms.hash_of(data, "us_bank_account"), billing)
    else:
        raise errors.invalid(f"stripe_sandbox knows no payment method type {kind}", param=f"{param}[type]")
    method["allow_redisplay"] = forms.text(data, "allow_redisplay") or "unspecified"
    method["metadata"] = forms.merged_metadata({}, data)
    return method


def card_of(sandbox: Sandbox, method: Obj) -> Card:
    """How the card behind a method behaves."""
    facts = sandbox.store.facts[method["id"]]
    return cards.by_id(str(facts["test_id"])) or cards.BY_NUMBER[facts["number"]]


def bank_of(sandbox: Sandbox, method: Obj) -> Bank:
    """How the account behind a method behaves."""
    return banks.by_number(str(sandbox.store.fact(method["id"], "number")))


def _card_from_data(sandbox: Sandbox, data: Obj, billing: Obj) -> Obj:
    token = forms.text(data, "token")
    if token:
        method = from_test_id(sandbox, token, billing)
        if method is None:
            raise errors.missing("token", token, param="card[token]", status=400)
        return method
    number = forms.required_text(data, "number").replace(" ", "")
    if number == "4242424242424241" or not cards.passes_luhn(number):
        raise errors.declined("Your card number is incorrect.", code="incorrect_number", param="number")
    card = cards.by_number(number)
    if card is None:
        code = "test_mode_live_card"
        raise errors.declined(cards.message_of(code), code="card_declined", decline_code=code)
    month, year = forms.integer(data, "exp_month") or 0, forms.integer(data, "exp_year") or 0
    year = year + 2000 if year < 100 else year
    today = datetime.datetime.fromtimestamp(sandbox.now(), datetime.UTC)
    if not 1 <= month <= 12:
        message = "Your card's expiration month is invalid."
        raise errors.declined(message, code="invalid_expiry_month", param="exp_month")
    if (year, month) < (today.year, today.month) or year > today.year + 50:
        raise errors.declined("Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year")
    cvc = forms.text(data, "cvc")
    if cvc and not (cvc.isascii() and cvc.isdigit() and len(cvc) == (4 if card.brand == "amex" else 3)):
        raise errors.declined("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    return _save_card(sandbox, card, billing, exp_month=month, exp_year=year, cvc=bool(cvc), decline_id="")


def _save_card(
    sandbox: Sandbox, card: Card, billing: Obj, *, exp_month: int, exp_year: int, cvc: bool, decline_id: str
) -> Obj:
    owner = people.billing_details(billing)
    place = owner["address"]
    verified = methods.checks(card, cvc=cvc, postal_code=bool(place["postal_code"]), line1=bool(place["line1"]))
    details = methods.card_details(card, exp_month=exp_month, exp_year=exp_year, verified=verified)
    method = methods.payment_method("card", details, owner, created=sandbox.now())
    sandbox.store.note(method["id"], number=card.number, test_id=decline_id)
    return sandbox.store.save(method)


def _bank_from_data(sandbox: Sandbox, data: Obj, billing: Obj) -> Obj:
    number, routing = forms.required_text(data, "account_number"), forms.required_text(data, "routing_number")
    if not forms.text(billing, "name"):
        raise errors.parameter_missing("billing_details[name]")
    if not banks.valid_routing(routing):
        raise errors.invalid(
            "You must use a valid routing number.",
            code="routing_number_invalid",
            param="us_bank_account[routing_number]",
        )
    if not (number.isascii() and number.isdigit() and 4 <= len(number) <= 17):
        raise errors.invalid(
            "You must use a valid account number.",
            code="account_number_invalid",
            param="us_bank_account[account_number]",
        )
    return _save_bank(
        sandbox, banks.by_number(number), billing, routing=routing,
        verified=data.get("sandbox_verified") == "true",
        holder_type=forms.text(data, "account_holder_type") or "individual",
        account_type=forms.text(data, "account_type") or "checking",
    )  # fmt: skip


def _save_bank(
    sandbox: Sandbox, bank: Bank, billing: Obj, *, routing: str, verified: bool,
    holder_type: str = "individual", account_type: str = "checking",
) -> Obj:  # fmt: skip
    details = methods.bank_details(bank.number, routing=routing, holder_type=holder_type, account_type=account_type)
    owner = people.billing_details(billing)
    method = methods.payment_method("us_bank_account", details, owner, created=sandbox.now())
    sandbox.store.note(method["id"], number=bank.number, verified=verified)
    return sandbox.store.save(method)


def attach_to(sandbox: Sandbox, method: Obj, customer_id: str) -> None:
    """Ties a method to a customer; a method keeps its first customer."""
    if method["customer"] == customer_id:
        return
    if method["customer"] or sandbox.store.fact(method["id"], "detached"):
        message = "The payment method you provided has already been attached to a customer."
        raise errors.refused(message, code="payment_method_unexpected_state" if method["customer"] else None)
    method["customer"] = customer_id
    sandbox.store.save(method)
    sandbox.emit("payment_method.attached", method)


@route("POST", "/v1/payment_methods", CREATE_FIELDS, public=True)
def create(sandbox: Sandbox, call: Call) -> Obj:
    """A new method, not attached."""
    return from_data(sandbox, call.params, param="type")


@route("GET", "/v1/payment_methods/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """A method."""
    return find(sandbox, call.path_ids[0], param="payment_method", status=404)


@route("GET", "/v1/customers/{}/payment_methods/{}")
def retrieve_of_customer(sandbox: Sandbox, call: Call) -> Obj:
    """A method of one customer."""
    method = sandbox.store.find("payment_method", call.path_ids[1])
    if method is None or method["customer"] != call.path_ids[0]:
        raise errors.missing("PaymentMethod", call.path_ids[1], param="payment_method")
    return method


@route("POST", "/v1/payment_methods/{}", "billing_details card metadata allow_redisplay us_bank_account")
def update(sandbox: Sandbox, call: Call) -> Obj:
    """Changes billing details, expiry or metadata."""
    method = retrieve(sandbox, call)
    params = call.params
    if "billing_details" in params:
        given = forms.hash_of(params, "billing_details")
        place = {**method["billing_details"]["address"], **(given.get("address") or {})}
        method["billing_details"] = people.billing_details({**method["billing_details"], **given, "address": place})
    if "card" in params and method["type"] == "card":
        for name in ("exp_month", "exp_year"):
            changed = forms.integer(forms.hash_of(params, "card"), name, default=method["card"][name])
            method["card"][name] = changed
    if "allow_redisplay" in params:
        allowed = ("always", "limited", "unspecified")
        method["allow_redisplay"] = forms.choice(params, "allow_redisplay", allowed)
    method["metadata"] = forms.merged_metadata(method["metadata"], params)
    sandbox.store.save(method)
    sandbox.emit("payment_method.updated", method)
    return method


@route("POST", "/v1/payment_methods/{}/attach", "customer")
def attach(sandbox: Sandbox, call: Call) -> Obj:
    """Attaches; the card is checked, so a declining one is refused here, except 4000000000000341."""
    customer = customers.find(sandbox, forms.required_text(call.params, "customer"))
    method = find(sandbox, call.path_ids[0], status=404)
    if method["type"] == "card":
        card = card_of(sandbox, method)
        if card.decline and card.declines_on_attach:
            raise errors.declined(
                cards.message_of(card.decline), code=cards.code_of(card.decline), decline_code=card.decline
            )
    attach_to(sandbox, method, customer["id"])
    return method


@route("POST", "/v1/payment_methods/{}/detach")
def detach(sandbox: Sandbox, call: Call) -> Obj:
    """Detaches; the method can never be used again."""
    method = retrieve(sandbox, call)
    return detach_from_customer(sandbox, method)


def detach_from_customer(sandbox: Sandbox, method: Obj) -> Obj:
    """Takes a method from its customer."""
    if method["customer"] is None:
        raise errors.refused(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    previous = {"customer": method["customer"]}
    method["customer"] = None
    sandbox.store.note(method["id"], detached=True)
    sandbox.store.save(method)
    sandbox.emit("payment_method.detached", method, previous=previous)
    return method


@route("GET", "/v1/payment_methods", "customer type limit starting_after ending_before allow_redisplay")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Methods of a customer; none without one, as at Stripe."""
    if not call.params.get("customer"):
        return listing.page([], call.params, url="/v1/payment_methods")
    return _page(sandbox, call, call.params["customer"], "/v1/payment_methods")


@route("GET", "/v1/customers/{}/payment_methods", "type limit starting_after ending_before allow_redisplay")
def list_of_customer(sandbox: Sandbox, call: Call) -> Obj:
    """Methods of a customer."""
    return _page(sandbox, call, call.path_ids[0], f"/v1/customers/{call.path_ids[0]}/payment_methods")


def _page(sandbox: Sandbox, call: Call, customer_id: str, url: str) -> Obj:
    customers.find(sandbox, customer_id)
    rows = (row for row in sandbox.store.newest_first("payment_method") if row["customer"] == customer_id)
    return listing.page(rows, call.params, url=url, tests=listing.equals(call.params, "type", "allow_redisplay"))
