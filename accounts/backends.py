"""Who is signed in: allauth's backend, with the look-up of every request prepared."""

from allauth.account.auth_backends import AuthenticationBackend as EmailBackend
from django.db.models import QuerySet

from accounts.models import User
from billing_portal.prepared import prepared


class AuthenticationBackend(EmailBackend):
    """allauth's sign-in by email address and password."""

    def get_user(self, user_id: int) -> User | None:
        """The active user of this id."""
        user = next(iter(_user(user_id)), None)
        return user if user is not None and self.user_can_authenticate(user) else None


@prepared
def _user(user_id: int) -> QuerySet[User]:
    return User.objects.filter(pk=user_id)
