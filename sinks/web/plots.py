"""The plots of the pages, drawn by Vega-Lite within this process: nothing is fetched, and no script reaches a browser.

What comes out is SVG whose marks have classes, so that the style sheet colours it for light and dark; its text is
text. To whoever can't see it, it is one picture with a label: the numbers stand beside it.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import vl_convert
from markupsafe import Markup

_HEADROOM = 1 / 0.96  # the tallest bar stays below the line of all readers
_GAP_PCT = 0.8
_CONFIG = {
    "aria": False, "background": None, "view": {"stroke": None}, "mark": {"aria": False},
    "axis": {"domain": False, "ticks": False, "labelPadding": 6, "labelFontSize": 11, "labelFlush": False},
}  # fmt: skip
Spec = Mapping[str, Any]


def scroll_plot(
    reached: Sequence[float], times_ms: Sequence[int], worst: int | None, shares: Mapping[int, str], label: str
) -> Markup:
    """Return how far readers came, from all to the share that saw the end, over the time in each tenth of the page.

    `worst` is the tenth at which most stopped; `shares` says the percentages on the axes.
    """
    bands = [
        {"from": tenth * 10 + _GAP_PCT, "to": tenth * 10 + 10 - _GAP_PCT, "ms": ms, "worst": tenth == worst}
        for tenth, ms in enumerate(times_ms)
    ]
    down = {"type": "quantitative", "scale": {"domain": [0, 100], "nice": False}}
    depth = {**down, "title": None, "axis": _axis([*range(0, 101, 10)], shares, grid=False)}
    time = {
        "field": "ms", "type": "quantitative", "axis": None,
        "scale": {"domain": [0, max(*times_ms, 1) * _HEADROOM], "nice": False},
    }  # fmt: skip
    came = {
        "field": "pct", "type": "quantitative", "title": None, "axis": _axis([0, 50, 100], shares, grid=True),
        "scale": {"domain": [0, 100], "nice": False},
    }  # fmt: skip
    layers = [
        {
            "name": name,
            "data": {"values": [band for band in bands if band["worst"] == (name == "worst")]},
            "mark": {"type": "rect", "cornerRadius": 3},
            "encoding": {"x": {"field": "from", **depth}, "x2": {"field": "to"}, "y": time, "y2": {"datum": 0}},
        }
        for name in ("bands", "worst")
    ]
    line = {
        "name": "came",
        "data": {"values": [{"depth": n * 10, "pct": 100 * share} for n, share in enumerate(reached)]},
        "mark": {"type": "line", "strokeJoin": "round"},
        "encoding": {"x": {"field": "depth", **depth}, "y": came},
    }
    resolved = {"scale": {"y": "independent"}}
    return _drawn({"width": 600, "height": 180, "layer": [*layers, line], "resolve": resolved}, label)


def weight_plot(across_pct: Sequence[float], weights: Sequence[float], most: float, label: str) -> Markup:
    """Return how a topic's weight changed over the days, on a scale up to `most`; it is as wide as its place."""
    spec = {
        "width": 100,
        "height": 100,
        "padding": {"top": 4, "bottom": 4, "left": 0, "right": 0},
        "name": "weight",
        "data": {"values": [{"x": x, "weight": weight} for x, weight in zip(across_pct, weights, strict=True)]},
        "mark": {"type": "line", "strokeJoin": "round"},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [0, 100], "nice": False}},
            "y": {
                "field": "weight", "type": "quantitative", "title": None, "axis": _axis([0], {0: ""}, grid=True),
                "scale": {"domain": [0, most or 1], "nice": False},
            },
        },
    }  # fmt: skip
    return _drawn(spec, label, stretched=True)


def _axis(values: Sequence[int], said: Mapping[int, str], *, grid: bool) -> dict[str, Any]:
    words = json.dumps({str(value): said[value] for value in values})
    return {"values": list(values), "grid": grid, "labelExpr": f"({words})[datum.value]", "labels": any(said.values())}


def _drawn(spec: Spec, label: str, *, stretched: bool = False) -> Markup:
    svg = _svg(json.dumps({"$schema": "https://vega.github.io/schema/vega-lite/v5.json", **spec, "config": _CONFIG}))
    more = Markup(' preserveAspectRatio="none"') if stretched else Markup()
    return Markup('<svg role="img" aria-label="{}"{} {}').format(label, more, Markup(svg.removeprefix("<svg ")))  # noqa: S704 - Vega escapes


@lru_cache(maxsize=500)
def _svg(spec: str) -> str:
    """Draw; an open page asks for the same again and again."""
    return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
