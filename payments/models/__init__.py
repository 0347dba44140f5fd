"""Money on its way: methods, payments and what they are for, refunds, disputes, and the inbox of Stripe's events."""

from payments.models.autopay import (
    AutopayCharge,
    AutopayChargeQuerySet,
    AutopayConsent,
    AutopayEnrollment,
    AutopayEnrollmentQuerySet,
)
from payments.models.autopay_import import ImportedAutopay, ImportedAutopayQuerySet
from payments.models.autopay_watch import AutopayProblem, CalendarFeed
from payments.models.events import StripeEvent
from payments.models.figures import MonthFigures
from payments.models.guests import GuestLink, GuestLinkQuerySet, GuestPayment
from payments.models.lockbox import Check, CheckPayment, LockboxFile
from payments.models.mandates import Mandate, MandateQuerySet, MethodSetup
from payments.models.methods import (
    MethodShare,
    MethodShareQuerySet,
    PaymentMethod,
    PaymentMethodQuerySet,
    StripeCustomer,
)
from payments.models.overpaid import CreditMove
from payments.models.payment import Payment, PaymentAllocation, PaymentAllocationQuerySet, PaymentQuerySet, PaymentSplit
from payments.models.plan_policies import PlanPolicy, PlanPolicyQuerySet
from payments.models.plans import (
    Installment,
    InstallmentQuerySet,
    PaymentPlan,
    PaymentPlanQuerySet,
    PlanAgreement,
    PlanAgreementQuerySet,
    PlanBill,
    PlanBillQuerySet,
    PlanStatus,
)
from payments.models.reconciliation import BalanceTransaction, Finding, ReconciliationRun
from payments.models.taken_back import Dispute, DisputeQuerySet, Refund, RefundQuerySet

__all__ = [
    "AutopayCharge",
    "AutopayChargeQuerySet",
    "AutopayConsent",
    "AutopayEnrollment",
    "AutopayEnrollmentQuerySet",
    "AutopayProblem",
    "BalanceTransaction",
    "CalendarFeed",
    "Check",
    "CheckPayment",
    "CreditMove",
    "Dispute",
    "DisputeQuerySet",
    "Finding",
    "GuestLink",
    "GuestLinkQuerySet",
    "GuestPayment",
    "ImportedAutopay",
    "ImportedAutopayQuerySet",
    "Installment",
    "InstallmentQuerySet",
    "LockboxFile",
    "MonthFigures",
    "Mandate",
    "MandateQuerySet",
    "MethodSetup",
    "MethodShare",
    "MethodShareQuerySet",
    "Payment",
    "PaymentAllocation",
    "PaymentAllocationQuerySet",
    "PaymentMethod",
    "PaymentMethodQuerySet",
    "PaymentPlan",
    "PaymentPlanQuerySet",
    "PaymentQuerySet",
    "PaymentSplit",
    "PlanAgreement",
    "PlanAgreementQuerySet",
    "PlanBill",
    "PlanBillQuerySet",
    "PlanPolicy",
    "PlanPolicyQuerySet",
    "PlanStatus",
    "ReconciliationRun",
    "Refund",
    "RefundQuerySet",
    "StripeCustomer",
    "StripeEvent",
]
