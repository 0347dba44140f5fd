"""The planted bugs of the bill check, the plan year and questions."""

from tests.bite.planting import Planted

B, S = "tests/bills/", "tests/support/"

SUPPORT = (
    Planted(
        "a bill above its claim",
        "bills/checking.py",
        "    if over <= 0:",
        "    if True:",
        f"{B}test_checking.py::test_a_bill_that_matches_says_so_and_one_above_its_claim_says_by_how_much",
    ),
    Planted(
        "family's maximum by what the viewer sees",
        "bills/check_facts.py",
        "        of_people &= Q(member_id__in=scope.clinical_ids)",
        "        of_people &= Q()",
        f"{B}test_checking.py::test_the_familys_maximum_tells_a_holder_nothing_of_a_confidential_member",
    ),
    Planted(
        "two bills of one claim number",
        "bills/check_facts.py",
        "    return mine.kind in Kind.values or its.kind in Kind.values or mine.service_on == its.service_on",
        "    return False",
        f"{B}test_checking.py::test_two_bills_of_one_claim_number_are_flagged_whatever_they_are_called",
    ),
    Planted(
        "a flag has its button until it is asked about",
        "payments/pages/bills.py",
        "not causes.isdisjoint(check_words.CAUSES.values())",
        "bool(causes)",
        f"{S}test_questions.py::test_asking_about_a_bill_opens_a_question_holds_the_bill_and_waits_for_staff",
    ),
    Planted(
        "a shared bill tells of no other bill",
        "bills/check_facts.py",
        "    bills = Bill.objects.all() if scope is None else Bill.objects.visible_to(scope)",
        "    bills = Bill.objects.all()",
        f"{B}test_checking.py::test_a_shared_bill_tells_the_holder_of_no_other_bill_or_claim",
    ),
    Planted(
        "a bill whose claim is open is held in the import itself",
        "bills/imports/inserting.py",
        "    if waiting:",
        "    if False:",
        f"{B}test_checking.py::test_a_bill_whose_claim_is_open_is_held_from_the_first_moment_and_goes_on_when_it_is_decided",
    ),
    Planted(
        "a biller's bill waits for the open claim of its number or service",
        "bills/compared.py",
        "    return mine | {",
        "    return mine & {",
        f"{B}test_import_open_claims.py::test_a_billers_bill_waits_for_the_open_claim_that_it_is_compared_with",
    ),
    Planted(
        "a bill that comes after its open claim is held in the import itself",
        "bills/imports/inserting.py",
        " or (is_billed and record.kind not in Kind.values)",
        "",
        f"{B}test_import_open_claims.py::test_a_billers_bill_waits_for_the_open_claim_that_it_is_compared_with",
    ),
    Planted(
        "no sudden past due when a hold ends",
        "bills/holds.py",
        "            give_time(locked)\n",
        "",
        f"{S}test_questions.py::test_a_hold_ends_without_a_sudden_past_due",
    ),
    Planted(
        "no month of a confidential member in the plan year",
        "bills/plan_years.py",
        "filter(coverage__in=coverages, member_id__in=scope.clinical_ids)",
        "filter(coverage__in=coverages)",
        f"{B}test_plan_years.py",
    ),
    Planted(
        "a question is its asker's",
        "support/models.py",
        "            | Q(member_id__in=scope.held_ids, member__user__isnull=True)",
        "            | Q(member_id__in=scope.held_ids)",
        f"{S}test_questions.py::test_who_reads_a_question",
    ),
    Planted(
        "only who may pay lets a bill wait",
        "support/asking.py",
        "    return subject.can_hold and _may_pay(scope, subject.member.pk)",
        "    return subject.can_hold",
        f"{S}test_questions.py::test_a_delegate_who_may_only_look_asks_without_a_hold_and_who_may_pay_with_one",
    ),
    Planted(
        "a bill that is still wrong stays disputed",
        "support/settling.py",
        "    if bill.voided_at is None and checking.check(check_facts.gather(bill)).findings:",
        "    if False:",
        f"{S}test_questions.py::test_a_bill_that_is_still_wrong_stays_disputed",
    ),
    Planted(
        "who may only look ends no hold",
        "support/views.py",
        "    if not asking.may_close(request.scope, inquiry):",
        "    if False:",
        f"{S}test_questions.py::test_who_may_only_look_does_not_end_the_hold_of_anothers_question",
    ),
    Planted(
        "what staff take off a bill counts in its check",
        "bills/issuing.py",
        "    return _net_cents(bill, (*CHARGES, *TAKEN_OFF))",
        "    return _net_cents(bill, CHARGES)",
        f"{S}test_questions.py::test_what_staff_take_off_a_bill_clears_its_flag_and_settles_its_dispute",
    ),
    Planted(
        "a bill that staff lowered is not raised again by its claim",
        "bills/imports/restating.py",
        "    if record.due_cents > issuing.charged_cents(bill) and",
        "    if False and",
        f"{B}test_import_corrections.py::test_a_claim_does_not_raise_a_bill_again_that_staff_have_lowered",
    ),
    Planted(
        "a rightly corrected bill of a Medicare beneficiary is in order",
        "bills/checking.py",
        "facts.charged_cents - _left(facts.claims, free) if free else 0",
        "min(facts.charged_cents, free)",
        f"{B}test_checking.py::test_a_qualified_medicare_beneficiary_owes_no_cost_sharing",
    ),
    Planted(
        "no more beyond the maximum than a bill asks for",
        "bills/checking.py",
        "    over = min(facts.charged_cents, worst.over_cents, too_much)",
        "    over = worst.over_cents",
        f"{B}test_checking.py::test_no_more_of_a_bill_lies_beyond_the_maximum_than_it_asks_for_beyond_what_is_left",
    ),
)
