"""Customers (docs.stripe.com/api/customers)."""

from stripe_sandbox import errors, forms, listing
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import people
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox

FIELDS = "address description email invoice_settings metadata name phone preferred_locales shipping tax_exempt"


def find(sandbox: Sandbox, customer_id: str, *, param: str = "customer") -> Obj:
    """A customer named in a parameter; raises `resource_missing`, also for a deleted one."""
    customer = sandbox.store.find("customer", customer_id)
    if customer is None or customer.get("deleted"):
        raise errors.missing("customer", customer_id, param=param, status=400)
    return customer


def _apply(customer: Obj, params: Obj) -> None:
    for name in ("description", "email", "name", "phone"):
        if name in params:
            customer[name] = forms.text(params, name, longest=800)
    if "address" in params:
        given = forms.hash_of(params, "address")
        customer["address"] = people.address(given) if given else None
    if "shipping" in params:
        customer["shipping"] = people.shipping(forms.hash_of(params, "shipping"))
    if "preferred_locales" in params:
        customer["preferred_locales"] = forms.words(params, "preferred_locales") or []
    if "invoice_settings" in params:
        chosen = forms.text(forms.hash_of(params, "invoice_settings"), "default_payment_method")
        customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": chosen}
    customer["metadata"] = forms.merged_metadata(customer["metadata"], params)


@route("POST", "/v1/customers", FIELDS + " payment_method")
def create(sandbox: Sandbox, call: Call) -> Obj:
    """A new customer."""
    customer = people.customer(created=sandbox.now())
    _apply(customer, call.params)
    sandbox.store.save(customer)
    sandbox.emit("customer.created", customer)
    return customer


@route("GET", "/v1/customers/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """A customer; a deleted one shows that it is deleted."""
    customer = sandbox.store.find("customer", call.path_ids[0])
    if customer is None:
        raise errors.missing("customer", call.path_ids[0])
    return customer


@route("POST", "/v1/customers/{}", FIELDS + " default_source")
def update(sandbox: Sandbox, call: Call) -> Obj:
    """Changes what is given."""
    customer = retrieve(sandbox, call)
    if customer.get("deleted"):
        raise errors.missing("customer", call.path_ids[0])
    before = dict(customer)
    _apply(customer, call.params)
    sandbox.store.save(customer)
    changed = {name: value for name, value in before.items() if customer[name] != value}
    sandbox.emit("customer.updated", customer, previous=changed)
    return customer


@route("DELETE", "/v1/customers/{}")
def delete(sandbox: Sandbox, call: Call) -> Obj:
    """Deletes a customer for good and detaches its methods."""
    customer = retrieve(sandbox, call)
    for method in sandbox.store.table("payment_method").values():
        if method["customer"] == customer["id"]:
            method["customer"] = None
            sandbox.store.save(method)
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    sandbox.store.save(gone)
    sandbox.emit("customer.deleted", customer)
    return gone


@route("GET", "/v1/customers", "limit starting_after ending_before created email")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Customers, newest first."""
    rows = (row for row in sandbox.store.newest_first("customer") if not row.get("deleted"))
    tests = [listing.created_test(call.params), *listing.equals(call.params, "email")]
    return listing.page(rows, call.params, url="/v1/customers", tests=tests)
