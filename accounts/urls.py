"""The addresses of enrolment, the family, settings and the session."""

from django.urls import path

from accounts import views
from accounts.uploads.views import upload

urlpatterns = [
    path("enroll/", views.enroll, name="enroll"),
    path("family/", views.family, name="family"),
    path("uploads/<slug:key>/", upload, name="upload"),
    path("settings/", views.settings_page, name="settings"),
    path("settings/language/", views.language, name="set_language"),
    path("viewing/end/", views.stop_viewing, name="viewing_end"),
    path("session/", views.session_state, name="session_state"),
    path("session/extend/", views.session_extend, name="session_extend"),
]
