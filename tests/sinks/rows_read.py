"""How many rows a query reads, by the server's own count; nobody else may ask it anything meanwhile."""

from collections.abc import Callable

from clickhouse_driver import Client


def rows_read_by(client: Client, ask: Callable[[], object]) -> int:
    """Ask, and return how many rows that read; what counting itself reads is taken off."""
    first, second = _selected(client), _selected(client)
    ask()
    return _selected(client) - second - (second - first)


def _selected(client: Client) -> int:
    found = client.execute("SELECT value FROM system.events WHERE event = 'SelectedRows'")
    return int(found[0][0]) if found else 0
