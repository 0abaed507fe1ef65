"""A truncated client network belongs to the account with the narrowest network around it, or to none."""

from ipaddress import IPv4Network, ip_network

from hypothesis import given
from hypothesis import strategies as st

from schemas.networks import NetworkOwners

networks = st.builds(
    lambda first, second, length: str(IPv4Network((first << 24 | second << 16, length), strict=False)),
    st.integers(10, 12),
    st.integers(0, 3),
    st.integers(8, 32),
)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sets(networks, max_size=3)), max_size=6), networks)
def test_a_look_up_is_what_a_scan_of_all_networks_finds(puts: list[tuple[str, set[str]]], asked: str) -> None:
    client = ip_network(asked)
    client = client.supernet(new_prefix=24) if client.prefixlen > 24 else client
    owners, current = NetworkOwners(), {}
    for account_id, theirs in puts:
        owners.put(account_id, theirs)
        owners.find(str(client))  # what was found before must not be remembered too long
        current[account_id] = theirs
    around = [
        (network.prefixlen, account_id)
        for account_id, theirs in current.items()
        for network in (min(ip_network(one), ip_network(one).supernet(new_prefix=24), key=lambda n: n.prefixlen)
                        if ip_network(one).prefixlen > 24 else ip_network(one) for one in theirs)
        if client.subnet_of(network)  # type: ignore[arg-type]
    ]  # fmt: skip
    narrowest = {account_id for length, account_id in around if length == max(around)[0]}
    assert owners.find(str(client)) == (narrowest.pop() if len(narrowest) == 1 else None)


def test_a_network_narrower_than_what_is_known_of_a_client_counts_as_the_whole() -> None:
    owners = NetworkOwners()
    owners.put("acme", ["203.0.113.64/26", "2001:db8:7:1::/64"])
    assert owners.find("203.0.113.0/24") == "acme"
    assert owners.find("2001:db8:7::/48") == "acme"
    owners.put("bolt", ["203.0.113.192/26"])  # nobody can tell which half it was
    assert owners.find("203.0.113.0/24") is None
    owners.put("bolt", [])
    assert owners.find("203.0.113.0/24") == "acme"


def test_versions_of_the_protocol_do_not_mix() -> None:
    owners = NetworkOwners()
    owners.put("acme", ["::/8", "0.0.0.0/1"])
    assert owners.find("2001:db8::/48") is None
    assert owners.find("::/48") == "acme"
    assert owners.find("203.0.113.0/24") is None
