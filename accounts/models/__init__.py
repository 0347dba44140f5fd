"""People and what covers them: users, households, members, delegates, plans, coverages."""

from accounts.models.confidential import ConfidentialRequest, ConfidentialRequestQuerySet
from accounts.models.consents import ConsentRule, ConsentRuleQuerySet, Sensitive
from accounts.models.coverages import Coverage, CoverageQuerySet, Plan
from accounts.models.delegates import Delegate, DelegateQuerySet, Invitation, InvitationQuerySet
from accounts.models.departures import Departure, DepartureQuerySet
from accounts.models.enrolling import EnrolmentCode, EnrolmentCodeQuerySet
from accounts.models.mails import Mail, MailQuerySet
from accounts.models.people import Household, Member, MemberQuerySet
from accounts.models.users import User, UserManager
from accounts.uploads.models import Upload

__all__ = [
    "ConfidentialRequest",
    "ConfidentialRequestQuerySet",
    "ConsentRule",
    "ConsentRuleQuerySet",
    "Coverage",
    "CoverageQuerySet",
    "Delegate",
    "DelegateQuerySet",
    "Departure",
    "DepartureQuerySet",
    "EnrolmentCode",
    "EnrolmentCodeQuerySet",
    "Household",
    "Invitation",
    "InvitationQuerySet",
    "Mail",
    "MailQuerySet",
    "Member",
    "MemberQuerySet",
    "Plan",
    "Sensitive",
    "Upload",
    "User",
    "UserManager",
]
