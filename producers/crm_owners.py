"""Which rep is meant by an owner of a CRM's record. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from schemas.delivery import ChannelKind
from schemas.directory import Rep


class Owners:
    """The reps by all that a CRM may call them: their id, their address, their name, or a user who has one of these."""

    def __init__(self, reps: Iterable[Rep]) -> None:
        self._reps: dict[str, set[str]] = defaultdict(set)
        self._users: dict[str, set[str]] = defaultdict(set)
        for rep in reps:
            mails = [channel.target for channel in rep.channels if channel.kind is ChannelKind.email]
            for name in (rep.rep_id, rep.name, *mails):
                self._reps[_key(name)].add(rep.rep_id)

    def add_user(self, *names: str) -> None:
        """Take in a user of the CRM, by id, address and name."""
        keys = {_key(name) for name in names if name}
        for key in keys:
            self._users[key] |= keys

    def rep_of(self, owner: str) -> str:
        """Return the id of the rep that an owner is.

        Raises:
            ValueError: no rep is, or more than one.
        """
        key = _key(owner)
        found = self._reps.get(key) or {
            rep_id for name in self._users.get(key, ()) for rep_id in self._reps.get(name, ())
        }
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise ValueError(
                f"{owner!r} may be any of the reps {', '.join(sorted(found))}: export the owner's address or id instead"
            )
        user = " (nor is there a user with this id in the files)" if key not in self._users else ""
        raise ValueError(
            f"owner {owner!r} is no rep by id, email channel or name{user}: add them to reps.csv, "
            "give the record another owner, or name a --default-rep for records whose owner is none"
        )


def _key(name: str) -> str:
    return " ".join(name.casefold().split())
