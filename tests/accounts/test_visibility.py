"""Who sees whose rows, for every model and every relation (FAULTS F01, F05, F06, F08 to F10, F17; DESIGN section 7)."""

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.households import add_member
from accounts.models import Coverage, Delegate, Member, User
from accounts.visibility import Scope, scope_of, scopes_of
from bills.models import Bill, Claim
from notifications.models import Notification
from payments.models import Payment, PaymentAllocation
from tests.accounts.records import Records, expected, make_guest_payment
from tests.conftest import Cast

HOUSEHOLD = "Alice Bob Maya"


@pytest.fixture
def records(cast: Cast) -> Records:
    return Records(cast.alice, cast.bob, cast.maya, cast.charlie)


@pytest.fixture
def eve(cast: Cast) -> User:
    """Somebody without a membership, to whom something may be granted."""
    return User.objects.create_user("eve@example.com")


def grant(member: Member, user: User, kind: str, **fields: object) -> Delegate:
    return Delegate.objects.create(member=member, user=user, grant=kind, **fields)


def make_confidential(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(confidential_since=timezone.now())


def test_the_holder_sees_the_household_and_only_her_own_methods_and_notices(cast: Cast, records: Records) -> None:
    assert records.seen_by(cast.alice.user) == expected(amounts=HOUSEHOLD, own="Alice")


def test_an_adult_dependant_sees_his_own(cast: Cast, records: Records) -> None:
    assert records.seen_by(cast.bob.user) == expected(amounts="Bob", own="Bob")


def test_a_stranger_sees_nothing_of_the_household(cast: Cast, records: Records) -> None:
    assert records.seen_by(cast.charlie.user) == expected(amounts="Charlie", own="Charlie")


def test_staff_see_no_more_than_a_member_in_the_member_portal(cast: Cast, records: Records) -> None:
    """Not even a superuser: staff work in the admin."""
    assert cast.dana.is_superuser
    assert records.seen_by(cast.dana) == expected()


def test_nobody_sees_nothing_guests_payments_and_notices_without_a_user_included(cast: Cast, records: Records) -> None:
    """A row whose user is null is nobody's: an anonymous viewer must not match it."""
    make_guest_payment(records.bills["Alice"])
    Notification.objects.create(dedupe_key="to an address", kind="test", subject="test:1")
    assert records.seen_by(AnonymousUser()) == expected()
    assert records.seen_by(Scope()) == expected()


def test_a_user_who_is_switched_off_sees_nothing(cast: Cast, records: Records) -> None:
    cast.alice.user.is_active = False
    assert records.seen_by(cast.alice.user) == expected()


@pytest.mark.parametrize(("kind", "clinical"), [("pay_only", ""), ("view", "Bob"), ("full", "Bob")])
def test_a_delegate_sees_what_was_granted_of_that_member_alone(
    cast: Cast, records: Records, eve: User, kind: str, clinical: str
) -> None:
    """Pay only: amounts and dates, no claim."""
    grant(cast.bob, eve, kind)
    assert records.seen_by(eve) == expected(amounts="Bob", clinical=clinical)


@pytest.mark.parametrize(("kind", "may_pay"), [("pay_only", True), ("view", False), ("full", True)])
def test_a_delegate_who_may_only_look_may_not_pay(cast: Cast, eve: User, kind: str, may_pay: bool) -> None:
    grant(cast.bob, eve, kind)
    assert (cast.bob.pk in scope_of(eve).payable_ids) is may_pay
    assert scope_of(eve).sees_only_amounts_of(cast.bob.pk) is (kind == "pay_only")


def test_a_grant_ends_after_its_last_day_and_at_once_when_it_is_ended(cast: Cast, records: Records, eve: User) -> None:
    """F17: proxy revoked."""
    today = timezone.localdate()
    delegate = grant(cast.bob, eve, "full", until=today)
    assert records.seen_by(eve) == expected(amounts="Bob")
    Delegate.objects.filter(pk=delegate.pk).update(until=today - dt.timedelta(days=1))
    assert records.seen_by(eve) == expected()
    Delegate.objects.filter(pk=delegate.pk).update(until=None, ended_at=timezone.now())
    assert records.seen_by(eve) == expected()


def test_a_delegate_who_is_a_member_too_sees_both(cast: Cast, records: Records) -> None:
    grant(cast.bob, cast.charlie.user, "view")
    assert records.seen_by(cast.charlie.user) == expected(amounts="Charlie Bob", own="Charlie")


@pytest.mark.parametrize("name", ["bob", "maya"])
def test_of_a_confidential_member_the_holder_sees_no_row(cast: Cast, records: Records, name: str) -> None:
    """F06: from the moment of the request, with or without a sign-in of the member's own."""
    make_confidential(getattr(cast, name))
    others = " ".join(other for other in HOUSEHOLD.split() if other != name.capitalize())
    assert records.seen_by(cast.alice.user) == expected(amounts=others, own="Alice")


def test_a_confidential_member_sees_their_own(cast: Cast, records: Records) -> None:
    make_confidential(cast.bob)
    assert records.seen_by(cast.bob.user) == expected(amounts="Bob", own="Bob")


def test_a_confidential_holder_sees_herself_and_the_household(cast: Cast, records: Records) -> None:
    make_confidential(cast.alice)
    assert records.seen_by(cast.alice.user) == expected(amounts=HOUSEHOLD, own="Alice")
    assert records.seen_by(cast.bob.user) == expected(amounts="Bob", own="Bob")


def test_a_shared_bill_of_a_confidential_member_is_seen_with_its_payment_and_nothing_else(
    cast: Cast, records: Records
) -> None:
    make_confidential(cast.bob)
    shared = records.bills["Bob"]
    Bill.objects.filter(pk=shared.pk).update(shared_at=timezone.now())
    alice = cast.alice.user
    assert shared in Bill.objects.visible_to(alice)
    assert Payment.objects.visible_to(alice).filter(allocations__bill=shared).count() == 1
    assert not Claim.objects.visible_to(alice).filter(member=cast.bob).exists()
    assert not Member.objects.visible_to(alice).filter(pk=cast.bob.pk).exists()
    assert shared not in Bill.objects.visible_to(cast.charlie.user)
    Bill.objects.filter(pk=shared.pk).update(shared_at=None)
    assert shared not in Bill.objects.visible_to(alice)


def test_what_was_granted_before_a_confidential_request_ends_with_it(cast: Cast, records: Records) -> None:
    """F17: a grant to the holder, or to anybody, must be made again after the request."""
    grant(cast.bob, cast.alice.user, "full")
    make_confidential(cast.bob)
    assert records.seen_by(cast.alice.user) == expected(amounts="Alice Maya", own="Alice")
    Delegate.objects.filter(member=cast.bob).update(ended_at=timezone.now())
    grant(cast.bob, cast.alice.user, "view")
    assert records.seen_by(cast.alice.user) == expected(amounts=HOUSEHOLD, own="Alice")


def test_a_payment_is_hidden_whole_where_one_of_its_bills_is(cast: Cast, records: Records) -> None:
    """F06: no remainder that reveals a confidential bill. Bob paid his own and Maya's in one payment."""
    payment = Payment.objects.get(number="PAY-Bob")
    PaymentAllocation.objects.create(payment=payment, bill=records.bills["Maya"], amount_cents=100)
    assert payment in Payment.objects.visible_to(cast.alice.user)
    make_confidential(cast.bob)
    assert payment not in Payment.objects.visible_to(cast.alice.user)
    assert payment in Payment.objects.visible_to(cast.bob.user)


def test_who_paid_for_a_member_confidential_now_sees_the_payment_and_not_what_it_was_for(
    cast: Cast, records: Records
) -> None:
    payment = Payment.objects.get(number="PAY-Alice")
    hidden = PaymentAllocation.objects.create(payment=payment, bill=records.bills["Bob"], amount_cents=100)
    assert hidden in PaymentAllocation.objects.visible_to(cast.alice.user)
    make_confidential(cast.bob)
    assert payment in Payment.objects.visible_to(cast.alice.user)
    assert hidden not in PaymentAllocation.objects.visible_to(cast.alice.user)


def test_a_payment_for_no_bill_is_its_payers_alone(cast: Cast, records: Records) -> None:
    """Without allocations there is no bill that the household could see it by."""
    PaymentAllocation.objects.filter(payment__number="PAY-Alice").delete()
    payment = Payment.objects.get(number="PAY-Alice")
    assert payment in Payment.objects.visible_to(cast.alice.user)
    assert payment not in Payment.objects.visible_to(cast.bob.user)


def test_a_draft_is_seen_by_its_payer_alone(cast: Cast, records: Records) -> None:
    draft = Payment.objects.create(
        number="DRAFT", household=cast.household, kind="medical", channel="web", amount_cents=100, payer=cast.bob.user
    )
    PaymentAllocation.objects.create(payment=draft, bill=records.bills["Bob"], amount_cents=100)
    assert draft in Payment.objects.visible_to(cast.bob.user)
    assert draft not in Payment.objects.visible_to(cast.alice.user)


def test_a_guests_payment_is_seen_by_those_who_see_its_bill(cast: Cast, records: Records) -> None:
    payment = make_guest_payment(records.bills["Bob"])
    assert payment in Payment.objects.visible_to(cast.alice.user)
    assert payment in Payment.objects.visible_to(cast.bob.user)
    assert payment not in Payment.objects.visible_to(cast.charlie.user)


def test_the_holder_of_two_households_sees_both(cast: Cast, records: Records) -> None:
    Member.objects.filter(pk=cast.charlie.pk).update(is_primary_holder=False)
    second = add_member(
        cast.strangers, number="M-ALICE-2", first_name="Alice", last_name="Rivera", birth_date=cast.alice.birth_date,
        is_primary_holder=True, user=cast.alice.user,
    )  # fmt: skip
    scope = scope_of(cast.alice.user)
    assert scope.held_household_ids == {cast.household.pk, cast.strangers.pk}
    assert scope.member_ids == {cast.alice.pk, cast.bob.pk, cast.maya.pk, cast.charlie.pk, second.pk}


def test_the_holder_of_one_household_is_a_dependant_in_another(cast: Cast, records: Records) -> None:
    """Holding one household gives nothing in the other."""
    own = add_member(
        cast.strangers, number="M-ALICE-2", first_name="Alice", last_name="Rivera", birth_date=cast.alice.birth_date,
        user=cast.alice.user,
    )  # fmt: skip
    scope = scope_of(cast.alice.user)
    assert scope.member_ids == {cast.alice.pk, cast.bob.pk, cast.maya.pk, own.pk}
    assert cast.charlie.pk not in scope.member_ids
    assert records.bills["Charlie"] not in Bill.objects.visible_to(cast.alice.user)


def test_a_bill_of_ones_member_that_stands_in_a_foreign_household_is_not_seen(cast: Cast, records: Records) -> None:
    """The household of the bill decides too: a member who moved leaves old bills behind."""
    Bill.objects.filter(pk=records.bills["Bob"].pk).update(household=cast.strangers)
    assert records.bills["Bob"] not in Bill.objects.visible_to(cast.bob.user)


def test_a_payment_that_stands_in_a_foreign_household_is_its_payers_alone(cast: Cast, records: Records) -> None:
    Payment.objects.filter(number="PAY-Bob").update(household=cast.strangers)
    payment = Payment.objects.get(number="PAY-Bob")
    assert payment in Payment.objects.visible_to(cast.bob.user)
    assert payment not in Payment.objects.visible_to(cast.alice.user)
    assert payment not in Payment.objects.visible_to(cast.charlie.user)


def test_whom_a_coverage_covers_sees_what_it_covers_and_not_what_it_costs(cast: Cast, records: Records) -> None:
    coverage = Coverage.objects.get(subscriber=cast.alice)
    coverage.members.add(cast.alice, cast.bob)
    assert coverage in Coverage.objects.covering(cast.bob.user)
    assert coverage not in Coverage.objects.visible_to(cast.bob.user)
    assert coverage not in Coverage.objects.covering(cast.charlie.user)
    assert list(Coverage.objects.covering(cast.alice.user)) == [coverage]


def test_only_the_primary_holder_holds_a_household(cast: Cast) -> None:
    assert scope_of(cast.alice.user).held_household_ids == {cast.household.pk}
    assert scope_of(cast.bob.user).held_household_ids == frozenset()


def test_a_scope_costs_two_queries_and_its_reuse_none(cast: Cast, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(2):  # type: ignore[operator]
        scope = scope_of(cast.alice.user)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert scope_of(scope) is scope


def test_many_scopes_at_once_are_those_of_each(cast: Cast, eve: User, django_assert_num_queries: object) -> None:
    """With households held, a confidential member, grants before and after it, and a user who is switched off."""
    grant(cast.bob, eve, "view")
    make_confidential(cast.bob)
    grant(cast.maya, eve, "pay_only")
    grant(cast.alice, cast.charlie.user, "full")  # type: ignore[arg-type]
    add_member(
        cast.strangers, number="M-ALICE-2", first_name="Alice", last_name="Rivera", birth_date=dt.date(1984, 3, 9),
        user=cast.alice.user,
    )  # fmt: skip
    off = User.objects.create_user("off@example.com", is_active=False)
    users = [cast.alice.user, cast.bob.user, cast.charlie.user, cast.dana, eve, off]
    with django_assert_num_queries(2):  # type: ignore[operator]
        scopes = scopes_of(users)  # type: ignore[arg-type]
    assert scopes == {user.pk: scope_of(user) for user in users}  # type: ignore[union-attr,arg-type]
