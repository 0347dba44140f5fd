"""What every page must pass: no finding of axe at WCAG 2.2 AA, and no sideways scrolling down to 320 px.

The page is loaded once and resized; at 320 px it is only held against scrolling, since its layout is that of 390 px.
"""

from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 390, 320)
NARROWEST = min(WIDTHS)
HEIGHT = 900
RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})"
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def assert_accessible(page: Any) -> None:
    """Hold the page as it stands against axe and against narrow screens."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run npm ci")
    page.evaluate(AXE.read_text())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(WIDER) <= 0, f"{page.url} scrolls sideways at {width} px"
        if width == NARROWEST:
            continue
        found = page.evaluate(RUN, TAGS)["violations"]
        assert not found, f"{page.url} at {width} px:\n" + "\n".join(_told(each) for each in found)


def _told(violation: dict[str, Any]) -> str:
    nodes = "\n".join(f"    {node['html']}\n    {node['failureSummary']}" for node in violation["nodes"][:5])
    return f"  {violation['id']}: {violation['help']}\n{nodes}"
