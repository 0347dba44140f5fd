"""Pages that show bills and payments together, and the help page."""

from django.urls import path

from payments.pages import bills, help, overview, premiums

urlpatterns = [
    path("", help.home, name="home"),
    path("overview/", overview.overview_page, name="overview"),
    path("bills/", bills.bills_page, name="bills"),
    path("bills/<str:number>/", bills.bill_page, name="bill"),
    path("bills/<str:number>/pdf/", bills.bill_pdf, name="bill_pdf"),
    path("bills/<str:number>/share/", bills.share, name="bill_share"),
    path("premiums/", premiums.premiums_page, name="premiums"),
    path("premiums/<int:coverage_id>/ahead/", premiums.pay_ahead, name="premiums_ahead"),
    path("help/", help.help_page, name="help"),
]
