"""The bill check: each flag, its sums, and what it leaves alone."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Member
from accounts.visibility import scope_of
from bills import check_facts, check_words, checking, claims, holds, issuing, rechecking, sharing
from bills.checking import ClaimFacts, EstimateFacts, Facts, Flag, Maximum, Result, Twin
from bills.models import Bill, Claim, Hold
from tests.bills.importing import book_holds, eob, owes, patient, take, take_path
from tests.conftest import Cast
from tests.factories import make_bill, make_coverage, make_delegate

DAY = dt.date(2026, 10, 14)
ESTIMATE = EstimateFacts("G", "P", 100_000, 140_000, DAY)


def flags(facts: Facts) -> list[Flag]:
    """What a check finds."""
    return [finding.flag for finding in checking.check(facts).findings]


def checked(bill: Bill, viewer: Member | None = None) -> Result:
    """The check of a bill, as a member sees it or as a whole."""
    scope = scope_of(viewer.user) if viewer is not None and viewer.user is not None else None
    return checking.check(check_facts.gather(bill, scope=scope))


def found(bill: Bill, viewer: Member | None = None) -> list[Flag]:
    """The flags of a bill."""
    return [finding.flag for finding in checked(bill, viewer).findings]


def make_claim(
    bill: Bill | None, member: Member, *, owes_cents: int, number: str = "55-90817", **fields: object
) -> Claim:
    """A claim that the plan worked out, which counts towards the year."""
    claim = Claim.objects.create(
        **{
            "number": number, "member": member, "household": member.household, "bill": bill, "kind": "professional",
            "service_on": DAY, "processed_on": DAY, "member_owes_cents": owes_cents, "source": "test",
            "source_id": f"{number}-{Claim.objects.count()}", "source_version": "1",
            "provider_name": "Oakridge Medical Center", **fields,
        }
    )  # fmt: skip
    claims.accumulate([claims.counted(claim)])
    return claim


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(charged_cents=18_500, claims=[ClaimFacts(number="1", owes_cents=18_500)]), []),
        (Facts(charged_cents=9_000, claims=[ClaimFacts(number="1", owes_cents=18_500)]), []),  # a part was paid there
        (Facts(charged_cents=18_501, claims=[ClaimFacts(number="1", owes_cents=18_500)]), [Flag.MORE_THAN_CLAIM]),
        (Facts(charged_cents=0, claims=[ClaimFacts(number="1", owes_cents=0, is_open=True)]), []),
        (Facts(charged_cents=500, claims=[ClaimFacts(number="1", owes_cents=0, is_open=True)]), [Flag.CLAIM_OPEN]),
        (Facts(charged_cents=500, twin=Twin("2", 500)), [Flag.BILLED_TWICE]),
        (Facts(charged_cents=500, maximums=[Maximum(1_000, 1_000, 500)]), [Flag.OVER_MAXIMUM]),
        (Facts(charged_cents=500, maximums=[Maximum(1_000, 500, 500)]), []),
        (Facts(charged_cents=140_000, estimates=[ESTIMATE]), [Flag.ABOVE_ESTIMATE]),
        (Facts(charged_cents=139_999, estimates=[replace(ESTIMATE, charged_cents=139_999)]), []),
    ],
)  # fmt: skip
def test_each_flag_stands_exactly_from_its_limit_on(facts: Facts, expected: list[Flag]) -> None:
    assert flags(facts) == expected


def test_what_the_provider_gave_up_by_contract_is_not_the_members() -> None:
    """CO amounts (RULES 9.1): a bill that asks for exactly the discount besides the share."""
    claim = ClaimFacts(
        number="1", owes_cents=4_000, discount_cents=17_500, allowed_cents=20_500, plan_paid_cents=16_500
    )
    [finding] = checking.check(Facts(charged_cents=21_500, claims=[claim])).findings
    assert (finding.flag, finding.over_cents) == (Flag.NOT_YOUR_SHARE, 17_500)
    assert finding.sums == {"charged": 21_500, "share": 4_000, "discount": 17_500}


def test_a_qualified_medicare_beneficiary_owes_no_cost_sharing() -> None:
    """Remark codes N781 to N783 and OA-209 (42 U.S.C. 1396a(n)(3)(B))."""
    for code in ("N781", "N782", "N783", "OA-209"):
        claim = ClaimFacts(number="1", owes_cents=4_000, cost_share_cents=4_000, remark_codes=frozenset({"MA01", code}))
        [finding] = checking.check(Facts(charged_cents=4_000, claims=[claim])).findings
        assert (finding.flag, finding.over_cents) == (Flag.NOT_YOUR_SHARE, 4_000)
    for owing in (6_000, 2_000):  # with the cost sharing that it forbids, or without it; $20.00 are not covered
        claim = replace(claim, owes_cents=owing, not_covered_cents=2_000)
        [finding] = checking.check(Facts(charged_cents=6_000, claims=[claim])).findings
        assert (finding.flag, finding.over_cents) == (Flag.NOT_YOUR_SHARE, 4_000)
        assert flags(Facts(charged_cents=2_000, claims=[claim])) == []
    other = ClaimFacts(number="1", owes_cents=4_000, cost_share_cents=4_000, remark_codes=frozenset({"MA01"}))
    assert flags(Facts(charged_cents=4_000, claims=[other])) == []


@pytest.mark.parametrize(
    ("before", "asks", "prepaid", "over"),
    [
        (10_000, 20_000, 0, 10_000), (10_000, 10_000, 0, 0), (10_000, 15_000, 0, 5_000),  # corrected wholly, in part
        (20_000, 5_000, 15_000, 5_000), (20_000, 0, 20_000, 0), (10_000, 5_000, 15_000, 5_000), (0, 5_000, 15_000, 0),
    ],
)  # fmt: skip
def test_no_more_of_a_bill_lies_beyond_the_maximum_than_it_asks_for_beyond_what_is_left(
    before: int, asks: int, prepaid: int, over: int
) -> None:
    """Its claim shares $200.00 of cost, of which `before` cents were too many; some was paid at the counter."""
    claim = ClaimFacts(number="1", owes_cents=20_000, cost_share_cents=20_000)
    maximum = Maximum(870_000, 850_000 + before, 20_000)
    facts = Facts(charged_cents=asks, prepaid_cents=prepaid, claims=[claim], maximums=[maximum])
    assert [finding.over_cents for finding in checking.check(facts).findings] == ([over] if over else [])


def test_a_claim_leaves_no_more_than_its_own_amounts_leave() -> None:
    """A biller's file that asks for more than allowed less paid."""
    claim = ClaimFacts(number="1", owes_cents=9_000, allowed_cents=20_000, plan_paid_cents=15_000)
    assert claim.share_cents == 5_000
    assert flags(Facts(charged_cents=9_000, claims=[claim])) == [Flag.MORE_THAN_CLAIM]
    rounded = ClaimFacts(number="1", owes_cents=5_004, allowed_cents=20_000, plan_paid_cents=15_000)
    assert flags(Facts(charged_cents=5_004, claims=[rounded])) == []


