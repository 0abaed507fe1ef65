"""What the pages are made from: settings, store, directory, and what the shell hands in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.settings import Settings
from sinks.lags import Lag
from sinks.web.rates import Rates
from sinks.web.store import Store

LINKS_PER_ADDRESS = 5
RATES_WINDOW_S = 900
_LINKS_PER_CLIENT, _SIGN_INS_PER_CLIENT = 20, 60


Publish = Callable[[str, bytes | None, bytes | None, int | None], None]
"""Puts a message on a topic: its name, key, value and partition; returns once it is acknowledged."""


@dataclass
class Web:
    """Everything a page works with; times come from `now_ms`, mail leaves by `send`."""

    settings: Settings
    store: Store
    directory: Directory
    playbook: Callable[[], Playbook]
    now_ms: Callable[[], int]
    send: Callable[[EmailMessage, str], None]
    publish: Publish | None = None
    lags: Callable[[], Sequence[Lag]] | None = None
    links_by_address: Rates = field(default_factory=lambda: Rates(LINKS_PER_ADDRESS, RATES_WINDOW_S))
    links_by_client: Rates = field(default_factory=lambda: Rates(_LINKS_PER_CLIENT, RATES_WINDOW_S))
    sign_ins_by_client: Rates = field(default_factory=lambda: Rates(_SIGN_INS_PER_CLIENT, RATES_WINDOW_S))

    @property
    def origin(self) -> str:
        """The pages' own origin, without which no form is taken."""
        return self.settings.web_url.rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether cookies may travel encrypted alone."""
        return self.origin.startswith("https://")
