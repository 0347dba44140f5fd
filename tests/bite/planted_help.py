"""The planted bugs of help with costs: applications, awards, charitable coverage."""

from tests.bite.planting import Planted

P = "tests/assistance/"

HELP = (
    Planted(
        "an award follows who is apart by now", "assistance/eligible.py",
        "            member__in=award.members.all(), issued_on__lte=award.end_on,",
        "            member__in=members(award.application), issued_on__lte=award.end_on,",
        f"{P}test_awards.py::test_an_award_follows_who_is_apart_by_now_and_its_applicant_learns_nothing_of_it",
    ),
    Planted(
        "an award of a premium is seen as long as its subscriber is", "assistance/models/awards.py",
        "        of_whom = Q(coverage__isnull=True) | Q(coverage__subscriber_id__in=scope.member_ids)",
        "        of_whom = Q()",
        f"{P}test_charitable.py::test_of_the_premium_of_who_is_apart_by_now_the_applicant_reads_nothing",
    ),
    Planted(
        "no hold for an application that is decided", "assistance/holding.py",
        "Application.objects.pending().select_for_update().filter(pk=application_id).first()",
        "Application.objects.pending().filter(pk=application_id).first()",
        f"{P}test_awards.py::test_no_bill_is_held_for_an_application_that_is_taken_back_meanwhile",
    ),
    Planted(
        "an award follows what is charged", "assistance/correcting.py",
        "    lacking = rules.award_cents(charged, standing) - given\n", "    lacking = 0\n",
        f"{P}test_corrections.py::test_an_award_that_is_over_still_follows_and_one_that_was_ended_gives_no_more",
    ),
    Planted(
        "what was given is no more than the percentage", "assistance/correcting.py",
        "    too_much = max(0, given - rules.award_cents(charged, best))\n", "    too_much = 0\n",
        f"{P}test_corrections.py::test_two_awards_of_one_bill_follow_by_the_greater",
    ),
    Planted(
        "a bill that comes in after midnight is covered", "assistance/awarding.py",
        "Award.objects.still_counting(today)", "Award.objects.in_force(today)",
        f"{P}test_awards.py::test_new_bills_in_its_period_are_covered_and_none_after_it",
    ),
    Planted(
        "a renewal begins where the last one ends", "assistance/charity.py",
        "    return None if is_early or is_over else last + DAY", "    return on.replace(day=1)",
        f"{P}test_charitable.py"
        "::test_renewed_early_a_year_begins_where_the_last_one_ends_three_times_and_no_fourth",
    ),
    Planted(
        "months before charitable coverage are not its own", "bills/premium_sql.py",
        """since=f"c.{aid.starts_on or 'start_on'}\"""", 'since="c.start_on"',
        f"{P}test_charitable.py::test_months_before_it_began_are_not_its_own",
    ),
    Planted(
        "an appeal waits for what is being decided", "assistance/applying.py",
        "    if (other := other_open(locked)) is not None:", "    if (other := None) is not None:",
        f"{P}test_pages.py"
        "::test_an_appeal_takes_back_what_was_only_begun_and_waits_for_what_is_being_decided",
    ),
    Planted(
        "medical bills wait for what asks help with them", "assistance/holding.py",
        " if application.wants_assistance else []", "",
        f"{P}test_charitable.py::test_what_is_asked_for_waits_and_nothing_else",
    ),
    Planted(
        "a letter of approval reads as on its day", "assistance/letters.py",
        "            award.end_on = _end_as_given(award)\n", "            pass\n",
        f"{P}test_letters.py::test_help_that_is_ended_says_why_and_the_letter_that_gave_it_stays_as_it_was",
    ),
    Planted(
        "open bills wait for no period where the policy says so alone", "assistance/period.py",
        "(policy.takes_any_time or first_on is None)", "True",
        f"{P}test_awards.py"
        "::test_the_period_runs_from_the_first_statement_and_california_takes_open_bills_at_any_time",
    ),
    Planted(
        "what a premium was overpaid goes back", "assistance/charity.py",
        '    _note_overpaid(now, coverage, credited.filter(pk__gt=before))\n', "",
        f"{P}test_refunding.py::test_a_premium_that_charitable_coverage_makes_overpaid_goes_back_too",
    ),
    Planted(
        "what an earlier award gave a month stands", "bills/premium_changes.py",
        "SELECT CASE WHEN c.charitable_starts_on > m.last", "SELECT CASE WHEN false",
        f"{P}test_charitable.py::test_months_before_it_began_are_not_its_own",
    ),
)  # fmt: skip
