"""What assistance keeps: its rules by date, what members ask for, and what they were given."""

from assistance.models.applications import Application, Determination, IncomeSource, MissingItem
from assistance.models.awards import Award, AwardedBill
from assistance.models.rules import AssistancePolicy, CharitableRule, ExcludedService, PolicyBand, PovertyGuideline

__all__ = [
    "Application", "AssistancePolicy", "Award", "AwardedBill", "CharitableRule", "Determination", "ExcludedService",
    "IncomeSource", "MissingItem", "PolicyBand", "PovertyGuideline",
]  # fmt: skip
