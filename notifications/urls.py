"""The addresses of notices, of what one wants to be told, and of what providers report."""

from django.urls import path

from notifications import settings_views, views, webhook_views

urlpatterns = [
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/read/", views.read_all, name="notifications_read_all"),
    path("notifications/unsubscribe/", webhook_views.unsubscribe, name="unsubscribe"),
    path("notifications/<int:notice_id>/", views.open_notice, name="notification"),
    path("notifications/<int:notice_id>/read/", views.read_one, name="notification_read"),
    path("settings/notifications/", settings_views.notification_settings, name="notification_settings"),
    path("settings/notifications/delivery/", settings_views.delivery, name="notification_delivery"),
    path("settings/notifications/documents/", settings_views.documents, name="notification_documents"),
    path("settings/notifications/texts/", settings_views.texts, name="notification_texts"),
    path("webhooks/mail/", webhook_views.mail_report, name="mail_report"),
    path("webhooks/texts/", webhook_views.text_reply, name="text_reply"),
]
