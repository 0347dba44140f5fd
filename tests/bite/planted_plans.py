"""The planted bugs of payment plans."""

from tests.bite.planting import Planted

P = "tests/payments/"

PLANS = (
    Planted(
        "the list of plans names providers to who may see services",
        "payments/pages/plans.py",
        "for bill in where.bills if bill.pk in seen)",
        "for bill in where.bills)",
        "tests/payments/plans/test_pages.py::test_the_list_names_a_plan_by_its_bills_as_far_as_the_viewer_may_know",
    ),
    Planted(
        "a plan waits on the overview from the moment that a bill of it is held",
        "payments/plans/glance.py",
        '        is_held=row["is_held"],',
        "        is_held=False,",
        "tests/payments/plans/test_pages.py::test_a_held_bill_pauses_its_plan_on_every_page_at_once",
    ),
    Planted(
        "words that were read are those agreed to", "payments/plans/agreeing.py",
        "    if signing.digest != made.digest:", "    if False:",
        f"{P}plans/test_agreeing.py::test_what_changed_since_it_was_read_is_read_again",
    ),
    Planted(
        "no plan without the text of the law", "payments/plans/agreeing.py",
        "    if policy.needs_text and (not policy.required_text or policy.required_text not in text):", "    if False:",
        f"{P}plans/test_agreeing.py::test_without_the_text_nothing_is_agreed_to",
    ),
    Planted(
        "a bill whose money is on its way joins no plan", "payments/plans/offering.py",
        "    if bill.pk in moving:", "    if False:",
        f"{P}plans/test_agreeing.py::test_bills_that_do_not_fit_are_not_offered",
    ),
    Planted(
        "notice before a plan ends", "payments/plans/standing.py",
        "            plan.noticed_on + dt.timedelta(days=plan.policy.notice_days),\n", "",
        f"{P}plans/test_time.py::test_no_plan_ends_without_a_notice_thirty_days_before",
    ),
    Planted(
        "instalments follow their bills", "payments/plans/respreading.py",
        "    moved = where.scheduled_cents != where.should_be_cents\n", "    moved = False\n",
        f"{P}plans/test_time.py::test_an_award_comes_off_the_last_instalments_and_back_on_when_it_is_taken_back",
    ),
    Planted(
        "a held bill takes nothing of a plan's payment", "payments/plans/allocating.py",
        "if bill.held_since is None and bill.voided_at is None else 0", "if bill.voided_at is None else 0",
        f"{P}plans/test_time.py::test_an_allocation_is_never_more_than_can_be_paid",
    ),
    Planted(
        "a bill that is held makes its whole plan wait at once", "payments/plans/standing.py",
        "        return self.plan.paused_from is not None or self.is_held",
        "        return self.plan.paused_from is not None",
        f"{P}autopay/test_instalments.py::"
        "test_nothing_of_a_plan_is_charged_from_the_moment_that_a_bill_of_it_is_held",
    ),
    Planted(
        "a pause for hardship runs to its end", "payments/plans/pausing.py",
        "    if plan.pause_reason == Pause.HARDSHIP and plan.paused_until is not None and today < plan.paused_until:",
        "    if False:",
        f"{P}plans/test_time.py::test_a_pause_for_hardship_runs_to_its_end_whatever_is_held_meanwhile",
    ),
    Planted(
        "no statement asks for an instalment of a plan that waits", "payments/statement_planned.py",
        " if not where.is_waiting] if plans", "] if plans",
        f"{P}test_statement_planned.py::test_of_a_plan_that_waits_neither_a_statement_nor_the_calendar_asks_anything",
    ),
    Planted(
        "no charge that waits in the calendar", "payments/models/autopay.py",
        "        return self.exclude(still, status__in=(S.ANNOUNCED, S.ASKED))", "        return self",
        f"{P}test_statement_planned.py::test_a_charge_lies_on_its_day_after_a_pause_and_on_none_while_it_waits",
    ),
    Planted(
        "what is being charged holds up a change", "payments/plans/pausing.py",
        '    if where.plan.autopay.filter(charges__installment__in=lines, charges__status="queued").exists():',
        "    if False:",
        f"{P}plans/test_time.py::test_what_is_being_charged_holds_up_changes",
    ),
    Planted(
        "a plan that is wholly seen, or one's own", "payments/models/plans.py",
        "        others = Q(household_id__in=scope.household_ids) & ~Q(pk__in=hidden.values(\"plan_id\"))",
        "        others = Q(household_id__in=scope.household_ids)",
        f"{P}plans/test_pages.py::test_others_of_the_household_see_it_only_where_they_see_every_bill",
    ),
)  # fmt: skip
