"""A small picture of a page, its tenths the darker the longer somebody lingered there.

A PNG, since Gmail and Outlook show neither SVG nor CSS gradients; it travels with the mail, so nothing is fetched.
"""

import io
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw

from schemas.ids import derived_id

WIDTH, HEIGHT = 40, 54
_SCALE = 2  # drawn at twice its size, for screens with fine pixels
_FRAME = (148, 163, 184, 255)
_UNREAD = (148, 163, 184, 56)
_READ = (13, 148, 136)
_FAINTEST = 70


@dataclass(frozen=True)
class Picture:
    """A PNG that a mail carries along; `cid` is what its HTML calls it."""

    cid: str
    png: bytes


@lru_cache(maxsize=500)
def picture_of(bands: tuple[int, ...]) -> Picture:
    """Draw a page by the share of attention in each part of it, from the top; transparent, for light and dark."""
    image = Image.new("RGBA", (WIDTH * _SCALE, HEIGHT * _SCALE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    right, bottom = WIDTH * _SCALE - 1, HEIGHT * _SCALE - 1
    draw.rounded_rectangle((0, 0, right, bottom), radius=6, outline=_FRAME, width=_SCALE)
    inset = 3 * _SCALE
    step = (bottom - 2 * inset) / len(bands)
    most = max(bands)
    for place, share in enumerate(bands):
        alpha = _FAINTEST + round((255 - _FAINTEST) * share / most) if share and most else 0
        top = inset + place * step
        draw.rectangle(
            (inset, round(top), right - inset, round(top + step) - _SCALE), fill=(*_READ, alpha) if alpha else _UNREAD
        )
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return Picture(derived_id("bands", *map(str, bands)), data.getvalue())


def busiest_part(bands: tuple[int, ...]) -> tuple[int, int]:
    """Return from where to where on the page most attention was, in percent of its height."""
    place = max(range(len(bands)), key=lambda at: (bands[at], -at))
    return round(100 * place / len(bands)), round(100 * (place + 1) / len(bands))
