"""The portal's WSGI application with crash points: what gunicorn serves in the fault plan."""

from billing_portal.wsgi import application
from tests.faults import crashing

crashing.install("web")

__all__ = ["application"]
