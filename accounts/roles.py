"""The roles of staff: what each may see and do. Groups of these names are made by `manage.py install_roles`.

Seeing a kind of record is Django's `view` permission. What staff may do has the permission that is nearest in Django's
own words: `payments.add_refund` to refund, `payments.change_refund` to approve another's refund, `bills.change_bill` to
adjust or void, `bills.add_importbatch` to import, `bills.change_importreject` to settle a reject,
`payments.change_finding` to explain money in suspense, `payments.add_check` and `payments.change_check` for checks,
`payments.add_lockboxfile` for their files, `payments.add_planpolicy` to replace a rule of payment plans,
`bills.add_hold` and `bills.change_hold` to hold a bill and let it go on,
`support.change_inquiry` to answer questions, `bills.add_estimate`
to record good-faith estimates, `activity.change_workitem` to work off the queue, `activity.add_access` to see the
portal as a member sees it, `assistance.change_application` to decide applications, `assistance.change_award` to end
what was given, `accounts.change_user` to give roles, `accounts.add_enrolmentcode` to let a dependant sign in. None of
them opens a form that edits a record: there is none.
"""

from enum import StrEnum

from django.contrib.auth.models import Group, Permission
from django.db import transaction


class Role(StrEnum):
    """The groups of staff."""

    MEMBER_SERVICES = "Member Services"
    BILLING = "Billing"
    ASSISTANCE = "Assistance"
    AUDITOR = "Auditor"
    ADMINISTRATOR = "Administrator"


SERVICES_SEE = frozenset(
    {
        "accounts.view_household", "accounts.view_member", "accounts.view_delegate", "accounts.view_plan",
        "accounts.view_consentrule",
        "accounts.view_coverage", "bills.view_bill", "bills.view_billline", "bills.view_claim", "bills.view_claimline",
        "bills.view_accumulator", "bills.view_gracerule", "bills.view_graceperiod", "bills.view_financecharge",
        "bills.view_statement", "bills.view_chargerule", "bills.view_hold",
        "payments.view_payment", "payments.view_paymentallocation", "payments.view_refund",
        "payments.view_dispute", "payments.view_autopaycharge", "payments.view_autopayproblem",
        "payments.view_importedautopay",
        "notifications.view_notification",
        "notifications.view_suppression", "activity.view_workitem", "support.view_inquiry", "bills.view_estimate",
        "payments.view_paymentplan", "payments.view_installment", "payments.view_planbill",
        "payments.view_planagreement", "payments.view_planpolicy",
    }
)  # fmt: skip
BILLING_SEES = SERVICES_SEE | {
    "ledger.view_account", "ledger.view_transfer", "activity.view_event", "bills.view_importbatch",
    "bills.view_importreject", "payments.view_stripeevent", "payments.view_reconciliationrun", "payments.view_finding",
    "payments.view_balancetransaction", "payments.view_check", "payments.view_lockboxfile",
    "payments.view_monthfigures",
}  # fmt: skip
AUDITOR_SEES = BILLING_SEES | {
    "accounts.view_user", "auth.view_group", "activity.view_access", "payments.view_paymentmethod",
}  # fmt: skip
BILLING_DOES = frozenset(
    {
        "payments.add_refund", "payments.change_refund", "bills.change_bill", "bills.add_importbatch",
        "bills.change_importreject", "bills.add_hold", "bills.change_hold", "activity.change_workitem",
        "bills.add_chargerule", "payments.change_finding", "payments.add_check",
        "payments.change_check", "payments.add_lockboxfile", "support.change_inquiry", "bills.add_estimate",
    }
)  # fmt: skip
SERVICES_DO = frozenset(
    {
        "activity.change_workitem", "activity.add_access", "bills.add_hold", "bills.change_hold",
        "support.change_inquiry", "bills.add_estimate", "accounts.add_departure",
        "accounts.add_enrolmentcode",
    }
)  # fmt: skip
ASSISTANCE_SEES = frozenset(
    {
        "assistance.view_application", "assistance.view_award", "assistance.view_povertyguideline",
        "assistance.view_assistancepolicy", "assistance.view_charitablerule", "assistance.view_excludedservice",
    }
)  # fmt: skip
ASSISTANCE_DOES = frozenset({"assistance.change_application", "assistance.change_award"})

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.MEMBER_SERVICES: SERVICES_SEE | SERVICES_DO,
    Role.BILLING: BILLING_SEES | BILLING_DOES,
    Role.ASSISTANCE: SERVICES_SEE | SERVICES_DO | ASSISTANCE_SEES | ASSISTANCE_DOES,
    Role.AUDITOR: AUDITOR_SEES | ASSISTANCE_SEES,
    Role.ADMINISTRATOR: AUDITOR_SEES
    | ASSISTANCE_SEES
    | BILLING_DOES
    | ASSISTANCE_DOES
    | SERVICES_DO
    | {"accounts.change_user", "payments.add_planpolicy"},
}


class PermissionMissing(Exception):
    """A role names a permission that the database has not got: migrate first."""


@transaction.atomic
def install() -> None:
    """Make the groups, each with exactly its permissions. Harmless to repeat. Raises PermissionMissing."""
    found = {
        f"{app_label}.{codename}": pk
        for app_label, codename, pk in Permission.objects.values_list("content_type__app_label", "codename", "pk")
    }
    for role, names in PERMISSIONS.items():
        if missing := names - set(found):
            raise PermissionMissing(f"no such permission: {', '.join(sorted(missing))}")
        Group.objects.get_or_create(name=role)[0].permissions.set([found[name] for name in names])
