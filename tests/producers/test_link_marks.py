"""Where a clicked link leads is worked out once, at the edge."""

import pytest

from producers.link_marks import link_marks

PAGE = "https://docs.example.com/a"


@pytest.mark.parametrize(
    ("href", "download", "outbound"),
    [
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
    assert link_marks(href, PAGE, ("https://www.example.com",)) == (download, outbound)
