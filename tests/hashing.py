"""Passwords of tests: hashed as in production, but not as slowly. Any process of the portal can check them."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """PBKDF2 with one round."""

    iterations = 1
