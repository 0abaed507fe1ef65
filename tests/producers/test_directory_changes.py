"""What an import or a deletion makes go, and what it may not."""

import pytest

from producers.directory_changes import changes_of, deletion_of
from producers.directory_import import Import
from schemas.delivery import ChannelKind
from schemas.directory import Account, Channel, Contact, Content, Directory, Entity, Membership, Rep
from schemas.errors import InputError

NOW_MS = 1_800_000_000_000
CHAT = (Channel(kind=ChannelKind.chat, target="sales"),)
RITA, OMAR = (
    Rep(rep_id="rita", name="Rita", channels=CHAT),
    Rep(rep_id="omar", name="Omar", channels=CHAT, manager_id="rita"),
)
ACME, BOLT = Account(account_id="acme", name="Acme", rep_id="rita"), Account(account_id="bolt", name="B", rep_id="omar")
DANA, FAY = (
    Contact(contact_id="dana", account_id="acme", name="Dana"),
    Contact(contact_id="fay", account_id="bolt", name="Fay"),
)
PAGE = Content(url="https://www.example.com/", title="Home")


def directory(*entities: Entity) -> Directory:
    known = Directory()
    for entity in entities or (RITA, OMAR, ACME, BOLT, DANA, FAY, PAGE):
        known.put(entity)
    return known


def files(*entities: Entity, deleted: tuple[str, ...] = ()) -> Import:
    return Import(list(entities), list(deleted), frozenset(entity.kind for entity in entities), [])


def test_what_complete_files_no_longer_have_goes_and_other_kinds_stay() -> None:
    changes = changes_of(files(DANA), directory(), complete=True, now_ms=NOW_MS)
    assert changes.deleted == ["contact:fay"]
    assert changes_of(files(DANA), directory(), complete=False, now_ms=NOW_MS).deleted == []


def test_more_than_a_tenth_is_much() -> None:
    many = [Contact(contact_id=f"c{i}", account_id="acme", name="C") for i in range(20)]
    known = directory(RITA, ACME, *many)
    assert not changes_of(files(*many[2:]), known, complete=True, now_ms=NOW_MS).is_large
    assert changes_of(files(*many[3:]), known, complete=True, now_ms=NOW_MS).is_large


def test_what_files_mark_as_deleted_goes_if_it_is_there() -> None:
    read = files(ACME, deleted=("contact:fay", "contact:never"))
    assert changes_of(read, directory(), complete=False, now_ms=NOW_MS).deleted == ["contact:fay"]


def test_with_an_account_go_its_contacts_and_they_go_first() -> None:
    assert deletion_of(["account:acme"], directory()).deleted == ["contact:dana", "account:acme"]


def test_a_contact_that_moves_in_the_same_import_does_not_go_with_its_old_account() -> None:
    moved = DANA.model_copy(update={"account_id": "bolt"})
    changes = changes_of(files(BOLT, moved, FAY), directory(), complete=True, now_ms=NOW_MS)
    assert changes.deleted == ["account:acme"]


def test_who_is_still_referred_to_can_not_go() -> None:
    with pytest.raises(
        InputError, match="rep:rita can't go: rep:omar, account:acme still refer to it; give them another"
    ):
        deletion_of(["rep:rita"], directory())
    moved = BOLT.model_copy(update={"rep_id": "rita"})
    assert changes_of(files(moved, deleted=("rep:omar",)), directory(), complete=False, now_ms=NOW_MS).deleted == [
        "rep:omar"
    ]


def test_a_key_of_nothing_is_an_error() -> None:
    with pytest.raises(InputError, match="account:nobody: not in the directory"):
        deletion_of(["account:nobody"], directory())


def test_a_contact_that_changes_account_keeps_where_it_was_and_until_when() -> None:
    moved = DANA.model_copy(update={"account_id": "bolt"})
    (dana,) = changes_of(files(moved), directory(), complete=False, now_ms=NOW_MS).entities
    assert isinstance(dana, Contact)
    assert dana.earlier == (Membership(account_id="acme", until_ms=NOW_MS),)
    known = directory(RITA, OMAR, ACME, BOLT, dana)
    assert [known.account_of("dana", at) for at in (0, NOW_MS - 1, NOW_MS, None)] == [ACME, ACME, BOLT, BOLT]
    (back,) = changes_of(files(DANA), known, complete=False, now_ms=NOW_MS + 5).entities
    known.put(back)
    assert [known.account_of("dana", NOW_MS + at) for at in (-1, 0, 4, 5)] == [ACME, BOLT, BOLT, ACME]
    (same,) = changes_of(files(DANA), known, complete=False, now_ms=NOW_MS + 9).entities
    assert same == back