def test_a_bill_that_matches_says_so_and_one_above_its_claim_says_by_how_much(cast: Cast) -> None:
    bill = make_bill(cast.alice)
    claim = make_claim(bill, cast.alice, owes_cents=18_500)
    page = text(cast.alice, f"/bills/{bill.number}/")
    assert "This bill matches its claim" in page
    Claim.objects.filter(pk=claim.pk).update(member_owes_cents=14_000)
    page = text(cast.alice, f"/bills/{bill.number}/")
    assert "This bill is $45.00 more than your claim says you owe" in page
    assert "$140.00" in page and "/claims/55-90817/" in page and "matches its claim" not in page


def test_a_bill_without_a_claim_says_that_there_is_none(cast: Cast) -> None:
    bill = make_bill(cast.alice)
    assert "no claim to compare this bill with" in text(cast.alice, f"/bills/{bill.number}/")


def test_a_billers_own_row_is_no_claim_but_the_plans_claim_of_its_number_or_service_is(
    cast: Cast, tmp_path: Path
) -> None:
    file = tmp_path / "bills.csv"
    file.write_text(
        "bill_id,member_number,service_date,title,amount,provider,claim_number\n"
        "B1,M-ALICE,2026-10-14,Office visit,185.00,Elm Clinic,55-1\n"
        "B2,M-ALICE,2026-10-15,Office visit,90.00,Elm Clinic,\n"
    )
    take_path(file, format="csv")
    by_number, by_service = Bill.objects.order_by("amount_cents")[1], Bill.objects.order_by("amount_cents")[0]
    assert not checked(by_number).is_compared
    make_claim(None, cast.alice, owes_cents=14_000, number="55-1")
    assert found(by_number) == [Flag.MORE_THAN_CLAIM]
    make_claim(
        None, cast.alice, owes_cents=9_000, number="55-2", service_on=dt.date(2026, 10, 15), provider_name="ELM clinic"
    )
    assert checked(by_service).matches


