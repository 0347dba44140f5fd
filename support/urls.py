"""Addresses of support and help."""

from django.urls import path

from support import views
from support.help import views as help_views

urlpatterns = [
    path("support/", views.support_page, name="support"),
    path("support/ask/", views.ask, name="ask"),
    path("support/<str:number>/", views.inquiry_page, name="inquiry"),
    path("support/<str:number>/close/", views.inquiry_close, name="inquiry_close"),
    path("support/<str:number>/remove-file/", views.inquiry_file_remove, name="inquiry_file_remove"),
    path("help/", help_views.help_page, name="help"),
    path("help/<slug:slug>/", help_views.help_article, name="help_article"),
]
