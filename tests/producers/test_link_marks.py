"""Where a clicked link leads is worked out once, at the edge."""

import pytest

from producers.link_marks import with_link_marks
from schemas.events import Click


def _click(href: str, *, download: bool = False) -> Click:
    return Click(
        event_id="e-1",
        occurred_ms=1,
        page_view_id="p-1",
        url="https://docs.example.com/a",
        element="a",
        href=href,
        download=download,
        page_x=0,
        page_y=0,
    )


@pytest.mark.parametrize(
    ("href", "download", "outbound"),
    [
        ("", False, False),
        ("https://docs.example.com/b", False, False),
        ("https://example.com/b", False, False),  # an origin of the site, without www
        ("http://docs.example.com/b", False, False),
        ("https://www.other.example/", False, True),
        ("https://docs.example.com/Sheet.PDF?v=2#page=3", True, False),
        ("https://cdn.other.example/tool.tar.gz", True, True),
        ("https://docs.example.com/b?file=a.pdf", False, False),
        ("mailto:a@example.com", False, False),
        ("javascript:void(0)//a.pdf", False, False),
        ("http://[broken", False, False),
        ("[object SVGAnimatedString]", False, False),
    ],
)
def test_files_are_downloads_and_other_hosts_are_outbound(href: str, download: bool, outbound: bool) -> None:
    marked = with_link_marks(_click(href), ("https://www.example.com",))
    assert (marked.download, marked.outbound) == (download, outbound)


def test_what_the_page_calls_a_download_is_one() -> None:
    assert with_link_marks(_click("https://docs.example.com/export", download=True), ()).download
