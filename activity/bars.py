"""Where the bars of a chart stand: drawn on the server as SVG in a box 156 high, with the table behind it."""

from dataclasses import dataclass
from typing import ClassVar

FLOOR = 130  # y of the bars' feet
TALLEST, LOWEST = 100, 2
ABOVE = 8  # from a bar's top to the text over it


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar at a place of its chart, which says how far apart and how wide its bars are."""

    LEFT: ClassVar[int] = 30
    STEP: ClassVar[int] = 120  # from one bar's left edge to the next's
    WIDTH: ClassVar[int] = 60

    place: int
    height: int

    @property
    def x(self) -> int:
        """Its left edge."""
        return self.LEFT + self.place * self.STEP

    @property
    def y(self) -> int:
        """Its top."""
        return FLOOR - self.height

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x + self.WIDTH // 2

    @property
    def text_y(self) -> int:
        """Where the figure stands, above the bar."""
        return self.y - ABOVE

    @property
    def radius(self) -> int:
        """Rounded corners, but not of a bar too low for them."""
        return min(6, self.height // 2)


def height(amount: int, most: int) -> int:
    """How high the bar of an amount is beside the highest; one of nothing can still be seen."""
    return max(LOWEST, TALLEST * amount // most) if most else LOWEST