def test_a_second_bill_of_one_service_is_flagged_and_the_first_is_not(cast: Cast) -> None:
    first, second = make_bill(cast.alice), make_bill(cast.alice)
    assert (found(first), found(second)) == ([], [Flag.BILLED_TWICE])
    assert found(make_bill(cast.bob)) == []
    assert found(make_bill(cast.alice, amount_cents=100)) == []
    assert found(make_bill(cast.alice, title="Laboratory")) == []
    assert found(make_bill(cast.alice, provider_name="")) == []
    assert found(make_bill(cast.alice, provider_name="")) == [Flag.BILLED_TWICE]
    make_claim(first, cast.alice, owes_cents=18_500, number="A")
    make_claim(second, cast.alice, owes_cents=18_500, number="B")
    assert found(second) == []  # two claims were worked out: two services
    Claim.objects.all().delete()
    issuing.void(first, on=DAY, reason="test", actor="test")
    assert found(second) == []


def test_two_bills_of_one_claim_number_are_flagged_whatever_they_are_called(cast: Cast) -> None:
    """A biller's row and the plan's claim; two sources; not what one source of the plan tells apart itself."""
    first = make_bill(cast.alice, title="Visit", provider_name="")
    second = make_bill(cast.alice, amount_cents=20_000, service_on=DAY + dt.timedelta(days=1))
    row = make_claim(first, cast.alice, owes_cents=18_500, kind="bill", source="csv")
    its = make_claim(second, cast.alice, owes_cents=20_000)
    assert (found(first), found(second)) == ([], [Flag.BILLED_TWICE])
    assert f"Bill {first.number} is for the same claim" in text(cast.alice, f"/bills/{second.number}/")
    for mine, other, expected in (
        ({"kind": "vision"}, {}, [Flag.BILLED_TWICE]),  # two sources of the plan's
        ({"kind": "vision", "source": "test"}, {}, []),
        ({"kind": "bill"}, {"kind": "invoice"}, [Flag.BILLED_TWICE]),
        ({"service_on": DAY - dt.timedelta(days=9)}, {}, []),  # two billers' numbers on two days
        ({"kind": "bill", "service_on": DAY}, {"number": "another", "kind": "professional"}, []),
    ):
        Claim.objects.filter(pk=row.pk).update(**mine)
        Claim.objects.filter(pk=its.pk).update(**other)
        assert found(second) == expected
    Claim.objects.filter(pk=its.pk).update(number=row.number)
    assert found(second) == [Flag.BILLED_TWICE]
    issuing.adjust(first, amount_cents=18_500, key="off", on=DAY, reason="test", actor="test")
    assert found(second) == []  # nobody asks for the first any more


def test_cost_sharing_beyond_the_years_maximum_is_flagged_from_the_claims(cast: Cast) -> None:
    """The plan's limit is $8,700 for one person."""
    make_coverage(cast.alice, cast.bob, cast.maya)
    service_on = dt.date(timezone.localdate().year, 2, 3)
    first = make_bill(cast.alice, amount_cents=860_000, service_on=service_on)
    make_claim(first, cast.alice, owes_cents=860_000, number="1", deductible_cents=860_000, service_on=service_on,
               processed_on=service_on)  # fmt: skip
    later = make_bill(cast.alice, amount_cents=30_000, service_on=service_on)
    make_claim(later, cast.alice, owes_cents=30_000, number="2", coinsurance_cents=30_000, service_on=service_on)
    assert found(first) == []
    [finding] = checked(later).findings
    assert (finding.flag, finding.over_cents) == (Flag.OVER_MAXIMUM, 20_000)
    assert finding.sums == {"limit": 870_000, "before": 860_000, "of_bill": 30_000, "charged": 30_000}
    Claim.objects.filter(bill=later).update(member_owes_cents=35_000)  # of which $50.00 were paid at the counter
    assert [finding.over_cents for finding in checked(later).findings] == [20_000]
    issuing.correct_by_hand(later, to_cents=15_000, draft_key="1", on=DAY, reason="test", actor="test")
    assert [finding.over_cents for finding in checked(later).findings] == [5_000]
    issuing.correct_by_hand(later, to_cents=10_000, draft_key="2", on=DAY, reason="test", actor="test")
    assert checked(later).matches
    invoiced = make_bill(cast.alice, amount_cents=30_000, service_on=service_on, title="X-ray")
    make_claim(invoiced, cast.alice, owes_cents=30_000, number="I", kind="invoice", service_on=service_on)
    make_claim(None, cast.alice, owes_cents=30_000, number="3", copay_cents=30_000, service_on=service_on)
    [finding] = checked(invoiced).findings  # by the plan's claim of its service
    assert (finding.flag, finding.sums["before"], finding.over_cents) == (Flag.OVER_MAXIMUM, 890_000, 30_000)


