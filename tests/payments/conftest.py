"""Bills to pay and ways to pay them, for the tests of payments."""

from collections.abc import Callable

import pytest

from accounts.visibility import scope_of
from bills.models import Bill
from payments import checkout
from payments.models import Payment
from tests.conftest import Cast
from tests.payments.paying import make_bill, token
from tests.provider import provider, provider_process  # noqa: F401
from tests.stripe_sandbox.conftest import Server


@pytest.fixture
def bill(real_cast: Cast) -> Bill:
    """A medical bill of Maya's over $185.00."""
    return make_bill(real_cast.maya, 18_500)


@pytest.fixture
def draft(real_cast: Cast, provider: Server, bill: Bill) -> Callable[..., Payment]:  # noqa: F811
    """Makes Alice's draft of `cents` of the bill, with a test card chosen."""

    def make(cents: int = 5_000, card: str = "pm_card_visa", **options: object) -> Payment:
        scope = scope_of(real_cast.alice.user)
        payment = checkout.begin(scope, payer=real_cast.alice.user, amounts={bill.number: cents}, **options)
        return checkout.choose(payment, confirmation_token=token(card))

    return make
