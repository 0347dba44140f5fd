"""The addresses of enrolment, the family, settings and the session."""

from django.urls import path

from accounts import confidential_views, delegate_views, sight_views, views
from accounts.uploads.views import upload

urlpatterns = [
    path("enroll/", views.enroll, name="enroll"),
    path("family/", views.family, name="family"),
    path("uploads/<slug:key>/", upload, name="upload"),
    path("family/confidential/", confidential_views.confidential, name="confidential"),
    path("family/confidential/end/", confidential_views.confidential_withdraw, name="confidential_end"),
    path("family/sight/", sight_views.sight_page, name="sight"),
    path("family/delegates/", delegate_views.delegates_page, name="delegates"),
    path("family/delegates/invite/", delegate_views.invite, name="delegate_invite"),
    path("family/delegates/<int:delegate_id>/end/", delegate_views.end, name="delegate_end"),
    path("family/invitations/", delegate_views.invitations, name="invitations"),
    path("family/invitations/<int:invitation_id>/", delegate_views.answer, name="invitation"),
    path("family/sent/<int:invitation_id>/withdraw/", delegate_views.withdraw, name="invitation_withdraw"),
    path("settings/", views.settings_page, name="settings"),
    path("settings/language/", views.language, name="set_language"),
    path("viewing/end/", views.stop_viewing, name="viewing_end"),
    path("session/", views.session_state, name="session_state"),
    path("session/extend/", views.session_extend, name="session_extend"),
]
