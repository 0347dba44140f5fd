"""Accounting stories, one for each row of the table of movements; each ends in a zero trial balance."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

import ledger
from ledger import Posting, trial
from ledger.chart import SYSTEM_ACCOUNT_IDS, Code, SystemAccount
from tests.ledger.books import DAY, Book, balance, open_book, summed

ISSUED = dt.date(2026, 11, 1)


class Story:
    """A household's book, told in the words of the chart."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.told = 0

    def moves(self, cents: int, code: Code, *, debit: SystemAccount | int, credit: SystemAccount | int) -> int:
        """Post one movement; return its id."""
        self.told += 1
        debit_id, credit_id = (SYSTEM_ACCOUNT_IDS.get(side, side) for side in (debit, credit))
        key, reference = f"{code}:{self.told}", "story:1"
        return ledger.post(Posting(debit_id, credit_id, cents, code, key, reference, DAY, self.book.owner_id)).id

    def bill(self, cents: int) -> int:
        """Issue a medical bill."""
        return self.moves(cents, Code.BILL_ISSUED, debit=self.book.bill, credit=SystemAccount.MEDICAL_REVENUE)

    def paid(self, cents: int) -> int:
        """A payment succeeded."""
        return self.moves(cents, Code.PAYMENT, debit=SystemAccount.STRIPE_CLEARING, credit=self.book.bill)

    @property
    def owed(self) -> int:
        """What is owed on the bill."""
        return balance(self.book.bill)


def of(account: SystemAccount) -> int:
    """Debits less credits of one of the plan's accounts."""
    return summed(SYSTEM_ACCOUNT_IDS[account])


@pytest.fixture
def story(db: None) -> Iterator[Story]:
    """A story; whatever it tells, every balance is the sum of its transfers and all of them sum to nothing."""
    story = Story(open_book())
    yield story
    book = story.book
    for account_id in (book.bill, book.other_bill, book.credit):
        assert balance(account_id) == summed(account_id)
    assert balance(book.control) == balance(book.bill) + balance(book.other_bill)
    lines = trial.balance()
    assert sum(line.balance_cents for line in lines) == 0
    assert trial.is_zero(lines)


def test_a_bill_is_issued(story: Story) -> None:
    """Bill issued: the receivable of the bill, to revenue."""
    story.bill(12_345)
    assert story.owed == 12_345
    assert of(SystemAccount.MEDICAL_REVENUE) == -12_345


def test_a_premium_is_issued_with_its_subsidy(story: Story) -> None:
    """Premium of $520.00, of which $310.00 is a tax credit: the member owes $210.00."""
    story.moves(52_000, Code.BILL_ISSUED, debit=story.book.bill, credit=SystemAccount.PREMIUM_REVENUE)
    story.moves(31_000, Code.SUBSIDY, debit=SystemAccount.SUBSIDY_EXPENSE, credit=story.book.bill)
    assert story.owed == 21_000
    assert of(SystemAccount.SUBSIDY_EXPENSE) == 31_000


def test_a_subsidy_is_withdrawn(story: Story) -> None:
    """A tax credit that was not due after all is owed again."""
    story.bill(52_000)
    story.moves(31_000, Code.SUBSIDY, debit=SystemAccount.SUBSIDY_EXPENSE, credit=story.book.bill)
    story.moves(1_000, Code.SUBSIDY_WITHDRAWN, debit=story.book.bill, credit=SystemAccount.SUBSIDY_EXPENSE)
    assert story.owed == 22_000


def test_a_bill_is_corrected_up_down_and_voided(story: Story) -> None:
    """What was issued stays; each correction is its own movement."""
    story.bill(10_000)
    story.moves(500, Code.BILL_RAISED, debit=story.book.bill, credit=SystemAccount.MEDICAL_REVENUE)
    story.moves(3_000, Code.BILL_LOWERED, debit=SystemAccount.MEDICAL_REVENUE, credit=story.book.bill)
    assert story.owed == 7_500
    story.moves(7_500, Code.BILL_VOIDED, debit=SystemAccount.MEDICAL_REVENUE, credit=story.book.bill)
    assert story.owed == of(SystemAccount.MEDICAL_REVENUE) == 0


