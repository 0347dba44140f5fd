"""Mandates (docs.stripe.com/api/mandates): the leave to debit a bank account, kept with its time, address
and agent."""

from stripe_sandbox import errors, forms
from stripe_sandbox.forms import Obj
from stripe_sandbox.objects import methods
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox


def acceptance_from(sandbox: Sandbox, data: Obj, *, param: str = "mandate_data") -> Obj:
    """`customer_acceptance` as a mandate carries it; raises when the address or agent is missing."""
    given = forms.hash_of(data, "customer_acceptance")
    kind = forms.choice(given, "type", ("online", "offline"))
    if kind is None:
        raise errors.parameter_missing(f"{param}[customer_acceptance][type]")
    at = forms.integer(given, "accepted_at", default=sandbox.now())
    acceptance: Obj = {"accepted_at": at, "type": kind, kind: {}}
    if kind == "online":
        online = forms.hash_of(given, "online")
        from_client = online.get("infer_from_client") == "true"
        if not from_client and not (online.get("ip_address") and online.get("user_agent")):
            raise errors.parameter_missing(f"{param}[customer_acceptance][online][ip_address]")
        acceptance["online"] = {
            "ip_address": "127.0.0.1" if from_client else online["ip_address"],
            "user_agent": "browser" if from_client else online["user_agent"],
        }
    return acceptance


def grant(sandbox: Sandbox, method: Obj, acceptance: Obj, *, multi_use: bool, amount: int | None = None) -> Obj:
    """A new active mandate."""
    mandate = methods.mandate(method, acceptance, multi_use=multi_use, amount=amount)
    if multi_use:
        sandbox.store.note(method["id"], mandate=mandate["id"])
    return sandbox.store.save(mandate)


def standing(sandbox: Sandbox, method: Obj) -> Obj | None:
    """The method's active multi-use mandate, or None."""
    mandate_id = sandbox.store.fact(method["id"], "mandate")
    mandate = sandbox.store.find("mandate", str(mandate_id)) if mandate_id else None
    return mandate if mandate and mandate["status"] == "active" else None


def revoke(sandbox: Sandbox, mandate_id: str) -> None:
    """The member or their bank took the leave back."""
    mandate = sandbox.store.find("mandate", mandate_id)
    if mandate and mandate["status"] == "active":
        mandate["status"] = "inactive"
        sandbox.store.save(mandate)
        sandbox.emit("mandate.updated", mandate, previous={"status": "active"})


@route("GET", "/v1/mandates/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One mandate."""
    mandate = sandbox.store.find("mandate", call.path_ids[0])
    if mandate is None:
        raise errors.missing("mandate", call.path_ids[0], param="mandate")
    return mandate
