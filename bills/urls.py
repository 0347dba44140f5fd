"""The addresses of claims. Those of bills, which show payments as well, are in payments/pages."""

from django.urls import path

from bills import claim_pages, year_pages

urlpatterns = [
    path("claims/", claim_pages.claims_page, name="claims"),
    path("claims/year/", year_pages.year_page, name="claims_year"),
    path("claims/<path:number>/pdf/", claim_pages.claim_pdf, name="claim_pdf"),
    path("claims/<path:number>/", claim_pages.claim_page, name="claim"),
]