def test_the_familys_maximum_tells_a_holder_nothing_of_a_confidential_member(cast: Cast) -> None:
    """FAULTS F06: neither the flag nor its absence depends on what the holder may not see. Staff see all."""
    make_coverage(cast.alice, cast.bob, cast.maya)
    service_on = dt.date(timezone.localdate().year, 2, 3)
    for number, member in enumerate((cast.bob, cast.maya)):
        make_claim(None, member, owes_cents=869_000, number=f"F{number}", deductible_cents=869_000,
                   service_on=service_on, processed_on=service_on)  # fmt: skip
    bill = make_bill(cast.alice, amount_cents=30_000, service_on=service_on)
    make_claim(bill, cast.alice, owes_cents=30_000, deductible_cents=30_000, service_on=service_on)
    assert found(bill, cast.alice) == [Flag.OVER_MAXIMUM]
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    assert found(bill, cast.alice) == []
    assert found(bill) == [Flag.OVER_MAXIMUM]


def test_a_shared_bill_tells_the_holder_of_no_other_bill_or_claim(cast: Cast) -> None:
    Member.objects.filter(pk=cast.bob.pk).update(confidential_since=timezone.now())
    cast.bob.refresh_from_db()
    first, second = make_bill(cast.bob), make_bill(cast.bob)
    sharing.set_shared(second, is_shared=True, actor="test")
    assert found(second, cast.bob) == [Flag.BILLED_TWICE]
    assert found(second, cast.alice) == []
    make_claim(second, cast.bob, owes_cents=100)
    assert cast.alice.user is not None
    told = check_words.of_bill(second, scope_of(cast.alice.user))
    assert told is not None and [each.claim_number for each in told.told] == [""]
    assert first.number not in text(cast.alice, f"/bills/{second.number}/")


def test_a_pay_only_delegate_is_told_nothing_of_the_claim(cast: Cast) -> None:
    bill = make_bill(cast.bob)
    make_claim(bill, cast.bob, owes_cents=14_000)
    client = Client()
    client.force_login(
        make_delegate(cast.bob, "payer@example.com", "pay_only"), "accounts.backends.AuthenticationBackend"
    )
    page = client.get(f"/bills/{bill.number}/").content.decode()
    assert bill.number in page and "claim" not in page.partition("<main")[2].partition("</main>")[0].lower()


def standing_causes() -> list[str]:
    return list(Hold.objects.standing().values_list("cause", flat=True))


def test_a_bill_whose_claim_is_open_is_held_from_the_first_moment_and_goes_on_when_it_is_decided(
    cast: Cast, tmp_path: Path
) -> None:
    """Not due: held in the import's own transaction. Decided, it is repriced and there is time to pay it."""
    head = "bill_id,member_number,service_date,title,amount,due_date,issued_date,status\n"
    file = tmp_path / "bills.csv"
    file.write_text(f"{head}B1,M-ALICE,2026-10-14,Office visit,185.00,2026-11-10,2026-10-20,pending\n")
    after_the_chunk: list[str] = []
    take_path(file, format="csv", progress=lambda read, total: after_the_chunk.extend(standing_causes()))
    assert after_the_chunk == ["claim_open"]  # before the look over all bills that ends an import
    bill = Bill.objects.get()
    assert (bill.balance_cents, bill.held_since is not None) == (18_500, True)
    assert Hold.objects.standing().get().cause == "claim_open"
    assert found(bill) == [Flag.CLAIM_OPEN]
    page = text(cast.alice, f"/bills/{bill.number}/")
    assert "The claim for this bill is not decided yet" in page and "Pay only if you want to" in page
    assert "This bill asks for, so far" in page and "/claims/B1/" in page and "flag=claim_open" in page
    assert "Nothing is due on this bill yet" not in page  # said once
    other = holds.begin(bill, cause=Hold.Cause.ASSISTANCE, reference="application:1")
    page = text(cast.alice, f"/bills/{bill.number}/")
    assert "The claim for this bill is not decided yet" in page and "We are checking this bill" in page
    assert "flag=claim_open" in page
    holds.end([other])
    assert rechecking.run(DAY).holds == 0
    assert book_holds()
    file.write_text(f"{head}B1,M-ALICE,2026-10-14,Office visit,140.00,2026-11-10,2026-10-20,active\n")
    take_path(file, format="csv")
    bill = Bill.objects.get()
    assert (bill.balance_cents, bill.held_since, Hold.objects.standing().count()) == (14_000, None, 0)
    assert bill.due_on == bill.receivable.matures_on == timezone.localdate() + dt.timedelta(days=holds.DAYS_TO_PAY)
    assert book_holds()


