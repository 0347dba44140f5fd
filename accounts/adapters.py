"""What the portal does its own way in allauth: limits, mail, addresses of links, and what a sign-in brings."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts import mailing, rate_limits
from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Allauth's adapter. Its own rate limits are off, since its cache may be away: accounts.rate_limits."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try against the account before the password is looked at. Raises ValidationError when used up."""
        key = rate_limits.account_key(str(credentials.get("email", "")))
        allowed = rate_limits.take((rate_limits.SIGN_IN_PER_ACCOUNT, key), (rate_limits.SIGN_IN_PER_ACCOUNT_A_DAY, key))
        if not allowed:
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Authenticate; the right password forgives the wrong tries before it."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is not None:
            key = rate_limits.account_key(str(credentials.get("email", "")))
            rate_limits.forgive(rate_limits.SIGN_IN_PER_ACCOUNT, key)
        return user

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """A password that was reset by mail forgives the wrong tries before it."""
        rate_limits.forgive(rate_limits.SIGN_IN_PER_ACCOUNT, rate_limits.account_key(str(credentials["email"])))

    def post_login(self, request: HttpRequest, user: User, **hooks: Any) -> HttpResponse:
        """Show the portal in the language that the user chose before, on a browser that has chosen none."""
        response: HttpResponse = super().post_login(request, user, **hooks)
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and user.language != settings.LANGUAGE_CODE:
            set_language_cookie(response, user.language)
        return response

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff who are no members begin at their work."""
        user = request.user
        if isinstance(user, User) and user.is_staff and not user.members.exists():
            return reverse("admin:index")
        return str(super().get_login_redirect_url(request))

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Send a code, at most a few an hour to one mailbox. Raises ImmediateHttpResponse (429) beyond."""
        self._limit_mails_to(request, emailconfirmation.email_address.email)
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner of an account that somebody tried to make one; limited like the code it stands for."""
        self._limit_mails_to(allauth_context.request, email)
        super().send_account_already_exists_mail(email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render the mail now, and leave its sending to a worker: the answer tells nothing by its time (FAULTS H02)."""
        user = context.get("user")
        language = getattr(user, "language", None) or translation.get_language()
        values: dict[str, Any] = {
            "email": email,
            "current_site": {"name": settings.PORTAL_NAME, "domain": settings.PORTAL_URL},
            **{key: own_address(value) if key.endswith("_url") else value for key, value in context.items()},
        }
        with translation.override(language):
            subject = " ".join(render_to_string(f"{template_prefix}_subject.txt", values).split())
            text = render_to_string(f"{template_prefix}_message.txt", values).strip()
        mailing.queue(address=email, subject=f"{settings.PORTAL_NAME}: {subject}", text=text)

    def _limit_mails_to(self, request: HttpRequest, email: str) -> None:
        if not rate_limits.take((rate_limits.CONFIRM_MAIL_PER_ACCOUNT, rate_limits.account_key(email))):
            raise ImmediateHttpResponse(rate_limits.refuse(request))


def display_name(user: User) -> str:
    """What allauth's mails call a user: by address, since a user need not be a member with a name."""
    return user.email


def own_address(url: str) -> str:
    """The same page on PORTAL_URL: a link in a mail never carries the host that a request named (FAULTS H23)."""
    portal, parts = urlsplit(settings.PORTAL_URL), urlsplit(str(url))
    return urlunsplit((portal.scheme, portal.netloc, parts.path, parts.query, parts.fragment))


def set_language_cookie(response: HttpResponse, language: str) -> None:
    """Keep a language in the browser, as Django's LocaleMiddleware reads it."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
        httponly=True,
    )
