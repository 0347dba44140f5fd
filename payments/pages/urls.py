"""Pages that show bills and payments together, and the front door."""

from django.urls import path

from payments.pages import bills, front_door, household, leaving, overview, plan_changes, plan_wizard, plans, premiums

urlpatterns = [
    path("", front_door.home, name="home"),
    path("overview/", overview.overview_page, name="overview"),
    path("bills/", bills.bills_page, name="bills"),
    path("bills/<str:number>/", bills.bill_page, name="bill"),
    path("bills/<str:number>/pdf/", bills.bill_pdf, name="bill_pdf"),
    path("bills/<str:number>/share/", bills.share, name="bill_share"),
    path("plans/", plans.plans_page, name="plans"),
    path("plans/new/", plan_wizard.new, name="plan_new"),
    path("plans/new/terms/", plan_wizard.terms, name="plan_terms"),
    path("plans/new/sign/", plan_wizard.sign, name="plan_sign"),
    path("plans/agreements/<int:agreement_id>/", plans.plan_agreement, name="plan_agreement"),
    path("plans/<slug:number>/", plans.plan_page, name="plan"),
    path("plans/<slug:number>/pay/", plans.plan_pay, name="plan_pay"),
    path("plans/<slug:number>/add/", plan_changes.add, name="plan_add"),
    path("plans/<slug:number>/change/", plan_changes.change, name="plan_change"),
    path("plans/<slug:number>/change/sign/", plan_changes.change_sign, name="plan_change_sign"),
    path("plans/<slug:number>/method/", plan_changes.method, name="plan_method"),
    path("plans/<slug:number>/pause/", plan_changes.pause, name="plan_pause"),
    path("plans/<slug:number>/resume/", plan_changes.resume, name="plan_resume"),
    path("plans/<slug:number>/end/", plan_changes.end, name="plan_end"),
    path("premiums/", premiums.premiums_page, name="premiums"),
    path("premiums/<int:coverage_id>/ahead/", premiums.pay_ahead, name="premiums_ahead"),
    path("family/owes/", household.owes_page, name="owes"),
    path("family/leaving/", leaving.leaving_page, name="leaving"),
    path("family/leaving/<int:member_id>/", leaving.leaving_one, name="leaving_one"),
    path("family/leaving/<int:member_id>/cancel/", leaving.leaving_cancel, name="leaving_cancel"),
    path("family/leaving/<int:member_id>/plans/", leaving.leaving_plans, name="leaving_plans"),
    path("family/leaving/<int:member_id>/death/", leaving.leaving_death, name="leaving_death"),
    path("family/spending/", household.spending_page, name="spending"),
    path("family/spending/export/", household.spending_export, name="spending_export"),
]
