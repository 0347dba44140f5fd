"""The addresses of autopay."""

from django.urls import path

from payments.pages import autopay, autopay_charges, autopay_terms, calendar_feed

urlpatterns = [
    path("autopay/", autopay.autopay_page, name="autopay"),
    path("autopay/calendar/", autopay.calendar_page, name="autopay_calendar"),
    path("autopay/feed/", calendar_feed.feed_page, name="calendar_feed_page"),
    path("calendar-feed/<str:token>.ics", calendar_feed.read, name="calendar_feed"),
    path("autopay/new/", autopay_terms.choose, name="autopay_new"),
    path("autopay/terms/", autopay_terms.how, name="autopay_terms"),
    path("autopay/review/", autopay_terms.review, name="autopay_review"),
    path("autopay/charges/<int:charge_id>/", autopay_charges.charge_page, name="autopay_charge"),
    path("autopay/charges/<int:charge_id>/change/", autopay_charges.change_charge, name="autopay_charge_change"),
    path("autopay/<int:enrollment_id>/", autopay.enrollment_page, name="autopay_enrollment"),
    path("autopay/<int:enrollment_id>/pause/", autopay.pause, name="autopay_pause"),
    path("autopay/<int:enrollment_id>/resume/", autopay.resume, name="autopay_resume"),
    path("autopay/<int:enrollment_id>/stop/", autopay.stop, name="autopay_stop"),
]
