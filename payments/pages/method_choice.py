"""Which of the viewer's methods can be chosen on a page."""

from accounts.requests import MemberRequest
from payments import methods
from payments.models import PaymentMethod


def usable_methods(request: MemberRequest) -> list[PaymentMethod]:
    """The viewer's methods that can pay, the default first."""
    ready = PaymentMethod.objects.visible_to(request.scope).ready().order_by("-is_default", "-created_at")
    return [method for method in ready if not methods.is_expired(method)]
