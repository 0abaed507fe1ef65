"""Figures over a stored picture of a page: which picture, and where on it each spot stands."""

import math
from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from clickhouse_driver import Client

from sinks.clickhouse.content_queries import Spot

TABLET_PX, DESKTOP_PX = 640, 1024
_OTHER_TEXT = 10.0  # further than any place on the page: the same text wins over the nearest


class Box(NamedTuple):
    """An element of a picture, described as the snippet does, in CSS pixels."""

    element: str
    text: str
    x: float
    y: float
    width: float
    height: float


class Picture(NamedTuple):
    """How a page looked in one layout."""

    width: int
    height: int
    taken: datetime
    boxes: tuple[Box, ...]

    @property
    def device(self) -> str:
        """The class of windows that have this layout, as the snippet tells it."""
        return "mobile" if self.width < TABLET_PX else "tablet" if self.width < DESKTOP_PX else "desktop"


class Mark(NamedTuple):
    """A spot on a picture: its place, how many clicks, and their share of the most."""

    x: float
    y: float
    clicks: int
    share: float
    odd: bool


def save_picture(
    client: Client, url: str, size: tuple[int, int], taken: datetime, picture: str, boxes: Sequence[Box]
) -> None:
    """Keep a picture, JPEG in base64, in place of an earlier one of the same width."""
    row = (url, *size, taken, picture, [tuple(box) for box in boxes])
    client.execute("INSERT INTO page_pictures (url, width, height, taken, picture, boxes) VALUES", [row])


def pictures_of(client: Client, url: str) -> list[Picture]:
    """Return a page's pictures, the widest first."""
    query = (
        "SELECT width, height, taken, boxes FROM page_pictures FINAL WHERE url = %(url)s ORDER BY width DESC LIMIT 10"
    )
    found = client.execute(query, {"url": url})
    return [Picture(width, height, taken, tuple(Box(*box) for box in boxes)) for width, height, taken, boxes in found]


def picture_bytes(client: Client, url: str, width: int) -> bytes | None:
    """Return one picture; None if there is none."""
    query = "SELECT picture FROM page_pictures FINAL WHERE url = %(url)s AND width = %(width)s"
    found = client.execute(query, {"url": url, "width": width})
    return b64decode(found[0][0]) if found else None


def picture_for(pictures: Sequence[Picture], device: str) -> Picture | None:
    """Return the widest picture of a class of windows; of any, if none is asked for."""
    return next((each for each in pictures if not device or each.device == device), None)


def marks(picture: Picture, spots: Iterable[Spot]) -> list[Mark]:
    """Return the clicks that were made in this layout, each on its element as it is in the picture; the most last."""
    mine = [spot for spot in spots if spot.viewport == picture.device]
    most = max((spot.clicks for spot in mine), default=1)
    by_name: dict[str, list[Box]] = {}
    for box in picture.boxes:
        by_name.setdefault(box.element, []).append(box)
    made = []
    for spot in mine:
        alike = by_name.get(spot.element)
        if not alike:
            continue
        box = min(alike, key=lambda each: _far(picture, each, spot))
        x, y = box.x + box.width * spot.x, box.y + box.height * spot.y
        made.append(Mark(x, y, spot.clicks, spot.clicks / most, bool(spot.rage or spot.dead)))
    return sorted(made, key=lambda mark: mark.clicks)


def _far(picture: Picture, box: Box, spot: Spot) -> float:
    x = (box.x + box.width * spot.x) / picture.width - spot.page_x
    y = (box.y + box.height * spot.y) / picture.height - spot.page_y
    return math.hypot(x, y) + (_OTHER_TEXT if spot.text and box.text != spot.text else 0)
