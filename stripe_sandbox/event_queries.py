"""Reading events (docs.stripe.com/api/events): 30 days back unless told to keep all."""

from stripe_sandbox import errors, forms, listing
from stripe_sandbox.forms import Obj
from stripe_sandbox.routing import Call, route
from stripe_sandbox.sandbox import Sandbox


@route("GET", "/v1/events/{}")
def retrieve(sandbox: Sandbox, call: Call) -> Obj:
    """One event."""
    event = sandbox.store.find("event", call.path_ids[0])
    if event is None or not sandbox.events.visible(event):
        raise errors.missing("event", call.path_ids[0])
    return event


@route("GET", "/v1/events", "limit starting_after ending_before created type types delivery_success")
def list_all(sandbox: Sandbox, call: Call) -> Obj:
    """Events, newest first."""
    params = call.params
    types = forms.words(params, "types") or ([params["type"]] if params.get("type") else [])
    delivered = params.get("delivery_success")

    def of_type(event: Obj) -> bool:
        return any(
            event["type"] == kind or (kind.endswith("*") and event["type"].startswith(kind[:-1])) for kind in types
        )

    tests = [listing.created_test(params), sandbox.events.visible, of_type if types else None]
    if delivered is not None:
        wanted = forms.flag(params, "delivery_success")
        tests.append(lambda event: (event["pending_webhooks"] == 0) == wanted)
    return listing.page(sandbox.store.newest_first("event"), params, url="/v1/events", tests=tests)
