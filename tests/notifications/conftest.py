"""A mail server, and payments to tell of."""

from tests.smtp import mailbox  # noqa: F401
