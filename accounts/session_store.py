"""Where sessions are: in the database, as Django keeps them. Looked up on every request, so with SQL that is kept."""

import datetime as dt

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from billing_portal.prepared import prepared


class SessionStore(DatabaseSessionStore):
    """Django's store, with its one look-up of every request prepared."""

    def _get_session_from_db(self) -> Session | None:
        """The session's row, unless it has expired; a key without one is forgotten."""
        found = _unexpired(self.session_key, timezone.now())
        if not found:
            self._session_key = None
            return None
        return found[0]


@prepared
def _unexpired(key: str | None, now: dt.datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
