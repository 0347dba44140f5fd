"""The provider's customer of each of our users, and of each guest payment: an id, nothing that names a person (B32).

Each call has a key of its own: a 5xx is answered to the same key for a day, and for a day nobody could pay (FAULTS
B04). What a lost reply or a race leaves behind is a customer without a method, which costs nobody anything.
"""

import uuid

from accounts.models import User
from payments import gateway
from payments.models import Payment, StripeCustomer


def ensure(user: User) -> str:
    """The id of the user's customer, made at the provider where there is none yet. Raises provider.GatewayError."""
    standing = StripeCustomer.objects.filter(user=user).first()
    if standing is not None:
        return standing.stripe_id
    stripe_id = gateway.create_customer(user_id=user.pk, key=f"customer-{user.pk}-{uuid.uuid4()}")
    return StripeCustomer.objects.get_or_create(user=user, defaults={"stripe_id": stripe_id})[0].stripe_id


def ensure_guest(payment: Payment) -> str:
    """The id of the customer of a payment without a payer: one of its own. Raises provider.GatewayError."""
    if not payment.guest_customer_id:
        made = gateway.create_guest_customer(key=f"customer-guest-{payment.pk}-{uuid.uuid4()}")
        Payment.objects.filter(pk=payment.pk, guest_customer_id="").update(guest_customer_id=made)
        payment.refresh_from_db(fields=["guest_customer_id"])
    return payment.guest_customer_id


def ensure_for(payment: Payment) -> str:
    """The customer that a payment is charged to: its method's owner's, else the payer's, else the guest's.

    Raises provider.GatewayError.
    """
    owner = payment.method.user if payment.method is not None else payment.payer
    return ensure(owner) if owner is not None else ensure_guest(payment)


def known(payment: Payment) -> str:
    """The customer that a payment's charge names. Raises StripeCustomer.DoesNotExist where it was never made."""
    owner_id = payment.method.user_id if payment.method is not None else payment.payer_id
    if owner_id is None:
        return payment.guest_customer_id
    return StripeCustomer.objects.get(user_id=owner_id).stripe_id
