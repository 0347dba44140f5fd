"""`pages` and `pages-neighbours`: a member's pages cost the same, however many bills there are.

The signed-in page through Django's test client, in process, whole: middleware, queries, templates. Households of
several sizes stand in one database, so that a pair differs by nothing but the household.
"""

import functools
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment, teardown_test_environment

from accounts.models import User
from bench import databases, filling
from bench.filling import Home
from bench.frame import Run, Work, benchmark
from bills.models import Bill, Claim

REPEATS = 6
STILL_OPEN = 6
FEW = 10
FULL = 100  # the fewest bills with which every list fills its page: with FEW it also shows fewer rows
NEIGHBOURS = 100_000  # bills of others, so that the planner meets the tables it will meet
OVERVIEW_QUERIES = 12
READS = re.compile(r"^\(?SELECT .*|(?<= CURSOR WITH HOLD FOR )SELECT .*", re.DOTALL)
SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Tid Scan")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of one household, as its holder opens it."""

    name: str
    client: Client
    address: str

    def open(self) -> Any:
        """The answer, which must be a page."""
        response = self.client.get(self.address)
        assert response.status_code == 200, (self.address, response.status_code)
        return response

    def seconds(self) -> float:
        """How long one opening takes."""
        began = time.perf_counter()
        self.open()
        return time.perf_counter() - began

    def queries(self) -> list[str]:
        """What it asks the database, sign-in and session included."""
        self.open()  # once a minute the session is written: not in what is counted
        with CaptureQueriesContext(connection) as captured:
            self.open()
        return [query["sql"] for query in captured.captured_queries]

    def rows_read(self) -> int:
        """The rows that its queries visit in tables, those passed over included: by EXPLAIN (ANALYZE) of each."""
        return sum(visited(found[0]) for sql in self.queries() if (found := READS.search(sql)))

    def rows_shown(self) -> int:
        """The entries that it lists."""
        setup_test_environment()  # keeps the contexts of templates, at a cost: not while pages are timed
        try:
            return SHOWN[self.name](self.open().context)
        finally:
            teardown_test_environment()


# What a page lists: each entry is one line, bar or meter that a member reads.
SHOWN: dict[str, Callable[[Any], int]] = {
    "overview": lambda page: (  # three lines of its balance: in all, medical, and premiums with the day they are due
        3 + (page["totals"].on_its_way_cents > 0) + len(page["rows"]) + page["member_count"]
        + (len(page["chart"].bars) if page["chart"] else 0)
        + (len(page["plan_year"].own) + len(page["plan_year"].family) if page["plan_year"] else 0)
    ),
    "bills": lambda page: len(page["rows"]),
    "one bill": lambda page: 1 + len(page["waterfall"]) + len(page["entries"]) + len(page["lines"]),
    "payments": lambda page: len(page["page"].rows),
    "family": lambda page: sum(1 + len(each.coverages) for each in page["people"]) + len(page["payments"]),
    "owes": lambda page: sum(2 * len(account.shares) + 2 for account in page["accounts"]),
    "claims": lambda page: len(page["claims"]),
    "one claim": lambda page: 1 + sum(len(page[name]) for name in ("steps", "lines", "words", "versions")),
    "premiums": lambda page: len(page["due"]) + len(page["behind"]) + len(page["coverages"]),
}  # fmt: skip


def pages_of(user: User) -> dict[str, Page]:
    """Every page of a household, warm: sign-in, plans of queries and templates are loaded."""
    client = Client()
    client.force_login(user)
    bill = Bill.objects.filter(member__user=user, kind=Bill.Kind.MEDICAL).order_by("due_on").first()
    claim = Claim.objects.filter(member__user=user).order_by("service_on").first()
    assert bill is not None and claim is not None
    addresses = {
        "overview": "/overview/",
        "bills": "/bills/",
        "one bill": f"/bills/{bill.number}/",
        "payments": "/payments/",
        "family": "/family/",
        "owes": "/family/owes/",
        "claims": "/claims/",
        "one claim": f"/claims/{claim.number}/",
        "premiums": "/premiums/",
    }
    pages = {name: Page(name, client, address) for name, address in addresses.items()}
    for page in pages.values():
        page.open()
    return pages


