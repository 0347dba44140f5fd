"""What the workers do for questions."""

import logging

from celery import shared_task

from support import settling

log = logging.getLogger(__name__)


@shared_task
def settle_corrected() -> None:
    """Close the questions about bills that were corrected meanwhile. Harmless to repeat."""
    if count := settling.settle_corrected():
        log.info("%s questions settled by corrections", count)