def test_a_payment_succeeds_in_parts(story: Story) -> None:
    """A transfer for each bill: clearing, from the receivable."""
    story.bill(10_000)
    story.paid(3_333)
    story.paid(6_667)
    assert story.owed == 0
    assert of(SystemAccount.STRIPE_CLEARING) == 10_000


def test_what_is_above_the_balance_becomes_household_credit(story: Story) -> None:
    """A race or a late award: the money stays the household's."""
    story.bill(10_000)
    story.moves(4_000, Code.ASSISTANCE, debit=SystemAccount.CHARITY_CARE_EXPENSE, credit=story.book.bill)
    story.paid(6_000)
    story.moves(4_000, Code.OVERPAYMENT, debit=SystemAccount.STRIPE_CLEARING, credit=story.book.credit)
    assert (story.owed, balance(story.book.credit)) == (0, -4_000)


def test_household_credit_is_applied(story: Story) -> None:
    """Credit pays another bill, and never more than there is of it."""
    story.bill(2_500)
    story.moves(4_000, Code.OVERPAYMENT, debit=SystemAccount.STRIPE_CLEARING, credit=story.book.credit)
    story.moves(2_500, Code.CREDIT_APPLIED, debit=story.book.credit, credit=story.book.bill)
    assert (story.owed, balance(story.book.credit)) == (0, -1_500)


def test_a_paid_bill_that_is_lowered_leaves_credit(story: Story) -> None:
    """Credit raised: the overpaid part moves on to the household's credit, in one statement with the correction."""
    story.bill(10_000)
    story.paid(10_000)
    revenue, book = SYSTEM_ACCOUNT_IDS[SystemAccount.MEDICAL_REVENUE], story.book
    ledger.post_many(
        [
            Posting(revenue, book.bill, 2_000, Code.BILL_LOWERED, "l", "bill:1", DAY, book.owner_id),
            Posting(book.bill, book.credit, 2_000, Code.CREDIT_RAISED, "l:credit", "bill:1", DAY, book.owner_id),
        ]
    )
    assert (story.owed, balance(book.credit)) == (0, -2_000)


def test_a_refund_opens_the_bill_again(story: Story) -> None:
    """Refund: the receivable, from clearing."""
    story.bill(10_000)
    story.paid(10_000)
    story.moves(4_000, Code.REFUND, debit=story.book.bill, credit=SystemAccount.STRIPE_CLEARING)
    assert story.owed == 4_000
    assert of(SystemAccount.STRIPE_CLEARING) == 6_000


def test_household_credit_is_refunded(story: Story) -> None:
    """Refund of credit: the credit, from clearing."""
    story.moves(4_000, Code.OVERPAYMENT, debit=SystemAccount.STRIPE_CLEARING, credit=story.book.credit)
    story.moves(4_000, Code.CREDIT_REFUND, debit=story.book.credit, credit=SystemAccount.STRIPE_CLEARING)
    assert balance(story.book.credit) == of(SystemAccount.STRIPE_CLEARING) == 0


def test_a_bank_debit_is_returned_and_a_fee_charged(story: Story) -> None:
    """Bank return: the receivable, from clearing; the fee to its own revenue (FAULTS D03)."""
    story.bill(10_000)
    story.paid(10_000)
    story.moves(10_000, Code.BANK_RETURN, debit=story.book.bill, credit=SystemAccount.STRIPE_CLEARING)
    story.moves(2_500, Code.RETURN_FEE, debit=story.book.bill, credit=SystemAccount.FEE_REVENUE)
    assert story.owed == 12_500
    assert of(SystemAccount.FEE_REVENUE) == -2_500


