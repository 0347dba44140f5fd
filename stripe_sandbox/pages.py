"""What a browser loads: the `/v3/` script, the frames of the Payment Element and of 3-D Secure."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from stripe_sandbox import authentication, microdeposits
from stripe_sandbox.errors import ApiError
from stripe_sandbox.forms import Obj, parse
from stripe_sandbox.sandbox import Sandbox

STATIC = Path(__file__).parent / "static"
FILES = {
    "": ("stripe.js", "text/javascript"),
    "element": ("element.html", "text/html"),
    "element.js": ("element.js", "text/javascript"),
    "element_fields.js": ("element_fields.js", "text/javascript"),
    "element.css": ("element.css", "text/css"),
    "texts.js": ("texts.js", "text/javascript"),
    "challenge.js": ("challenge.js", "text/javascript"),
}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self' *"
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def page_app(sandbox: Sandbox) -> Starlette:
    """The pages of a sandbox."""

    async def static(request: Request) -> Response:
        found = FILES.get(request.path_params.get("name", ""))
        if found is None:
            return JSONResponse({"error": {"type": "invalid_request_error", "message": "Not found"}}, status_code=404)
        headers = {**HEADERS, "Access-Control-Allow-Origin": "*"}
        if found[1] == "text/html":
            headers["Content-Security-Policy"] = POLICY
        return FileResponse(STATIC / found[0], media_type=found[1], headers=headers)

    async def challenge(request: Request) -> Response:
        secret = request.query_params.get("client_secret", "")
        try:
            intent = authentication.find_intent(sandbox, request.path_params["intent"], secret)
        except ApiError as error:
            return HTMLResponse("No such payment.", status_code=error.status)
        if request.method == "POST":
            outcome = parse_qs((await request.body()).decode()).get("outcome", [""])[0]
            authentication.finish(sandbox, intent, passed=outcome == "complete")
            return _after_challenge(sandbox, intent)
        return _page("challenge.html", amount=_amount(intent), secret=secret, intent=intent["id"])

    async def deposits(request: Request) -> Response:
        secret = request.query_params.get("client_secret", "")
        try:
            intent = authentication.find_intent(sandbox, request.path_params["intent"], secret)
            message = "Enter the two amounts, in cents, that were deposited."
            if request.method == "POST":
                given = parse((await request.body()).decode())
                microdeposits.verify(sandbox, intent, given)
                message = "Your bank account is verified. You can close this page."
        except ApiError as error:
            message = str(error)
        return _page("microdeposits.html", message=message, secret=secret, intent=request.path_params["intent"])

    return Starlette(routes=[
        Route("/v3", static), Route("/v3/", static), Route("/v3/{name}", static),
        Route("/v3/three-d-secure/{intent}", challenge, methods=["GET", "POST"]),
        Route("/v3/microdeposits/{intent}", deposits, methods=["GET", "POST"]),
    ])  # fmt: skip


def _amount(intent: Obj) -> str:
    cents = intent.get("amount")
    return f"${cents / 100:,.2f}" if cents else "your saved card"


def _after_challenge(sandbox: Sandbox, intent: Obj) -> Response:
    return_url = sandbox.store.fact(intent["id"], "return_url")
    url = ""
    if return_url:
        passed = intent["status"] in ("succeeded", "processing")
        query = urlencode({
            intent["object"]: intent["id"], f"{intent['object']}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if passed else "failed",
        })  # fmt: skip
        url = f"{return_url}{'&' if '?' in str(return_url) else '?'}{query}"
    return _page("challenge_done.html", url=url)


def _page(name: str, **values: str) -> HTMLResponse:
    text = (STATIC / name).read_text(encoding="utf-8")
    shown = {key: escape(value, quote=True) for key, value in values.items()}
    headers = {**HEADERS, "Content-Security-Policy": POLICY}
    return HTMLResponse(Template(text).substitute(shown), headers=headers)
