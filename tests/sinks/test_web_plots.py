"""The plots as they reach a browser: one labelled picture, in the style sheet's colours, of what was counted."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from sinks.web.plots import _svg, scroll_plot, weight_plot

HOSTILE = '"><script>alert(1)</script>{{7*7}}'
SHARES = {pct: f"{pct} %" for pct in range(0, 101, 10)}
REACHED = (1.0, 0.9, 0.8, 0.35, 0.3, 0.25, 0.2, 0.2, 0.1, 0.05, 0.0)
TIMES = (5000, 4000, 3000, 8000, 0, 1000, 1000, 1000, 500, 100)


def parsed(svg: Markup) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


def paths(svg: ET.Element, marks: str) -> list[str]:
    (group,) = (each for each in svg.iter() if marks in each.get("class", "").split())
    return [each.get("d", "") for each in group.iter() if each.tag.endswith("path")]


def test_the_curve_falls_as_readers_stop_and_bars_stand_for_time() -> None:
    svg = parsed(scroll_plot(REACHED, TIMES, 2, SHARES, HOSTILE))
    assert (svg.get("role"), svg.get("aria-label")) == ("img", HOSTILE)
    (curve,) = paths(svg, "came_marks")
    found = [float(number) for number in re.findall(r"[\d.]+", curve)]
    expected = [each for n, share in enumerate(REACHED) for each in (60 * n, 180 * (1 - share))]
    assert found == pytest.approx(expected)
    assert len(paths(svg, "bands_marks")) == 9
    assert len(paths(svg, "worst_marks")) == 1
    assert [each.text for each in svg.iter() if each.tag.endswith("text")][:11] == list(SHARES.values())


def test_a_weight_is_drawn_over_its_days_on_a_scale_that_is_given() -> None:
    (line,) = paths(parsed(weight_plot((0, 50, 100), (1, 2, 0), 4, "pricing")), "weight_marks")
    assert line == "M0,75L50,50L100,100"


@pytest.mark.parametrize("times", [TIMES, (0,) * 10])
def test_nothing_in_a_plot_needs_what_the_pages_policy_forbids(times: tuple[int, ...]) -> None:
    """No style of its own, no script, nothing to fetch; and no symbol that a screen reader would find nameless."""
    for svg in (scroll_plot(REACHED, times, None, SHARES, HOSTILE), weight_plot((0.0,), (0.0,), 0, HOSTILE)):
        assert not re.search(r"<style|\sstyle=|<script|<image|\shref=|\son\w+=|url\(|graphics-symbol", svg)


def test_drawing_fetches_nothing_whatever_a_plot_asks_for() -> None:
    asked: list[tuple[str, int]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.client_address)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        data = {"url": f"http://127.0.0.1:{server.server_port}/data.json"}
        spec = {"data": data, "mark": "point", "encoding": {"x": {"field": "x", "type": "quantitative"}}}
        with pytest.raises(ValueError, match="not allowed"):
            _svg(json.dumps({"$schema": "https://vega.github.io/schema/vega-lite/v5.json", **spec}))
        server.shutdown()
    assert asked == []
