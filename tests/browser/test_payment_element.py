"""The Payment Element of the sandbox in a real Chromium, inside a page with a strict content policy."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import Server, start, stop

FRAME = 'iframe[name^="__privateStripeFrame"]'
PAGE = """<!doctype html><html lang="en"><head><title>Pay</title><script src="{sandbox}/v3/"></script>
<script defer src="/pay.js"></script></head><body><main><div id="element"></div><button id="pay">Pay</button>
<pre id="result"></pre></main></body></html>"""
SCRIPT = """
const options = JSON.parse(decodeURIComponent(location.search.slice(1)) || "{}");
const stripe = Stripe("pk_test_browser");
const elements = stripe.elements({mode: "payment", amount: 2500, currency: "usd", ...options});
const element = elements.create("payment");
window.changes = [];
element.on("change", (event) => {
  window.changes.push(event);
  document.body.dataset.state = `${event.value.type} ${event.complete}`;
});
element.on("ready", () => { document.body.dataset.ready = "1"; });
element.mount("#element");
const show = (value) => { document.getElementById("result").textContent = JSON.stringify(value); };
document.getElementById("pay").addEventListener("click", async () => {
  const {error} = await elements.submit();
  if (error) return show({error});
  show(await stripe.createConfirmationToken({elements, params: {return_url: location.origin + "/back"}}));
});
window.confirmSetup = async (clientSecret) => {
  await elements.submit();
  const confirmParams = {return_url: location.origin + "/back"};
  show(await stripe.confirmSetup({elements, clientSecret, confirmParams, redirect: "if_required"}));
};
window.nextAction = async (clientSecret) => show(await stripe.handleNextAction({clientSecret}));
"""


@dataclass
class Site:
    url: str
    bodies: list[str]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Server]:
    server = start("--bank-debit-delay-seconds", "0")
    yield server
    stop(server)


@pytest.fixture(scope="module")
def site(sandbox: Server) -> Iterator[Site]:
    policy = (
        f"default-src 'self'; script-src 'self' {sandbox.url}; frame-src {sandbox.url}; connect-src "
        f"{sandbox.url}; "
        "style-src 'self'"
    )
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            script = self.path == "/pay.js"
            body = (SCRIPT if script else PAGE.format(sandbox=sandbox.url)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript" if script else "text/html")
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Site(f"http://localhost:{server.server_port}", seen)
    server.shutdown()
    server.server_close()


@dataclass
class Visit:
    """One page, its element, and what the browser complained of or sent."""

    page: Any
    site: Site
    complaints: list[str]
    requests: list[tuple[str, str]]

    def open(self, **options: Any) -> Any:
        self.page.goto(f"{self.site.url}/?{json.dumps(options)}")
        self.page.wait_for_selector("body[data-ready]")
        return self.page.frame_locator(FRAME)

    def result(self) -> dict[str, Any]:
        self.page.wait_for_selector("#result:not(:empty)")
        return json.loads(self.page.inner_text("#result"))


@pytest.fixture
def visit(chromium: Any, site: Site) -> Iterator[Visit]:
    page = chromium.new_page()
    visit = Visit(page, site, [], [])
    page.on("console", lambda message: visit.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", lambda request: visit.requests.append((request.url, request.post_data or "")))
    yield visit
    page.close()


def fill_card(frame: Any, number: str = "4242424242424242") -> None:
    for name, value in {"number": number, "expiry": "1234", "cvc": "123", "postalCode": "94110"}.items():
        frame.locator(f'[name="{name}"]').press_sequentially(value)


def test_a_card_becomes_a_token_and_its_digits_go_only_to_the_sandbox(visit: Visit, sandbox: Server) -> None:
    """Serves M02 and M06: the digits leave the browser for one origin only, under a policy without inline
    code."""
    frame = visit.open()
    fill_card(frame)
    visit.page.click("#pay")
    token = visit.result()["confirmationToken"]
    assert token["payment_method_preview"]["card"]["last4"] == "4242"
    assert token["return_url"].endswith("/back")
    carried = [url for url, body in visit.requests if "4242424242424242" in body + url]
    assert carried and all(url.startswith(sandbox.url) for url in carried)
    real_errors = [text for text in visit.complaints if "favicon" not in text]
    assert real_errors == []
    intent = sandbox.client().v1.payment_intents.create(
        {"amount": 2500, "currency": "usd", "confirm": True, "confirmation_token": token["id"]}
    )
    assert intent.status == "succeeded"


def test_a_wrong_number_is_told_at_the_field_in_spanish(visit: Visit) -> None:
    """Serves I11 and the Spanish text: the error stands at its field and no token is made."""
    frame = visit.open(locale="es")
    assert frame.get_by_label("Número de tarjeta").count() == 1
    fill_card(frame, "4242424242424241")
    visit.page.click("#pay")
    assert visit.result()["error"]["code"] == "incomplete_number"
    assert frame.locator("#number-error").inner_text() == "El número de tarjeta no es válido."
    assert frame.locator('[name="number"]').get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize(
    ("button", "status"), [("#test-source-authorize-3ds", "succeeded"), ("#test-source-fail-3ds", "failed")]
)
def test_three_d_secure_opens_a_frame_with_two_buttons(visit: Visit, sandbox: Server, button: str, status: str) -> None:
    """Serves B16: a challenge passed or failed ends the attempt, and another try is possible."""
    frame = visit.open()
    fill_card(frame, "4000002760003184")
    visit.page.click("#pay")
    token = visit.result()["confirmationToken"]["id"]
    client = sandbox.client()
    intent = client.v1.payment_intents.create(
        {"amount": 2500, "currency": "usd", "confirm": True, "confirmation_token": token}
    )
    assert intent.status == "requires_action"
    visit.page.evaluate("document.getElementById('result').textContent = ''")
    visit.page.evaluate("(secret) => { window.nextAction(secret); }", intent.client_secret)
    visit.page.frame_locator('iframe[title="3D Secure"]').locator(button).click()
    result = visit.result()
    if status == "succeeded":
        assert result["paymentIntent"]["status"] == "succeeded"
    else:
        assert result["error"]["code"] == "payment_intent_authentication_failure"
        assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_a_bank_account_and_apple_pay_become_tokens_too(visit: Visit, sandbox: Server) -> None:
    """Serves D28 and B31: the bank tab carries its mandate, the wallet button a wallet."""
    frame = visit.open()
    frame.locator("#us_bank_account-tab").click()
    for name, value in {
        "name": "Alice Doe", "email": "alice@example.com", "routingNumber": "110000000",
        "accountNumber": "000123456789",
    }.items():  # fmt: skip
        frame.locator(f'[name="{name}"]').fill(value)
    visit.page.click("#pay")
    token = visit.result()["confirmationToken"]
    assert token["mandate_data"]["customer_acceptance"]["type"] == "online"
    intent = sandbox.client().v1.payment_intents.create(
        {"amount": 2500, "currency": "usd", "confirm": True, "confirmation_token": token["id"]}
    )
    assert intent.status == "processing"
    frame.locator("#apple_pay-tab").click()
    frame.locator("#apple-pay-button").click()
    visit.page.evaluate("document.getElementById('result').textContent = ''")
    visit.page.click("#pay")
    card = visit.result()["confirmationToken"]["payment_method_preview"]["card"]
    assert card["wallet"]["type"] == "apple_pay"


@pytest.mark.parametrize("number", ["4242424242424242", "4000002500003155"])
def test_a_card_is_saved_by_the_script(visit: Visit, sandbox: Server, number: str) -> None:
    """Serves B15 and B16: `confirmSetup`, with a challenge where the card wants one."""
    client = sandbox.client()
    customer = client.v1.customers.create()
    setup = client.v1.setup_intents.create({"customer": customer.id, "usage": "off_session"})
    frame = visit.open(mode="setup", setupFutureUsage="off_session")
    fill_card(frame, number)
    visit.page.evaluate("(secret) => { window.confirmSetup(secret); }", setup.client_secret)
    if number.endswith("3155"):
        visit.page.frame_locator('iframe[title="3D Secure"]').locator("#test-source-authorize-3ds").click()
    assert visit.result()["setupIntent"]["status"] == "succeeded"
    saved = client.v1.customers.payment_methods.list(customer.id).data
    assert [method.card.last4 for method in saved if method.card] == [number[-4:]]


def test_a_closed_challenge_ends_with_an_error_and_can_be_opened_again(visit: Visit, sandbox: Server) -> None:
    """Serves B16: the window closed; the attempt waits, and a second try goes through."""
    intent = sandbox.client().v1.payment_intents.create(
        {
            "amount": 2500,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_authenticationRequired",
            "payment_method_types": ["card"],
            "use_stripe_sdk": True,
        }
    )
    visit.open()
    visit.page.evaluate("(secret) => { window.nextAction(secret); }", intent.client_secret)
    visit.page.frame_locator('iframe[title="3D Secure"]').locator("#test-source-authorize-3ds").wait_for()
    visit.page.get_by_role("button", name="Close").click()
    assert visit.result()["error"]["code"] == "authentication_canceled"
    visit.page.evaluate("document.getElementById('result').textContent = ''")
    visit.page.evaluate("(secret) => { window.nextAction(secret); }", intent.client_secret)
    visit.page.frame_locator('iframe[title="3D Secure"]').locator("#test-source-authorize-3ds").click()
    assert visit.result()["paymentIntent"]["status"] == "succeeded"


def test_the_element_tells_its_height_and_its_state(visit: Visit) -> None:
    """The frame grows to its content, and `change` says when all is complete."""
    frame = visit.open()
    height = visit.page.evaluate(f"document.querySelector('{FRAME}').getBoundingClientRect().height")
    assert 200 < height < 700
    fill_card(frame)
    visit.page.wait_for_selector('body[data-state="card true"]')


def test_a_message_from_elsewhere_is_ignored(visit: Visit) -> None:
    """Serves M13: the frame answers only the window and origin that mounted it."""
    visit.open()
    visit.page.evaluate("window.postMessage({sandbox: 1, kind: 'height', payload: 9}, '*')")
    visit.page.evaluate("window.postMessage({sandbox: 1, kind: 'change', payload: {complete: true}}, '*')")
    assert visit.page.evaluate("window.changes.every((event) => !event.complete)")


def test_a_refused_decline_reaches_the_server(visit: Visit, sandbox: Server) -> None:
    """Serves B12: a declining card makes a token and declines only when it is charged."""
    frame = visit.open()
    fill_card(frame, "4000000000000002")
    visit.page.click("#pay")
    token = visit.result()["confirmationToken"]["id"]
    with pytest.raises(stripe.CardError) as refusal:
        sandbox.client().v1.payment_intents.create(
            {"amount": 2500, "currency": "usd", "confirm": True, "confirmation_token": token}
        )
    assert refusal.value.error.decline_code == "generic_decline"
