"""Texts of allauth whose Spanish the portal words itself: its own catalogue goes before allauth's.

Marked here, so that they are gathered and kept; allauth's templates and forms look them up by their English.
"""

from django.utils.translation import gettext_noop

WORDS = (
    gettext_noop("Be patient, you are sending too many requests."),
    gettext_noop("You cannot generate recovery codes without having two-factor authentication enabled."),
    gettext_noop("Authenticator code"),
    gettext_noop("Authenticator secret"),
    gettext_noop("Two-Factor Authentication"),
    gettext_noop("Your account is protected by two-factor authentication. Please enter an authenticator code:"),
    gettext_noop("Alternative options"),
    gettext_noop("Use a security key"),
    gettext_noop("Enter Email Verification Code"),
    gettext_noop("Request new code"),
    gettext_noop("Your email has been changed from %(from_email)s to %(to_email)s."),
    gettext_noop("Your email verification code is listed below. Please enter it in your open browser window."),
    gettext_noop("Email address %(deleted_email)s has been removed from your account."),
    gettext_noop("A new security key has been added."),
    gettext_noop("A security key has been removed."),
    gettext_noop(
        "You're receiving this email because user %(user_display)s has given your email address to register an account"
        " on %(site_domain)s."
    ),
)
