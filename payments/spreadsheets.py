"""CSV that a spreadsheet reads as text and nothing else (FAULTS K01; owasp.org/www-community/attacks/CSV_Injection)."""

import csv
from collections.abc import Iterable, Iterator

BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes UTF-8 for the machine's old code page
# What begins a formula, its full-width forms too, and the characters after which one may begin.
_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠﹣−")  # noqa: RUF001
_BEFORE = " \"'\u00a0\ufeff\u200b"


def inert(value: object) -> str:
    """A cell's text, with an apostrophe before what a spreadsheet would run."""
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip(_BEFORE).startswith(_FORMULA) else text


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180, every cell quoted), one at a time."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow([inert(cell) for cell in header])
    for row in rows:
        yield writer.writerow([inert(cell) for cell in row])
