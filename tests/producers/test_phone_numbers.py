"""Phone numbers of contacts: as people and CRMs write them, and as they are dialled."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.directory_import import read_directory, read_import
from producers.phone_numbers import dialled, known_region
from schemas.directory import Account, Contact, Directory, Rep
from schemas.errors import InputError


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+49 30 5550 134", None, "+49305550134"),
        ("+49 (0)30 5550-134", None, "+49305550134"),
        ("030 / 5550 134", "DE", "+49305550134"),
        ("(415) 555-0199", "US", "+14155550199"),
        ("+1 415 555 0199 x12", "DE", "+14155550199;ext=12"),
        ("tel:+49-30-5550134;ext=7", None, "+49305550134;ext=7"),
        ("+86 138 0013 8000", None, "+8613800138000"),
        ("02-2345-6789", "TW", "+886223456789"),
        ("＋４９ ３０ ５５５０ １３４", None, "+49305550134"),  # noqa: RUF001 - full width, as typed in Chinese
    ],
)
def test_a_number_is_dialled_from_anywhere(written: str, region: str | None, number: str) -> None:
    assert dialled(written, region) == number
    assert dialled(number) == number


@pytest.mark.parametrize(
    "written",
    ["030 5550 134", "n/a", "12", "+49 12", "+49305550134 maybe", "1-800-FLOWERS", "+1 " + "5" * 60, "0", "<a>", ""],
)
def test_what_nobody_can_dial_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"phone number|country|nobody can have"):
        dialled(written)


@given(st.text(max_size=50), st.sampled_from((None, "DE", "US", "CN")))
def test_any_text_is_a_number_that_the_contract_takes_or_is_refused(text: str, region: str | None) -> None:
    try:
        number = dialled(text, region)
    except ValueError:
        return
    assert Contact(contact_id="c", account_id="a", name="C", phone=number).phone == number


def test_a_region_is_a_countrys_two_letters() -> None:
    assert known_region(" de") == "DE"
    with pytest.raises(ValueError, match="'Germany' is no country's two letters"):
        known_region("Germany")


def known() -> Directory:
    directory = Directory()
    directory.put(Rep(rep_id="rita", name="Rita", channels=({"kind": "email", "target": "rita@x.example"},)))
    directory.put(Account(account_id="acme", name="Acme", rep_id="rita"))
    directory.put(Account(account_id="9001", name="Acme", rep_id="rita"))
    directory.put(Contact(contact_id="501", account_id="9001", name="Dana", phone="+49305550134"))
    return directory


def test_our_own_files_take_numbers_and_name_the_line_of_one_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("contact_id,account_id,name,phone\nc1,acme,Zoe,+49 30 5550 134\nc2,acme,Bo,\n")
    zoe, bo = read_directory([file], known=known())
    assert isinstance(zoe, Contact)
    assert isinstance(bo, Contact)
    assert (zoe.phone, bo.phone) == ("+49305550134", None)
    file.write_text("contact_id,account_id,name,phone\nc1,acme,Zoe,030 5550 134\n")
    with pytest.raises(InputError, match=r"contacts\.csv:2: phone: .*--phone-region"):
        read_directory([file], known=known())
    (zoe,) = read_import([file], known=known(), phone_region="DE").entities
    assert isinstance(zoe, Contact)
    assert zoe.phone == "+49305550134"


def test_a_number_that_yaml_takes_for_an_amount_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "contacts.yaml"
    file.write_text('- {contact_id: c1, account_id: acme, name: Zoe, phone: "+49 30 5550 134"}\n')
    assert len(read_directory([file], known=known())) == 1
    file.write_text("- {contact_id: c1, account_id: acme, name: Zoe, phone: +49305550134}\n")
    with pytest.raises(InputError, match=r"contacts\.yaml:1: phone: must stand in quotation marks"):
        read_directory([file], known=known())


HUBSPOT = "Record ID,First Name,Email,{}Contact owner,Associated Company IDs\n501,Dana,dana@acme.example,{}Rita,9001\n"


@pytest.mark.parametrize(
    ("columns", "cells", "number"),
    [
        ("Phone Number,", "+49 30 5550 199,", "+49305550199"),
        ("Phone Number,Mobile Phone Number,", ",+49 151 23456789,", "+4915123456789"),
        ("Phone Number,", "(030) 5550 199,", "+49305550199"),
        ("Phone Number,", ",", None),
        ("Phone Number,", "ask Rita,", None),
        ("", "", "+49305550134"),
    ],
)
def test_hubspots_numbers_are_taken_and_what_is_none_is_left_out_and_told(
    columns: str, cells: str, number: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(HUBSPOT.format(columns, cells))
    found = read_import([file], known=known(), phone_region="DE")
    (dana,) = found.entities
    assert isinstance(dana, Contact)
    assert dana.phone == number
    assert [note for note in found.notes if "'ask Rita' is no phone number" in note] == [
        note for note in found.notes if "ask Rita" in cells
    ]


def test_salesforces_numbers_are_taken(tmp_path: Path) -> None:
    file, directory = tmp_path / "Contact.csv", known()
    directory.put(Account(account_id="0015e00000AbCdEAAV", name="Bolt", rep_id="rita"))
    row = '"0035e00000FaY01AAF","0015e00000AbCdEAAV","Lind","",{}\n'
    file.write_text('"Id","AccountId","LastName","Phone","MobilePhone"\n' + row.format('"+49 151 23456789"'))
    (fay,) = read_import([file], known=directory).entities
    assert isinstance(fay, Contact)
    assert fay.phone == "+4915123456789"
