"""What every page must pass: no finding of axe at WCAG 2.2 AA, and no sideways scrolling down to 320 px.

The page is loaded once and resized; at 320 px it is only held against scrolling, since its layout is that of 390 px.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 390, 320)
NARROWEST = min(WIDTHS)
HEIGHT = 900
# `preload` reads the style sheets, for rules that a width changes nothing about: once a page is enough.
RUN = """([tags, preload]) =>
  axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], preload})"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


SHOTS = os.environ.get("SHOTS", "")
HEADINGS = (
    "() => [...document.querySelectorAll('h1,h2,h3,h4')].filter(e => e.checkVisibility()).map(e => +e.tagName[1])"
)
SPANISH_WIDTHS = (390, 320)  # what Spanish changes is how long words are


def hold(page: Any, language: str) -> None:
    """The page as it stands: its language, title, headings, axe, narrow screens; and a picture where SHOTS is set."""
    where = page.url
    assert page.evaluate("document.documentElement.lang") == language, where
    assert page.title() != "Something went wrong", where
    assert len(page.title().split(" · ")[0]) > 2, f"{where} has no title"
    levels = page.evaluate(HEADINGS)
    assert levels.count(1) == 1, f"{where} has {levels.count(1)} first headings"
    jumps = [(before, after) for before, after in zip(levels, levels[1:], strict=False) if after > before + 1]
    assert not jumps, f"{where} skips a level of headings: {levels}"
    if SHOTS:
        name = page.url.split("/", 3)[3].strip("/").translate(str.maketrans("/?=", "---"))
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.screenshot(path=Path(SHOTS) / f"{name}-{language}-{width}.png", full_page=True)
    assert_accessible(page, widths=WIDTHS if language == "en" else SPANISH_WIDTHS)


def walk_with_axe(page: Any) -> None:
    """Load axe with each page that this one goes to: sooner than into a page that stands."""
    if AXE.exists():
        page.add_init_script(path=AXE)


def assert_accessible(page: Any, *, widths: Sequence[int] = WIDTHS) -> None:
    """Hold the page as it stands against axe and against narrow screens."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run npm ci")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(WIDER) <= 0, f"{page.url} scrolls sideways at {width} px"
        if width == NARROWEST:
            continue
        found = page.evaluate(RUN, [TAGS, width == widths[0]])["violations"]
        assert not found, f"{page.url} at {width} px:\n" + "\n".join(_told(each) for each in found)


def _told(violation: dict[str, Any]) -> str:
    nodes = "\n".join(f"    {node['html']}\n    {node['failureSummary']}" for node in violation["nodes"][:5])
    return f"  {violation['id']}: {violation['help']}\n{nodes}"


# What is drawn beyond the page's right edge, and tables that can only be read by scrolling them sideways.
BEYOND = """() => {
  const width = document.documentElement.clientWidth, found = [];
  for (const each of document.querySelectorAll('#content *, #header *, .breadcrumbs *')) {
    const box = each.getBoundingClientRect();
    if (box.width > 1 && box.right > width + 1 && !each.closest('thead')) found.push(each.outerHTML.slice(0, 120));
  }
  for (const each of document.querySelectorAll('.results')) {
    if (each.querySelector('tbody').scrollWidth > each.clientWidth + 1) found.push(`table of ${each.scrollWidth} px`);
  }
  return found.slice(0, 5);
}"""


def assert_uncut(page: Any, where: str = "") -> None:
    """Nothing of a staff's page is drawn beyond its edge, and no table can only be read by scrolling it sideways."""
    assert page.evaluate(BEYOND) == [], where
