"""Renews the golden briefs: run `python -m tests.sinks.golden_briefs`, then read `git diff tests/sinks/golden`."""

import re
from pathlib import Path

from schemas.brief import Brief
from sinks.delivery.document import ButtonKind
from sinks.delivery.render import Rendered, render
from tests.sinks.golden_situations import SITUATIONS
from tests.sinks.golden_world import LANGUAGES, delivery_of

FOLDER = Path(__file__).parent / "golden"


def golden_path(name: str, language: str) -> Path:
    """Return where a situation's brief is kept."""
    return FOLDER / language / (re.sub(r"[^a-z]+", "-", name).strip("-") + ".txt")


def button_url(_brief: Brief, kind: ButtonKind) -> str:
    """Give each button an address."""
    return f"https://readbrief.example/{kind}"


def rendered(name: str, language: str, *, buttons: bool = False) -> Rendered:
    """Render a situation for the rep of a language."""
    delivery, directory = delivery_of(SITUATIONS[name], language)
    return render(delivery, directory, button_url) if buttons else render(delivery, directory)


def main() -> None:
    """Write all golden briefs anew, and take away those of situations that are gone."""
    paths = {golden_path(name, language): rendered(name, language) for name in SITUATIONS for language in LANGUAGES}
    for path in FOLDER.glob("*/*.txt"):
        if path not in paths:
            path.unlink()
    for path, message in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{message.subject}\n\n{message.text}", encoding="utf-8")


if __name__ == "__main__":
    main()
