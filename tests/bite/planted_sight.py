"""The planted bugs of who sees whom: codes that let dependants in, shares that end, applications, paying blindly."""

from tests.bite.planting import Planted

A = "tests/accounts/test_enrolment_codes.py::"

S = "tests/bills/test_import_private.py::"

C = "tests/access/test_canaries.py::"

H = "tests/staff/test_happenings.py::"

R = "tests/staff/test_roles.py::"

L = "tests/staff/test_looks.py::"

SIGHT = (
    Planted(
        "an answer is told to who may still read the question",
        "notifications/audience.py",
        "    if inquiry is not None and Inquiry.objects.visible_to(inquiry.asked_by).filter(pk=inquiry.pk).exists():",
        "    if inquiry is not None:",
        f"{C}test_nothing_of_who_is_apart_reaches_the_holder[grow_up]",
    ),
    Planted(
        "a search for a member is in the member's report of who looked",
        "accounts/staff.py",
        "        return self.named(request) or super().sought(request, rows)",
        "        return ()",
        f"{L}test_who_is_searched_for_or_listed_finds_it_in_the_report",
    ),
    Planted(
        "a check of a household is not recorded by its delegate",
        "payments/lockbox.py",
        "    if household is not None and is_of(by, [household.pk]):",
        "    if household is not None and by.members.filter(household=household).exists():",
        "tests/payments/test_lockbox.py::test_nobody_records_matches_or_takes_back_a_check_of_their_own_household",
    ),
    Planted(
        "nobody of staff works off what is about their own household",
        "notifications/work_admin.py",
        "        return rows.exclude(subject__in=whose.subjects_of(own)) if own else rows",
        "        return rows",
        f"{R}test_nobody_acts_on_their_own_household",
    ),
    Planted(
        "what an action's function refuses with is said on its page",
        "accounts/staff.py",
        " = (Refused, *action.refusals)",
        " = (Refused,)",
        f"{R}test_nobody_acts_on_their_own_household",
    ),
    Planted(
        "a raw record that names one's own household is settled by others",
        "bills/import_admin.py",
        "        return {member.household_id for member in self.members_of(obj)}",
        "        return {0}",
        f"{R}test_nobody_acts_on_their_own_household",
    ),
    Planted(
        "what happened to a confidential member opens for a reason",
        "notifications/event_admin.py",
        "        return None if found.is_of_all else super().barrier(request, obj)",
        "        return None",
        f"{H}test_what_happened_to_a_confidential_members_records_opens_for_a_reason",
    ),
    Planted(
        "staff read nothing that happened in their own household",
        "notifications/event_admin.py",
        "        return rows.exclude(Q(owner_id__in=own) | Q(subject__in=whose.subjects_of(own))) if own else rows",
        "        return rows",
        f"{H}test_of_ones_own_household_nothing_that_happened_is_read_and_no_work_is_found",
    ),
    Planted(
        "the reasons of a denial are for who reads applications",
        "notifications/event_admin.py",
        "        if found.families.intersection(OF_APPLICATIONS) and not request.user.has_perm(READS_APPLICATIONS):",
        "        if False:",
        f"{H}test_what_happened_to_an_application_is_for_who_reads_applications",
    ),
    Planted(
        "a labelled claim stands on the private side",
        "bills/imports/sides.py",
        "        return self.known[person.id] if is_private else person",
        "        return person",
        f"{S}test_a_labelled_claim_and_its_bill_stand_on_the_private_side",
    ),
    Planted(
        "a label that comes later brings the claim over",
        "bills/imports/sides.py",
        "    _bring(private, sides, source, on)\n",
        "",
        f"{S}test_a_label_that_comes_later_brings_the_claim_over",
    ),
    Planted(
        "what was paid before its label counts on the private side",
        "bills/imports/moving.py",
        "    regrouping.put_below(bill.receivable_id, side.medical_control_id)\n",
        "",
        f"{S}test_what_was_paid_before_goes_there_with_its_account",
    ),
    Planted(
        "who had seen a bill does not find it as a guest once it is private",
        "payments/guests.py",
        " or of.moved_aside_at is not None)",
        ")",
        f"{S}test_who_had_seen_it_does_not_find_it_as_a_guest",
    ),
    Planted(
        "what a bill that is private by now was asked about is its person's",
        "support/models.py",
        "            *stays,\n",
        "",
        f"{C}test_of_what_was_paid_before_its_label_the_payer_keeps_the_payment_alone",
    ),
    Planted(
        "notices follow a bill to the private side",
        "notifications/moved_bills.py",
        '.update(member_id=event.data["member_id"])',
        ".exists()",
        f"{C}test_of_what_was_paid_before_its_label_the_payer_keeps_the_payment_alone",
    ),
    Planted(
        "who sees as a member gives a reason for the private side first",
        "accounts/staff.py",
        " or self._asked(request, obj, action.opens(obj))",
        "",
        "tests/staff/test_private_sides.py::test_the_eyes_of_who_has_one_ask_for_the_reason_first",
    ),
    Planted(
        "explanations of benefits are listed to whom the services are shown",
        "payments/papers.py",
        "    claims = Claim.objects.visible_to(scope).filter(\n",
        "    claims = Claim.objects.filter(\n        household_id__in=scope.household_ids,\n",
        "tests/payments/test_documents.py::test_explanations_are_seen_by_whom_the_services_are",
    ),
    Planted(
        "own consent begins at the birthday",
        "accounts/consent_rules.py",
        "    return any(age >= from_age(",
        "    return any(age > from_age(",
        "tests/accounts/test_private_sides.py::test_from_the_birthday_on_it_is_ones_own",
    ),
    Planted(
        "a planned leaving shares nothing of the private side",
        "payments/departing.py",
        "_open_in_household(member).filter(member=member)",
        "_open_bills_of_both(member)",
        "tests/accounts/test_private_sides.py::test_a_leaving_shares_nothing_of_it_with_the_holder",
    ),
    Planted(
        "a dependant's facts alone let nobody in",
        "accounts/enrolment.py",
        "    if member.user_id is None and enrolment_codes.is_needed(member) and not _has_code(user, member, proof):",
        "    if False:",
        f"{A}test_the_facts_alone_do_not_let_anybody_in_as_an_adult_dependant",
    ),
    Planted(
        "a code is tried a few times",
        "accounts/enrolment_codes.py",
        "    standing = EnrolmentCode.objects.standing().filter(member=member, tries__lt=MAX_TRIES).first()",
        "    standing = EnrolmentCode.objects.standing().filter(member=member).first()",
        f"{A}test_a_code_is_tried_five_times_and_ends_with_its_time_or_with_another",
    ),
    Planted(
        "a code is used once",
        "accounts/enrolment_codes.py",
        "    EnrolmentCode.objects.filter(pk=standing.pk).update(used_at=timezone.now())\n",
        "",
        f"{A}test_the_letters_code_lets_in_once",
    ),
    Planted(
        "a confidential member's code goes to their own address",
        "accounts/enrolment_codes.py",
        "    if not member.is_confidential:",
        "    if True:",
        f"{A}test_a_confidential_members_letter_goes_to_their_own_address_or_nowhere",
    ),
    Planted(
        "one of the family is no second member of it, code or not",
        "accounts/enrolment.py",
        "    if member.user_id is None and _is_of_the_family(user, member):",
        "    if False:",
        f"{A}test_not_even_with_the_code_is_one_of_the_family_another_member_of_it",
    ),
    Planted(
        "what was shared before a confidential request ends with it",
        "payments/models/methods.py",
        '            Q(confidential_since__isnull=True) | Q(confidential_since__lte=OuterRef("created_at"))\n',
        "",
        "tests/payments/test_sharing.py::test_what_was_shared_before_a_confidential_request_ends_with_it",
    ),
    Planted(
        "an application asks for those whom its applicant still sees",
        "assistance/applying.py",
        "    return [member for member in may_apply_for(scope) if member.pk in chosen]",
        '    return list(Member.objects.filter(pk__in=chosen).order_by("pk"))',
        "tests/assistance/test_awards.py::test_who_asked_for_confidentiality_since_it_was_begun_is_left_out",
    ),
    Planted(
        "the household's credit is told as far as its reader sees what it came of",
        "payments/leaving.py",
        "(cents := overpaid.credit_cents(scope, member.household))",
        "(cents := -member.household.credit.balance_cents)",
        f"{C}test_nothing_of_who_is_apart_reaches_the_holder[grow_up]",
    ),
    Planted(
        "an application works on nobody who is apart by now",
        "assistance/eligible.py",
        " | Q(pk__in=held))",
        " | Q(household_id=application.household_id))",
        "tests/assistance/test_awards.py::test_an_application_works_on_nobody_who_is_apart_by_now",
    ),
    Planted(
        "a bill waits no longer for who is apart by now",
        "assistance/holding.py",
        "    holds.end(of_it.exclude(bill__member__in=eligible.members(application)))\n",
        "",
        "tests/assistance/test_awards.py::test_an_application_works_on_nobody_who_is_apart_by_now",
    ),
    Planted(
        "credit of a bill is told to who sees whose it is",
        "notifications/helped.py",
        "scope.user_id if bill.member_id in scope.member_ids else bill.member.user_id",
        "scope.user_id",
        "tests/assistance/test_awards.py::test_an_application_works_on_nobody_who_is_apart_by_now",
    ),
    Planted(
        "who may only pay reads no service",
        "bills/naming.py",
        '_("Medical bill") if scope.sees_only_amounts_of(bill.member_id) else _(bill.title or "Medical bill")',
        '_(bill.title or "Medical bill")',
        "tests/access/test_matrix.py::test_who_may_look_reads_what_who_may_only_pay_does_not",
    ),
)