def test_a_dispute_is_lost_and_another_won(story: Story) -> None:
    """Dispute: the receivable, from clearing; reinstated: its reversal (FAULTS D16)."""
    story.bill(10_000)
    story.paid(10_000)
    disputed = story.moves(10_000, Code.DISPUTE, debit=story.book.bill, credit=SystemAccount.STRIPE_CLEARING)
    assert story.owed == 10_000
    ledger.reverse(disputed, key="won", reference="dispute:1", effective_on=DAY)
    assert story.owed == 0


def test_a_payment_partly_refunded_is_then_returned_whole(story: Story) -> None:
    """$100.00 paid, $40.00 refunded, $100.00 returned: $140.00 went back, so $140.00 are owed (FAULTS D11)."""
    story.bill(10_000)
    story.paid(10_000)
    story.moves(4_000, Code.REFUND, debit=story.book.bill, credit=SystemAccount.STRIPE_CLEARING)
    story.moves(10_000, Code.BANK_RETURN, debit=story.book.bill, credit=SystemAccount.STRIPE_CLEARING)
    assert story.owed == 14_000
    assert of(SystemAccount.STRIPE_CLEARING) == -4_000


def test_what_went_to_credit_is_returned_from_credit(story: Story) -> None:
    """Of $100.00 the bill took $70.00; the return takes each part from where it went (FAULTS A10, D03)."""
    story.bill(7_000)
    story.paid(7_000)
    story.moves(3_000, Code.OVERPAYMENT, debit=SystemAccount.STRIPE_CLEARING, credit=story.book.credit)
    story.moves(7_000, Code.BANK_RETURN, debit=story.book.bill, credit=SystemAccount.STRIPE_CLEARING)
    story.moves(3_000, Code.BANK_RETURN, debit=story.book.credit, credit=SystemAccount.STRIPE_CLEARING)
    assert (story.owed, balance(story.book.credit)) == (7_000, 0)
    assert of(SystemAccount.STRIPE_CLEARING) == 0


def test_a_dispute_won_after_the_bill_was_paid_again_is_credit(story: Story) -> None:
    """The reversal pays the bill a second time: what is above the balance is the household's (FAULTS D16)."""
    story.bill(10_000)
    story.paid(10_000)
    disputed = story.moves(10_000, Code.DISPUTE, debit=story.book.bill, credit=SystemAccount.STRIPE_CLEARING)
    story.paid(10_000)
    clearing, book = SYSTEM_ACCOUNT_IDS[SystemAccount.STRIPE_CLEARING], story.book
    ledger.post_many(
        [
            Posting(clearing, book.bill, 10_000, Code.DISPUTE, "w", "dispute:1", DAY, book.owner_id, disputed),
            Posting(book.bill, book.credit, 10_000, Code.CREDIT_RAISED, "w:over", "dispute:1", DAY, book.owner_id),
        ]
    )
    assert (story.owed, balance(book.credit)) == (0, -10_000)
    assert of(SystemAccount.STRIPE_CLEARING) == 20_000


def test_a_return_fee_is_waived(story: Story) -> None:
    """Its reversal: nothing is left of it."""
    story.bill(10_000)
    fee = story.moves(2_500, Code.RETURN_FEE, debit=story.book.bill, credit=SystemAccount.FEE_REVENUE)
    ledger.reverse(fee, key="waived", reference="payment:1", effective_on=DAY)
    assert story.owed == 10_000
    assert of(SystemAccount.FEE_REVENUE) == 0


def test_the_fee_of_a_dispute_is_the_plans(story: Story) -> None:
    """Stripe fees, from clearing: no member's account moves (FAULTS D18)."""
    story.bill(10_000)
    story.paid(10_000)
    story.book = Book(0, *list(vars(story.book).values())[1:])
    story.moves(1_500, Code.STRIPE_FEE, debit=SystemAccount.STRIPE_FEES, credit=SystemAccount.STRIPE_CLEARING)
    assert story.owed == 0
    assert of(SystemAccount.STRIPE_FEES) == 1_500


