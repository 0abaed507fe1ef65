"""What is kept of who sent a report: never the whole address; and whether it is a machine."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.collector.clients import is_automated, network_of

_BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 "
        "Mobile/15E148 Safari/604.1"
    ),
    (
        "Mozilla/5.0 (Linux; Android 15; SM-S931B Build/AP3A.240905.015.A2; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/127.0.6533.103 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/480.0.0.54.88;]"
    ),
]
_MACHINES = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36",
    "python-requests/2.32",
    "curl/8.5.0",
    "",
]


@pytest.mark.parametrize("agent", _BROWSERS)
def test_a_browser_is_a_person(agent: str) -> None:
    assert not is_automated(agent)


@pytest.mark.parametrize("agent", _MACHINES)
def test_a_known_bot_or_automation_is_a_machine(agent: str) -> None:
    assert is_automated(agent)


@pytest.mark.parametrize("piece", ["x", "bo", "a-b_", "1.", "/", "(", " ", "Mozilla/5.0 (" + "a" * 60 + " "])
def test_no_agent_takes_long_to_judge(piece: str) -> None:
    is_automated("warm the detector up")
    began = time.thread_time()
    is_automated((piece * 100_000)[:100_000])
    assert time.thread_time() - began < 0.06


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:7:8:9::1", "2001:db8:7::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unix", None),
        ("", None),
        (None, None),
    ],
)
def test_of_an_address_only_its_network_is_kept(host: str | None, network: str | None) -> None:
    assert network_of(host) == network


@given(st.ip_addresses())
def test_no_stored_network_tells_an_addresses_last_bits(address: object) -> None:
    network = network_of(str(address))
    assert network is not None
    assert network.endswith(("/24", "/48"))
    assert network_of(network.partition("/")[0]) == network


def test_whatever_a_client_sends_as_its_agent_is_judged() -> None:
    assert is_automated("\x00" * 2000) in (True, False)
