"""Addresses of assistance."""

from django.urls import path

from assistance import application_views as steps
from assistance import views

urlpatterns = [
    path("assistance/", views.assistance, name="assistance"),
    path("assistance/summary/", views.summary, name="assistance_summary"),
    path("assistance/begin/", steps.begin, name="application_begin"),
    path("assistance/estimates/<slug:number>/", views.estimate, name="assistance_estimate"),
    path("assistance/applications/<slug:number>/", steps.application, name="application"),
    path("assistance/applications/<slug:number>/people/", steps.people, name="application_people"),
    path("assistance/applications/<slug:number>/income/", steps.income, name="application_income"),
    path(
        "assistance/incomes/<int:source_id>/drop/", steps.drop_income,
        name="application_drop_income",
    ),
    path("assistance/applications/<slug:number>/expenses/", steps.expenses, name="application_expenses"),
    path("assistance/applications/<slug:number>/sign/", steps.sign, name="application_sign"),
    path("assistance/applications/<slug:number>/letter/", views.letter, name="application_letter"),
    path("assistance/applications/<slug:number>/withdraw/", steps.withdraw, name="application_withdraw"),
    path("assistance/applications/<slug:number>/appeal/", steps.appeal, name="application_appeal"),
]  # fmt: skip
