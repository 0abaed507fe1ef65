from concurrent.futures import Future
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.directory_cells import DAYS, channel, working_hours
from producers.directory_import import publish_directory, read_directory
from producers.directory_rows import Problems, rows_of
from producers.publisher import Publisher
from schemas.directory import Account, Contact, Content, Directory, Rep, WorkingHours, entry_from_bytes
from schemas.errors import InputError
from schemas.topics import DIRECTORY
from tests.producers.kafka_topics import reading

REPS = """rep_id,name,language,time_zone,working_hours,channels,daily_cap,manager_id
r1,Ann Meyer,de,Europe/Berlin,Mon-Fri 08:00-18:00,email:ann@x.com;chat:sales,5,
r2,Bo Li,,,Mon-Sun 00:00-00:00,chat:sales,,r1
"""
ACCOUNTS = """account_id,name,rep_id,industry,lifecycle
acme,"Acme, Inc.",r1,machinery,opportunity
"""
CONTACTS = """contact_id,account_id,name,email,role
c1,acme,Zoë Ångström,zoe@acme.com,decider
"""
CONTENT = """url,title,topics,stage,reading_time_s
https://www.example.com/pricing/?utm_source=x,Prices,pricing;security,price,120
"""
FILES = {"reps.csv": REPS, "accounts.csv": ACCOUNTS, "contacts.csv": CONTACTS, "content.csv": CONTENT}