def test_a_finance_charge_and_its_waiver(story: Story) -> None:
    """To finance-charge revenue, and back."""
    story.bill(10_000)
    story.moves(150, Code.FINANCE_CHARGE, debit=story.book.bill, credit=SystemAccount.FINANCE_CHARGE_REVENUE)
    assert story.owed == 10_150
    story.moves(150, Code.FINANCE_CHARGE_WAIVED, debit=SystemAccount.FINANCE_CHARGE_REVENUE, credit=story.book.bill)
    assert story.owed == 10_000
    assert of(SystemAccount.FINANCE_CHARGE_REVENUE) == 0


def test_assistance_and_a_charitable_subsidy(story: Story) -> None:
    """At the plan's expense, each from its own account."""
    story.bill(10_000)
    story.moves(6_000, Code.ASSISTANCE, debit=SystemAccount.CHARITY_CARE_EXPENSE, credit=story.book.bill)
    story.moves(3_000, Code.CHARITABLE_SUBSIDY, debit=SystemAccount.SUBSIDY_EXPENSE, credit=story.book.bill)
    assert story.owed == 1_000
    assert (of(SystemAccount.CHARITY_CARE_EXPENSE), of(SystemAccount.SUBSIDY_EXPENSE)) == (6_000, 3_000)


def test_an_adjustment_and_a_write_off(story: Story) -> None:
    """By staff, at the plan's expense."""
    story.bill(10_000)
    story.moves(1_000, Code.ADJUSTMENT, debit=SystemAccount.ADJUSTMENT_EXPENSE, credit=story.book.bill)
    story.moves(9_000, Code.WRITE_OFF, debit=SystemAccount.ADJUSTMENT_EXPENSE, credit=story.book.bill)
    assert story.owed == 0
    assert of(SystemAccount.ADJUSTMENT_EXPENSE) == 10_000


def test_stripe_takes_its_fee_and_pays_out(story: Story) -> None:
    """$100.00 paid, $3.20 fee, $96.80 to the bank: clearing ends at nothing (FAULTS M17)."""
    story.bill(10_000)
    story.paid(10_000)
    story.book = Book(0, *list(vars(story.book).values())[1:])  # the plan's own movements have no household
    story.moves(320, Code.STRIPE_FEE, debit=SystemAccount.STRIPE_FEES, credit=SystemAccount.STRIPE_CLEARING)
    story.moves(9_680, Code.PAYOUT, debit=SystemAccount.BANK, credit=SystemAccount.STRIPE_CLEARING)
    assert of(SystemAccount.STRIPE_CLEARING) == 0
    assert of(SystemAccount.BANK) == 9_680


def test_a_paper_check_is_recorded(story: Story) -> None:
    """The lockbox, from the receivable; what is above it becomes credit."""
    story.bill(10_000)
    story.moves(10_000, Code.LOCKBOX_PAYMENT, debit=SystemAccount.LOCKBOX, credit=story.book.bill)
    story.moves(500, Code.LOCKBOX_PAYMENT, debit=SystemAccount.LOCKBOX, credit=story.book.credit)
    assert (story.owed, balance(story.book.credit)) == (0, -500)


def test_unexplained_money_is_explained(story: Story) -> None:
    """A charge at Stripe that is unknown here waits in suspense (FAULTS D19)."""
    story.bill(10_000)
    story.moves(700, Code.SUSPENSE_RECEIVED, debit=SystemAccount.STRIPE_CLEARING, credit=SystemAccount.SUSPENSE)
    story.moves(700, Code.SUSPENSE_EXPLAINED, debit=SystemAccount.SUSPENSE, credit=story.book.bill)
    assert story.owed == 9_300
    assert of(SystemAccount.SUSPENSE) == 0


def test_every_code_of_the_chart_has_its_story() -> None:
    """A movement that no story tells is a movement that nobody has thought through."""
    text = Path(__file__).read_text()
    assert [code.name for code in Code if f"Code.{code.name}" not in text] == []
