"""Staff pages of the book. They stand here because every account but the plan's own is a household's."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import Household, Member
from accounts.staff import MemberRecordAdmin, money, usd
from activity.staff import link, listed, subject_link
from billing_portal.ids import is_id
from ledger import entries
from ledger.models import Account, Transfer

HEADS = ("Posted", "Effective", "Why", "About", "Amount", "Balance")


def history_table(account_id: int, title: str = "What moved its balance") -> dict[str, Any]:
    """The table of an account's entries, for its own page and for what it belongs to."""
    return {
        "title": title,
        "heads": HEADS,
        "rows": [
            (
                link(Transfer(pk=entry.transfer_id), f"{timezone.localtime(entry.posted_at):%Y-%m-%d %H:%M}"),
                entry.effective_on, entry.why, subject_link(entry.reference), usd(entry.cents),
                usd(entry.balance_cents),
            )
            for entry in entries.latest(account_id)
        ],
        "empty": "Nothing has moved.",
    }  # fmt: skip


class OwnedAdmin(MemberRecordAdmin):
    """A row of the book; its `owner_id` is a household's id, or 0 for the plan."""

    linked_by: Sequence[str] = ("owner_id", "owner_id__exact")
    search_help_text = "A household's number"
    exact_search = ("owner_id",)

    def searched(self, term: str) -> Q:
        """By household."""
        return Q(owner_id__in=list(Household.objects.filter(number=term).values_list("pk", flat=True)))

    def members_of(self, obj: Any) -> Sequence[Member]:
        """Whose account it is, by its control; else the primary holder, in whose name the look is recorded."""
        if not obj.owner_id:
            return []
        controls = [account.pk if account.is_control else account.control_id for account in self.accounts_of(obj)]
        of_controls = Q(medical_control_id__in=controls) | Q(premium_control_id__in=controls)
        members = Member.objects.filter(household_id=obj.owner_id)
        return list(members.filter(of_controls).order_by("pk")) or list(members.filter(is_primary_holder=True))

    def accounts_of(self, obj: Any) -> Sequence[Account]:
        """The accounts that the row is about."""
        return [obj]

    def household_id_of(self, obj: Any) -> int:
        """The owner's."""
        owner_id: int = obj.owner_id
        return owner_id

    def subject_of(self, obj: Any) -> str:
        """By id."""
        return f"{self.opts.model_name}:{obj.pk}"

    @admin.display(description="household")
    def owner(self, obj: Any) -> SafeString | str:
        """The household, or the plan."""
        return subject_link(f"household:{_number_of(obj.owner_id)}") if obj.owner_id else "the plan"


@admin.register(Account)
class AccountAdmin(OwnedAdmin):
    """The accounts of the book."""

    list_display = ("id", "code", "type", "owner_id", "balance", "is_tracked", "is_control")
    list_filter = ("type",)
    fields = (
        "id", "code", "type", "owner", "control", "is_control", "balance", "is_tracked",
        "credits_must_not_exceed_debits", "debits_must_not_exceed_credits", "matures_on",
    )  # fmt: skip
    readonly_fields = ("owner", "balance")
    balance = money("balance_cents", "Balance (debits less credits)")

    def page_context(self, request: HttpRequest, obj: Account) -> dict[str, Any]:
        """A household's account shows what moved it; the plan's own move with everything."""
        tables = [history_table(obj.pk)] if obj.owner_id and not obj.is_control else []
        return super().page_context(request, obj) | {"tables": tables}

    def related(self, request: HttpRequest, obj: Account) -> list[tuple[str, str]]:
        """Its transfers."""
        return [("Transfers", listed("ledger_transfer", account=obj.pk))]


class AccountFilter(admin.SimpleListFilter):
    """Transfers of one account, either side: what an account's page links to."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one that was asked for."""
        value = request.GET.get("account", "")
        return [(value, f"account {value}")] if is_id(value) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transfer]) -> QuerySet[Transfer]:
        """Either side."""
        value = self.value()
        return queryset.filter(Q(debit_id=value) | Q(credit_id=value)) if value else queryset


@admin.register(Transfer)
class TransferAdmin(OwnedAdmin):
    """The movements of the book."""

    list_display = ("id", "effective_on", "why", "debit_link", "credit_link", "amount", "about", "owner_id")
    list_select_related = ("debit", "credit")
    list_filter = (AccountFilter, "code")
    fields = (
        "id", "effective_on", "created_at", "why", "debit_link", "credit_link", "amount", "about", "owner", "key",
        "undoes", "undone_by",
    )  # fmt: skip
    readonly_fields = ("why", "debit_link", "credit_link", "amount", "about", "owner", "undoes", "undone_by")
    amount = money("amount_cents", "Amount")

    def accounts_of(self, obj: Transfer) -> Sequence[Account]:
        """Both sides."""
        return [obj.debit, obj.credit]

    @admin.display(description="why")
    def why(self, obj: Transfer) -> str:
        """Its code, in words."""
        return obj.get_code_display()

    @admin.display(description="debit")
    def debit_link(self, obj: Transfer) -> SafeString | str:
        """The account it went to."""
        return link(obj.debit)

    @admin.display(description="credit")
    def credit_link(self, obj: Transfer) -> SafeString | str:
        """The account it came from."""
        return link(obj.credit)

    @admin.display(description="about")
    def about(self, obj: Transfer) -> SafeString | str:
        """The bill, payment or award."""
        return subject_link(obj.reference)

    @admin.display(description="undoes")
    def undoes(self, obj: Transfer) -> SafeString | str:
        """The transfer that this one reverses."""
        return link(obj.reverses)

    @admin.display(description="undone by")
    def undone_by(self, obj: Transfer) -> SafeString | str:
        """The transfer that reverses this one."""
        return link(Transfer.objects.filter(reverses=obj).first())


def _number_of(household_id: int) -> str:
    return Household.objects.filter(pk=household_id).values_list("number", flat=True).first() or "?"
