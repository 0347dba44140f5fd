"""A bill of Maya's that Alice's autopay pays with her card."""

import pytest

from bills.models import Bill
from payments.models import AutopayCharge, AutopayEnrollment, PaymentMethod
from tests.conftest import Cast
from tests.factories import make_bill
from tests.payments.autopay import scene
from tests.provider import provider, provider_process  # noqa: F401
from tests.stripe_sandbox.conftest import Server


@pytest.fixture
def bill(real_cast: Cast) -> Bill:
    """A medical bill of Maya's over $185.00, due in twenty days."""
    return make_bill(real_cast.maya, due_on=scene.in_days(20))


@pytest.fixture
def card(real_cast: Cast, provider: Server) -> PaymentMethod:  # noqa: F811
    """Alice's saved card."""
    return scene.save_card(real_cast.alice)


@pytest.fixture
def enrollment(real_cast: Cast, card: PaymentMethod) -> AutopayEnrollment:
    """Alice's autopay of her own and Maya's medical bills, on the due date."""
    return scene.enroll(real_cast.alice, card, people=(real_cast.alice, real_cast.maya))


@pytest.fixture
def charge(enrollment: AutopayEnrollment, bill: Bill) -> AutopayCharge:
    """The charge that is announced of it."""
    return scene.announced()