def write(directory: Path, **files: str | bytes) -> list[Path]:
    paths = []
    for name, text in files.items():
        path = directory / name.replace("_", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(path)
    return paths


def all_files(directory: Path) -> list[Path]:
    return write(directory, **{name.replace(".", "_"): text for name, text in FILES.items()})


def faults(paths: list[Path], *, kind: str | None = None, known: Directory | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_directory(paths, kind=kind, known=known)
    return [line.replace(f"{paths[0].parent}/", "") for line in str(caught.value).splitlines()]


def test_four_files_become_the_directory_with_what_is_referred_to_first(tmp_path: Path) -> None:
    ann, bo, acme, zoe, prices = read_directory(all_files(tmp_path)[::-1])
    assert isinstance(ann, Rep)
    assert isinstance(bo, Rep)
    assert [(each.kind, each.target) for each in ann.channels] == [("email", "ann@x.com"), ("chat", "sales")]
    assert ann.working_hours == WorkingHours(start=time(8), end=time(18), days=(0, 1, 2, 3, 4))
    assert bo.working_hours == WorkingHours(start=time(0), end=time(0), days=tuple(range(7)))
    assert (bo.language, bo.time_zone, bo.daily_cap, bo.manager_id) == ("en", "UTC", 10, "r1")
    assert acme == Account(
        account_id="acme", name="Acme, Inc.", rep_id="r1", industry="machinery", lifecycle="opportunity"
    )
    assert isinstance(zoe, Contact)
    assert zoe.name == "Zoë Ångström"
    assert isinstance(prices, Content)
    assert (prices.url, prices.topics, prices.reading_time_s) == (
        "https://www.example.com/pricing",
        ("pricing", "security"),
        120,
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_spreadsheets_way_of_saving_changes_nothing(tmp_path: Path, delimiter: str, bom: bytes, ending: str) -> None:
    rows = [
        ["Account ID", " name ", "rep_id"],
        ["acme", '"Acme, ""the"" \nbig; one"', "r1"],
        ["", "", ""],
        ["beta", "Beta", "r1"],
    ]
    text = ending.join(delimiter.join(row) for row in rows) + ending
    reps = write(tmp_path, reps_csv=REPS)
    paths = write(tmp_path, accounts_csv=bom + text.encode())
    found = [each for each in read_directory(reps + paths) if isinstance(each, Account)]
    assert [each.name for each in found] == ['Acme, "the" \nbig; one', "Beta"]


def test_yaml_and_csv_say_the_same(tmp_path: Path) -> None:
    text = """
reps:
  - {rep_id: r1, name: Ann Meyer, language: de, time_zone: Europe/Berlin, daily_cap: 5,
     working_hours: Mon-Fri 08:00-18:00, channels: [{kind: email, target: ann@x.com}, {kind: chat, target: sales}]}
  - rep_id: r2
    name: Bo Li
    working_hours: {start: "00:00", end: "00:00", days: [0, 1, 2, 3, 4, 5, 6]}
    channels: chat:sales
    manager_id: r1
accounts:
  - {account_id: acme, name: "Acme, Inc.", rep_id: r1, industry: machinery, lifecycle: opportunity}
contacts:
  - {contact_id: c1, account_id: acme, name: Zoë Ångström, email: zoe@acme.com, role: decider}
content:
  - {url: https://www.example.com/pricing, title: Prices, topics: "pricing;security", stage: price, reading_time_s: 120}
"""
    assert read_directory(write(tmp_path, all_yaml=text)) == read_directory(all_files(tmp_path))


def test_one_file_may_hold_several_kinds_by_a_column(tmp_path: Path) -> None:
    text = "kind,rep_id,name,channels,account_id\nrep,r1,Ann,chat:sales,\naccount,r1,Acme,,acme\n"
    assert [each.kind for each in read_directory(write(tmp_path, crm_csv=text))] == ["rep", "account"]


def test_a_file_of_any_name_is_what_the_caller_says(tmp_path: Path) -> None:
    paths = write(tmp_path, export_csv=REPS)
    assert {each.kind for each in read_directory(paths, kind="rep")} == {"rep"}
    assert "name the file accounts.csv" in faults(paths)[0]


def test_every_wrong_row_is_named_with_its_line_and_field(tmp_path: Path) -> None:
    contacts = (
        "contact_id,account_id,name,email\n"
        "c1,acme,Zoe,zoe@acme.com\n"
        "c2,acme2,Yan,yan@acme.com\n"
        'c3,acme,"X\nY",no address\n'
        "c 4,acme,Wu,\n"
        "c1,acme,Zoe again,\n"
        "c5,acme,Vic\n"
        ",acme,Uma,\n"
    )
    reps = "rep_id,name,channels,working_hours,time_zone,manager_id\nr1,Ann,pigeon:x,8 to 6,Mars/Olympus,r9\n"
    paths = write(tmp_path, contacts_csv=contacts, accounts_csv=ACCOUNTS, reps_csv=reps)
    found = faults(paths)
    assert sorted(tuple(line.split(": ", 2)[:2]) for line in found) == [
        ("contacts.csv:3", "account_id"),
        ("contacts.csv:4", "email"),
        ("contacts.csv:6", "contact_id"),
        ("contacts.csv:7", "contact_id"),
        ("contacts.csv:8", "has 3 cells, but the header names 4 columns"),
        ("contacts.csv:9", "contact_id"),
        ("reps.csv:2", "channels.0.kind"),
        ("reps.csv:2", "manager_id"),
        ("reps.csv:2", "time_zone"),
        ("reps.csv:2", "working_hours"),
    ]
    assert [line.partition(": ")[0] for line in found[:6]] == [f"contacts.csv:{line}" for line in (3, 4, 6, 7, 8, 9)]
    text = "\n".join(found)
    assert "contacts.csv:3: account_id: 'acme2' is no known account; add it to accounts.csv or correct the row" in text
    assert "contacts.csv:7: contact_id: 'c1' stands already in contacts.csv:2" in text


def test_an_account_with_another_fault_does_not_make_its_contacts_wrong(tmp_path: Path) -> None:
    accounts = "account_id,name,rep_id,lifecycle\nacme,Acme,r1,frozen\n"
    (line,) = faults(write(tmp_path, reps_csv=REPS, accounts_csv=accounts, contacts_csv=CONTACTS))
    assert line.startswith("accounts.csv:2: lifecycle:")
    assert "'frozen'" in line


def test_what_the_directory_knows_already_may_be_referred_to(tmp_path: Path) -> None:
    paths = write(tmp_path, contacts_csv=CONTACTS)
    assert "'acme' is no known account" in faults(paths)[0]
    known = Directory()
    known.put(Account(account_id="acme", name="Acme", rep_id="r1"))
    assert [each.entity_id for each in read_directory(paths, known=known)] == ["contact:c1"]


def test_two_spellings_of_one_address_are_one_content(tmp_path: Path) -> None:
    text = "url,title\nhttps://a.example/x/,X\nhttps://A.example/x?utm_source=y#z,X\n"
    (line,) = faults(write(tmp_path, content_csv=text))
    assert line == "content.csv:3: url: 'https://a.example/x' stands already in content.csv:2"


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("accounts_csv", b"account_id,name,rep_id\nacme,M\xfcller,r1\n", "accounts.csv:2: byte 0xfc is no UTF-8"),
        ("accounts_csv", b"", "accounts.csv:1: the file is empty"),
        ("accounts_csv", b'account_id,name\nacme,"open\n', "accounts.csv:2: can't be read as CSV"),
        ("accounts_csv", b"name,name\n", "accounts.csv:1: name: the header names this column twice"),
        ("accounts_csv", b"account_id,nmae\nacme,A\n", "accounts.csv:2: nmae: a account has no such field"),
        ("accounts_yaml", b"accounts: {a: 1}", "accounts.yaml:1: accounts: must hold a list"),
        ("accounts_yaml", b"customers: []", "accounts.yaml:1: customers: is none of accounts"),
        ("accounts_yaml", b"accounts:\n- x\n", "accounts.yaml:2: is no mapping"),
        ("accounts_yaml", b"accounts: [", "accounts.yaml:1: not valid YAML"),
        ("accounts_yaml", b"- account_id: 2024-02-30", "accounts.yaml:1: holds a value that can't be"),
        ("accounts_yaml", b"\x00", "accounts.yaml:1: not valid YAML"),
        ("accounts_yaml", b"just text", "accounts.yaml:1: must hold accounts"),
        ("accounts_yaml", b"", "accounts.yaml:1: must hold accounts"),
        ("accounts_yaml", b"- {kind: deal, id: x}", "accounts.yaml:1: kind: 'deal' is none of account"),
        ("accounts_yaml", b"- !!python/object/apply:os.getcwd []", "accounts.yaml:1: not valid YAML"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_its_line(tmp_path: Path, name: str, data: bytes, line: str) -> None:
    assert faults(write(tmp_path, **{name: data}))[0].startswith(line)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert faults([tmp_path / "accounts.csv"])[0].startswith("accounts.csv:1: can't be read (No such file")


@given(st.binary(max_size=200), st.sampled_from(["accounts.csv", "reps.csv", "content.yaml", "x.yml"]))
def test_any_bytes_are_read_or_named_as_wrong(data: bytes, file: str) -> None:
    problems = Problems()
    rows = rows_of(file, data, None, problems)
    assert all(row.place.line >= 1 for row in rows)
    assert all(line.startswith(f"{file}:") for line in problems.lines())


@given(
    st.integers(0, 6),
    st.integers(0, 6),
    st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda t: t[0] < t[1]),
)
def test_working_hours_mean_what_they_say(first: int, last: int, span: tuple[int, int]) -> None:
    def clock(minutes: int) -> str:
        return f"{minutes // 60:02}:{minutes % 60:02}"

    start, end = span
    text = f"{DAYS[first].title()}-{DAYS[last].title()} {clock(start)}-{clock(end)}"
    hours = WorkingHours.model_validate(working_hours(text))
    assert hours.start == time(start // 60, start % 60)
    assert hours.end == time(end // 60, end % 60)
    assert len(hours.days) == (last - first) % 7 + 1
    assert {first, last} <= set(hours.days)


@pytest.mark.parametrize(
    "text",
    ["", "08:00-18:00", "Mon-Fri", "Mon-Fri 18:00-08:00", "Mon-Fri 08:00-08:00", "Mon-Fri 08:00-25:00", "Mon-Fri 8-18",
     "Xyz 08:00-18:00", "Mon- 08:00-18:00x", "Mon-Fri 08:60-18:00", "Mon,,Fri 08:00-18:00", "Mon-Fri 24:00-00:00"],
)  # fmt: skip
def test_working_hours_spelt_otherwise_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no working hours|end before|names no days|no time of day"):
        working_hours(text)


def test_the_directory_arrives_under_its_ids(topics: str, tmp_path: Path) -> None:
    entities = read_directory(all_files(tmp_path))
    publisher = Publisher(topics, topics=(DIRECTORY.name,))
    try:
        assert publish_directory(entities, publisher.send) == 5
    finally:
        publisher.close()
    with reading(topics, DIRECTORY.name) as reader:
        last = entities[-1]
        reader.find(lambda key, value: (key, value) == (last.entity_id.encode(), last.to_bytes()))
        arrived = {key: entry_from_bytes(value) for _, key, value in reader.read if value and not value.isalnum()}
    assert {entity.entity_id.encode(): entity for entity in entities}.items() <= arrived.items()


def test_a_refused_entity_is_not_counted_as_published(tmp_path: Path) -> None:
    def refuse(_topic: str, _value: bytes | None, _key: bytes) -> Future[None]:
        future: Future[None] = Future()
        future.set_exception(InputError("refused"))
        return future

    with pytest.raises(InputError):
        publish_directory(read_directory(all_files(tmp_path)), refuse)


def test_a_circle_of_managers_is_refused_with_all_its_rows(tmp_path: Path) -> None:
    rows = "rep_id,name,channels,manager_id\na,A,email:a@x.com,b\nb,B,email:b@x.com,c\nc,C,email:c@x.com,a\n"
    (fault,) = faults(write(tmp_path, reps_csv=rows))
    assert fault == (
        "reps.csv:2: manager_id: the managers go round in a circle: a -> b -> c -> a "
        f"(a in {tmp_path}/reps.csv:2, b in {tmp_path}/reps.csv:3, c in {tmp_path}/reps.csv:4)"
    ).replace(f"{tmp_path}/", "")


def test_a_circle_that_a_row_closes_over_reps_already_there_is_refused(tmp_path: Path) -> None:
    known = Directory()
    boss, own = (
        "rep_id,name,channels,manager_id\nboss,B,email:b@x.com,ann\n",
        "rep_id,name,channels,manager_id\nme,M,email:m@x.com,me\n",
    )
    for entity in read_directory(
        write(tmp_path, reps_csv="rep_id,name,channels,manager_id\nboss,B,email:b@x.com,\nann,A,email:a@x.com,boss\n")
    ):
        known.put(entity)
    (fault,) = faults(write(tmp_path, reps_csv=boss), known=known)
    assert "boss -> ann -> boss" in fault
    assert "ann already there" in fault
    (fault,) = faults(write(tmp_path, reps_csv=own))
    assert "me -> me" in fault


def test_a_chain_of_managers_is_no_circle(tmp_path: Path) -> None:
    rows = "rep_id,name,channels,manager_id\na,A,email:a@x.com,b\nb,B,email:b@x.com,c\nc,C,email:c@x.com,\n"
    assert len(read_directory(write(tmp_path, reps_csv=rows))) == 3


def test_a_channel_that_is_also_told_is_marked_and_any_other_word_before_it_is_refused() -> None:
    assert channel("also  Email: ann@x.com") == {"kind": "email", "target": "ann@x.com", "also": True}
    assert channel("chat:sales") == {"kind": "chat", "target": "sales"}
    with pytest.raises(ValueError, match="no channel such as"):
        channel("never chat:sales")
