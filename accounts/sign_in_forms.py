"""Allauth's forms where the portal asks more of them: limits, and answers that take the same time (FAULTS H02)."""

from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa.base import forms as mfa_forms
from django import forms
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from accounts import rate_limits


class SignupForm(account_forms.SignupForm):
    """Making a sign-in: for an address that has one already, the same work and the same answer."""

    def try_save(self, request: HttpRequest) -> Any:
        """Hash the password in either case, since that is what takes time."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ResetPasswordForm(account_forms.ResetPasswordForm):
    """Asking for a new password: a few mails an hour to one mailbox, and no word about which were sent."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send the mail, or quietly none where the mailbox has had its share."""
        email: str = self.cleaned_data["email"]
        if rate_limits.take((rate_limits.RESET_PER_ACCOUNT, rate_limits.account_key(email))):
            super().save(request, **kwargs)
        return email


class LimitedCodeMixin(forms.Form):
    """A code of an authenticator app or a recovery code: tries are counted by user, whichever session they come from.

    Passkeys are not counted here, so that failing them locks nobody out of codes (FAULTS H10).
    """

    user: Any

    def clean_code(self) -> str:
        """Check the code. Where Valkey is away a used code cannot be told from a fresh one: apps' codes are refused."""
        if not rate_limits.take((rate_limits.CODE_PER_ACCOUNT, str(self.user.pk))):
            raise forms.ValidationError(_("Too many tries. Try again later."), code="too_many_tries")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except RedisError:
            raise forms.ValidationError(
                _(
                    "We cannot check codes at this moment. Use a recovery code or a passkey,"
                    " or try again in a few minutes."
                ),
                code="codes_unavailable",
            ) from None
        rate_limits.forgive(rate_limits.CODE_PER_ACCOUNT, str(self.user.pk))
        return code


class AuthenticateForm(LimitedCodeMixin, mfa_forms.AuthenticateForm):
    """The second step of signing in."""


class ReauthenticateForm(LimitedCodeMixin, mfa_forms.ReauthenticateForm):
    """Proving oneself again with a code."""


__all__ = ["AuthenticateForm", "ReauthenticateForm", "ResetPasswordForm", "SignupForm"]