def test_a_claim_that_is_opened_again_or_canceled_is_followed(cast: Cast, tmp_path: Path) -> None:
    head = "bill_id,member_number,service_date,title,amount,status,deductible\n"
    file = tmp_path / "bills.csv"
    states = [("active", 0), ("pending", 1), ("active", 0), ("pending", 1), ("cancelled", 0)]
    for state, standing in states:
        file.write_text(f"{head}B1,M-ALICE,2026-10-14,Office visit,185.00,{state},185.00\n")
        take_path(file, format="csv")
        assert Hold.objects.standing().count() == standing
        assert book_holds()
    assert Bill.objects.get().voided_at is not None


def test_the_daily_check_mends_a_hold_that_is_missing_or_left_over(cast: Cast) -> None:
    bill = make_bill(cast.alice)
    claim = make_claim(bill, cast.alice, owes_cents=18_500, status=Claim.Status.OPEN)
    assert (rechecking.run(DAY).holds, rechecking.run(DAY).holds) == (1, 0)
    Claim.objects.filter(pk=claim.pk).update(status=Claim.Status.ACTIVE)
    assert (rechecking.run(DAY).holds, rechecking.run(DAY).holds) == (1, 0)
    bill.refresh_from_db()
    assert bill.held_since is None
    Claim.objects.filter(pk=claim.pk).update(bill=None, status=Claim.Status.OPEN)  # of the bill's service
    assert (rechecking.run(DAY).holds, rechecking.run(DAY).holds) == (1, 0)
    Bill.objects.filter(pk=bill.pk).update(provider_name="Another clinic")
    assert (rechecking.run(DAY).holds, rechecking.run(DAY).holds) == (1, 0)


def test_a_corrected_claim_clears_the_flag_and_what_was_paid_too_much_is_credit(cast: Cast, tmp_path: Path) -> None:
    take(tmp_path, patient(), eob())
    claim = Claim.objects.get()
    bill = claim.bill
    assert bill is not None
    issuing.correct(bill, by_cents=4_500, key="by-hand", on=DAY, reason="raised by mistake")
    assert found(bill) == [Flag.MORE_THAN_CLAIM]
    take(tmp_path, owes(eob(), 29))
    assert checked(Bill.objects.get()).matches
    assert Bill.objects.get().balance_cents == 2_900
    assert book_holds()


def test_remark_codes_are_kept_from_explanations_of_benefits(db: None, tmp_path: Path) -> None:
    x12 = "https://x12.org/codes"
    reason = {"coding": [{"system": f"{x12}/remittance-advice-remark-codes", "code": "N782"},
                         {"system": f"{x12}/claim-adjustment-reason-codes", "code": "209"},
                         {"system": f"{x12}/claim-adjustment-reason-codes", "code": "45"},
                         {"system": "https://elsewhere.example", "code": "N781"}, {"code": 7}]}  # fmt: skip
    resource = eob()
    resource["item"][0]["adjudication"].append({"category": {"coding": [{"code": "denialreason"}]}, "reason": reason})
    take(tmp_path, patient(), resource)
    assert Claim.objects.get().remark_codes == "N782 OA-209"
    [finding] = checked(Bill.objects.get()).findings
    assert (finding.flag, finding.over_cents) == (Flag.NOT_YOUR_SHARE, 3_000)


def text(member: Member, path: str) -> str:
    """What a member reads there."""
    client = Client()
    assert member.user is not None
    client.force_login(member.user, "accounts.backends.AuthenticationBackend")
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())
