"""Addresses of support."""

from django.urls import path

from support import views

urlpatterns = [
    path("support/", views.support_page, name="support"),
    path("support/ask/", views.ask, name="ask"),
    path("support/<str:number>/", views.inquiry_page, name="inquiry"),
    path("support/<str:number>/close/", views.inquiry_close, name="inquiry_close"),
]
