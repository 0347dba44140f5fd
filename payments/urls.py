"""The addresses of paying, of payments and of methods."""

from django.urls import path

from payments.pages import history, methods, overpaid, pay, receipt

urlpatterns = [
    path("pay/", pay.amounts, name="pay"),
    path("pay/<slug:number>/method/", pay.method, name="pay_method"),
    path("pay/<slug:number>/review/", pay.review, name="pay_review"),
    path("pay/<slug:number>/authenticate/", pay.authenticate, name="pay_authenticate"),
    path("payments/", history.payments, name="payments"),
    path("payments/export/", history.export, name="payments_export"),
    path("payments/overpaid/", overpaid.overpaid_money, name="overpaid"),
    path("payments/overpaid/<int:source_id>/", overpaid.overpaid_one, name="overpaid_one"),
    path("payments/<slug:number>/", receipt.receipt, name="payment"),
    path("payments/<slug:number>/status/", receipt.status, name="payment_status"),
    path("payments/<slug:number>/pdf/", receipt.pdf, name="payment_pdf"),
    path("payments/<slug:number>/return/", pay.returned, name="payment_return"),
    path("payment-methods/", methods.payment_methods, name="payment_methods"),
    path("payment-methods/<int:method_id>/name/", methods.rename, name="payment_method_name"),
    path("payment-methods/<int:method_id>/default/", methods.make_default, name="payment_method_default"),
    path("payment-methods/<int:method_id>/remove/", methods.remove, name="payment_method_remove"),
]
