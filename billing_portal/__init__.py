"""The house itself: settings, addresses, the Celery application, the embedded services, health checks."""

from billing_portal.celery import app as celery_app

__all__ = ["celery_app"]
