"""The provider's customer of each of our users: an id, and nothing that names a person (FAULTS B32)."""

from accounts.models import User
from payments import gateway
from payments.models import Payment, StripeCustomer


def ensure(user: User) -> str:
    """The id of the user's customer, made at the provider where there is none yet. Raises provider.GatewayError."""
    standing = StripeCustomer.objects.filter(user=user).first()
    if standing is not None:
        return standing.stripe_id
    stripe_id = gateway.create_customer(user_id=user.pk)
    StripeCustomer.objects.get_or_create(user=user, defaults={"stripe_id": stripe_id})
    return stripe_id


def known(payment: Payment) -> str:
    """The customer that a payment's charge names. Raises StripeCustomer.DoesNotExist where it was never made."""
    return StripeCustomer.objects.get(user=payment.payer).stripe_id
