"""Owners by stage, domains and networks of accounts, and that no two accounts claim the same ground."""

from ipaddress import ip_network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.directory_checks import Stated, note_shared_ground
from producers.directory_import import read_directory
from producers.directory_rows import Place, Problems
from schemas.directory import Account, Directory, Lifecycle
from schemas.errors import InputError

REPS = "rep_id,name,channels\nr1,Ann,chat:sales\nr2,Bo,chat:sales\n"


def import_of(directory: Path, known: Directory | None = None, **files: str) -> list[Account]:
    paths = []
    for name, text in {"reps_csv": REPS, **files}.items():
        paths.append(directory / name.replace("_", "."))
        paths[-1].write_text(text)
    return [each for each in read_directory(paths, known=known) if isinstance(each, Account)]


def faults(directory: Path, known: Directory | None = None, **files: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        import_of(directory, known, **files)
    return [line.replace(f"{directory}/", "") for line in str(caught.value).splitlines()]


def test_csv_and_yaml_say_owners_domains_and_networks_alike(tmp_path: Path) -> None:
    table = (
        "account_id,name,rep_id,lifecycle,owner_opportunity,owner_won,domains,networks\n"
        "acme,Acme,r1,lost,r2,,Acme.example;acme.test,203.0.113.0/24;2001:db8::/32\n"
    )
    text = """
accounts:
  - {account_id: acme, name: Acme, rep_id: r1, lifecycle: lost, owners: {opportunity: r2},
     domains: [acme.example, acme.test], networks: [203.0.113.0/24, "2001:db8::/32"]}
"""
    (acme,) = import_of(tmp_path, accounts_csv=table)
    assert acme == import_of(tmp_path, accounts_yaml=text)[0]
    assert acme.owners == {Lifecycle.opportunity: "r2"}
    assert acme.lifecycle is Lifecycle.lost
    assert acme.networks == ("203.0.113.0/24", "2001:db8::/32")


def test_an_owner_that_is_no_rep_is_named_with_its_row(tmp_path: Path) -> None:
    table = "account_id,name,rep_id,owner_won\nacme,Acme,r1,r9\n"
    assert faults(tmp_path, accounts_csv=table) == [
        "accounts.csv:2: owner_won: 'r9' is no known rep; add it to reps.csv or correct the row"
    ]
    text = "accounts:\n- {account_id: acme, name: Acme, rep_id: r1, owners: {won: r9}}\n"
    assert faults(tmp_path, accounts_yaml=text)[0].startswith("accounts.yaml:2: owners.won: 'r9' is no known rep")


def test_an_owner_of_no_stage_is_named(tmp_path: Path) -> None:
    (line,) = faults(tmp_path, accounts_csv="account_id,name,rep_id,owner_someday\nacme,Acme,r1,r2\n")
    assert line.startswith("accounts.csv:2: owners.someday")


def test_a_domain_belongs_to_one_account(tmp_path: Path) -> None:
    table = "account_id,name,rep_id,domains\nacme,Acme,r1,acme.test\nbolt,Bolt,r1,bolt.test;ACME.test\n"
    assert faults(tmp_path, accounts_csv=table) == [
        "accounts.csv:3: domains: 'acme.test' is also of account 'acme' in accounts.csv:2; take it from one of them"
    ]


def test_what_the_directory_has_already_counts_unless_the_file_renews_it(tmp_path: Path) -> None:
    known = Directory()
    known.put(Account(account_id="old", name="Old", rep_id="r1", domains=("acme.test",), networks=("10.0.0.0/8",)))
    table = "account_id,name,rep_id,domains,networks\nacme,Acme,r1,acme.test,10.1.0.0/16\n"
    domain, network = faults(tmp_path, known, accounts_csv=table)
    assert domain.startswith("accounts.csv:2: domains: 'acme.test' is also of account 'old', which is in the directory")
    assert network.startswith("accounts.csv:2: networks: 10.1.0.0/16 overlaps 10.0.0.0/8 of account 'old'")
    both = table + "old,Old,r1,old.test,192.0.2.0/24\n"
    assert len(import_of(tmp_path, known, accounts_csv=both)) == 2


networks = st.builds(
    lambda start, length: str(ip_network((start << 24 | start << 3, length), strict=False)),
    st.integers(0, 5),
    st.sampled_from([4, 6, 8, 28, 32]),
)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.lists(networks, max_size=3)), max_size=5))
def test_networks_of_two_accounts_never_overlap_unnoticed(held: list[tuple[str, list[str]]]) -> None:
    stated = [
        Stated(Account(account_id=name, name=name, rep_id="r1", networks=tuple(theirs)), Place("a.csv", 2 + i))
        for i, (name, theirs) in enumerate(held)
    ]
    problems = Problems()
    note_shared_ground(stated, problems)
    overlap = any(
        ip_network(one).overlaps(ip_network(other))
        for first, second in combinations(held, 2)
        if first[0] != second[0]
        for one in first[1]
        for other in second[1]
    )
    assert bool(problems.found) == overlap
