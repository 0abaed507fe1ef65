"""An account's contacts are found whatever became of them."""

from schemas.directory import Contact, Directory


def ids(directory: Directory, account_id: str) -> list[str]:
    return [contact.contact_id for contact in directory.contacts_of(account_id)]


def test_an_accounts_contacts_are_found_by_id_until_they_move_or_go() -> None:
    directory = Directory()
    for name in ("eli", "dana"):
        directory.put(Contact(contact_id=name, account_id="acme", name=name))
    assert ids(directory, "acme") == ["dana", "eli"]
    directory.put(Contact(contact_id="dana", account_id="bolt", name="Dana"))
    assert (ids(directory, "acme"), ids(directory, "bolt")) == (["eli"], ["dana"])
    directory.remove("contact:eli")
    assert (ids(directory, "acme"), ids(directory, "nobody")) == ([], [])