def in_turns(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[Work, Work]:
    """The two halves of a pair, measured together: opened in turns, the quickest of each counts.

    So what else runs on the machine meets both; and it can only add to what an opening takes.
    """
    kept: dict[str, float] = {}

    def half(name: str) -> float:
        if not kept:
            times = [(ours(), theirs()) for _ in range(REPEATS)]
            kept["ours"], kept["theirs"] = (min(column) for column in zip(*times, strict=True))
        return kept.pop(name)

    return functools.partial(half, "ours"), functools.partial(half, "theirs")


def visited(sql: str) -> int:
    """The rows that one query visits."""
    plan = databases.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"))[0][0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return round(sum(_rows(node) for node in _nodes(plan[0]["Plan"])))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def _rows(node: dict[str, Any]) -> float:
    if node["Node Type"] not in SCANS:
        return 0
    kept = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float(kept * node["Actual Loops"])


@benchmark("pages", size=10_000, full=100_000)
def pages(run: Run) -> None:
    """Each page of households with more and more bills, paid or all open, against a few bills and a page just full."""
    sizes = sorted({min(1_000, run.size), run.size} | ({10_000} if run.is_full else set()))
    kinds = {"paid": lambda size: STILL_OPEN, "open": lambda size: size}
    databases.fresh()
    homes = [
        Home(f"{kind}{size}@example.com", size, open_of(size))
        for kind, open_of in kinds.items()
        for size in [FEW, FULL, *sizes]
    ]
    filling.fill(homes, neighbours=NEIGHBOURS)
    for kind in kinds:
        found = {size: pages_of(User.objects.get(email=f"{kind}{size}@example.com")) for size in [FEW, FULL, *sizes]}
        for name in SHOWN:
            for size, few in itertools.product(sizes, (FEW, FULL)):
                page, yardstick = found[size][name], found[few][name]
                label = f"{name}, {size:,} bills for {few}, {kind}"
                run.compare(label, *in_turns(page.seconds, yardstick.seconds), work=1, unit="1/s", at_most=1.2)
            _count(run, f"{name}, {kind}", name, {size: found[size][name] for size in found})


def _count(run: Run, label: str, name: str, found: dict[int, Page]) -> None:
    """Queries and rows of one page: constant, and few."""
    queries = [len(page.queries()) for page in found.values()]
    run.figure(f"{label}: queries", max(queries), "", at_most=OVERVIEW_QUERIES if name == "overview" else None)
    run.figure(f"{label}: queries more than with {FULL}", max(queries) - len(found[FULL].queries()), "", at_most=0)
    # Of each size, not of the largest alone: of a middling household the planner may read and sort all there is.
    shares = [page.rows_read() / shown for size, page in found.items() if size > FULL and (shown := page.rows_shown())]
    if shares:
        run.figure(f"{label}: rows read a row shown", max(shares), "", at_most=10)


@benchmark("pages-neighbours", size=500_000, full=2_500_000)
def pages_neighbours(run: Run) -> None:
    """One household's pages while others' bills grow tenfold (50-fold with --full); transfers are twice as many."""
    few = 50_000 if run.is_full else run.size // 10
    databases.fresh()
    filling.fill([Home("ana@example.com", 200, STILL_OPEN)], neighbours=few)
    found = pages_of(User.objects.get(email="ana@example.com"))
    larger, smaller = connection.copy(), connection.copy()
    smaller.settings_dict["NAME"] = databases.copied()
    filling.fill([], neighbours=run.size - few)

    def within(database: BaseDatabaseWrapper, page: Page) -> float:
        connections["default"] = database
        return page.seconds()

    for name, page in found.items():
        run.compare(
            f"{name}, {run.size:,} bills for {few:,}",
            *in_turns(functools.partial(within, larger, page), functools.partial(within, smaller, page)),
            work=1, unit="1/s", at_most=1.2,
        )  # fmt: skip
    smaller.close()
    connections["default"] = larger
