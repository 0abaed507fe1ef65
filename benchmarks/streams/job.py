"""What every peer is told to do, as one JSON argument. Only the standard library: peers run in a venv of their own."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

READY_FD = "READBRIEF_READY_FD"  # as the pipeline's own processes have it


@dataclass(frozen=True)
class Job:
    """Where the events are, where totals go, and the tables: accounts by contact, topics by URL."""

    bootstrap: str
    events_topic: str
    totals_topic: str
    tables: str
    state_dir: str
    name: str
    compression: str
    partitions: int

    def to_json(self) -> str:
        """Return the argument that `told` reads."""
        return json.dumps(asdict(self))

    def read_tables(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """Return accounts by contact, and topics by URL."""
        tables = json.loads(Path(self.tables).read_text())
        return tables["contacts"], tables["contents"]


def told() -> Job:
    """Return the job that this process was started for."""
    return Job(**json.loads(sys.argv[1]))


def announce_ready() -> None:
    """Tell the measuring process that starting is over and work begins."""
    with os.fdopen(int(os.environ[READY_FD]), "w") as pipe:
        pipe.write("ready\n")
