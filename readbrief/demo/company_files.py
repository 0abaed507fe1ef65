"""The invented company's files: its directory as a marketer exports it, and its playbook.

`content.csv` names pages by path, since the demo's site gets its port at run time; `write_directory` puts the site's
origin before them.
"""

import csv
from pathlib import Path

COMPANY = Path(__file__).parent / "company"
PLAYBOOK = COMPANY / "playbook.yaml"
DEMO_CONTACT = "con-you"
DEMO_ACCOUNT = "acc-demo"

_DIRECTORY_FILES = ("accounts.csv", "contacts.csv", "reps.csv", "content.csv")


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the company's CSV files, by column."""
    with (COMPANY / name).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def write_directory(into: Path, origin: str) -> tuple[Path, ...]:
    """Write the company's CSV files into a folder, with its pages on the site's origin, and return their paths."""
    into.mkdir(parents=True, exist_ok=True)
    return tuple(_write(into / name, name, origin) for name in _DIRECTORY_FILES)


def _write(path: Path, name: str, origin: str) -> Path:
    rows = rows_of(name)
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "url": f"{origin}{row['url']}"} if "url" in row else row for row in rows)
    return path
