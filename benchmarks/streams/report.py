"""From figures to `docs/performance.md` and the plot beside it. Knows nothing of machines' paths."""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks.streams.growth import ACTIVE_ACCOUNTS, BUNDLE, Holding
from benchmarks.streams.measuring import Cost

OURS = "readbrief"
PAGE, PLOT = "performance.md", "performance.svg"
MAX_GROWTH = 1.20
CLOSE = 0.25
"""How far from its target a ratio may be, as a share of it, so that a machine's moods can decide about it."""
TARGETS = {
    "5 %": {"faust": 20.0, "quix": 5.0, "bytewax": 2.0, "kafka-streams": 1.0},
    "all": {"faust": 5.0, "quix": 1.0},
}
KNOWN = {"5 %": "5 % of the visitors known, as on a real site", "all": "All visitors known"}


@dataclass(frozen=True)
class Run:
    """One contender's run; `per_bundle` is 0 for those who read one event a message."""

    known: str
    key: str
    title: str
    detail: str
    events: int
    cost: Cost
    told: str
    per_bundle: int = 0

    @property
    def per_cpu_s(self) -> float:
        """Events per second of CPU, starting included."""
        return self.events / self.cost.cpu_s

    @property
    def working_per_cpu_s(self) -> float:
        """Events per second of CPU, starting left out."""
        return self.events / max(0.01, self.cost.cpu_s - self.cost.starting_cpu_s)


@dataclass(frozen=True)
class Verdict:
    """A figure held against its target."""

    what: str
    value: float
    relation: str
    target: float

    @property
    def met(self) -> bool:
        """Tell whether the target is reached."""
        return self.value >= self.target if self.relation == ">=" else self.value <= self.target

    def __str__(self) -> str:
        """Say it in one line, as all benchmarks do."""
        mark = "ok  " if self.met else "MISS"
        return f"{mark}  {self.what}: {self.value:.2f} (target {self.relation} {self.target:.2f})"


def verdicts(runs: Sequence[Run], holdings: Sequence[Holding]) -> list[Verdict]:
    """Hold ratios and growth against the targets; starting counts, for all alike."""
    found = [verdict for known in TARGETS for _, verdict in _ratios(known, runs)]
    if len(holdings) > 1:
        growth = holdings[-1].event_us / holdings[0].event_us
        what = f"cost per event with {holdings[-1].accounts:,} accounts, of that with {holdings[0].accounts:,}"
        found.append(Verdict(what, growth, "<=", MAX_GROWTH))
    return found


def close_to_target(known: str, runs: Sequence[Run]) -> list[str]:
    """Return the peers that are compared with a target which the ratio misses or exceeds by little."""
    return [key for key, ratio in _ratios(known, runs) if abs(ratio.value / ratio.target - 1) <= CLOSE]


def _ratios(known: str, runs: Sequence[Run]) -> Iterator[tuple[str, Verdict]]:
    ours = next((run for run in runs if run.known == known and run.per_bundle == BUNDLE), None)
    for key, target in TARGETS[known].items():
        theirs = next((run for run in runs if run.known == known and run.key == key), None)
        if ours and theirs:
            ratio = ours.per_cpu_s / theirs.per_cpu_s
            yield key, Verdict(f"{known} known, times {theirs.title}", ratio, ">=", target)


def write(folder: Path, runs: Sequence[Run], holdings: Sequence[Holding], setting: str) -> None:
    """Write the page and the plot."""
    (folder / PAGE).write_text(page(runs, holdings, setting), encoding="utf-8")
    _plot(runs, holdings, folder / PLOT)


def page(runs: Sequence[Run], holdings: Sequence[Holding], setting: str) -> str:
    """Return the page: what was asked of all, a table for each share of known visitors, and what accounts cost."""
    parts = [
        "# Performance of the streams\n",
        "Written by `make bench BENCH=streams`; figures change with the machine, ratios less so.\n",
        setting + "\n",
        _machine() + "\n",
        f"![Events per second of CPU, and cost per event by accounts held]({PLOT})\n",
    ]
    for known, title in KNOWN.items():
        chosen = [run for run in runs if run.known == known]
        if chosen:
            parts += [f"## {title}\n", _table(chosen)]
    if holdings:
        parts += ["## What accounts cost\n", _growth_table(holdings)]
    lines = [
        f"| {each.what} | {each.value:.2f} | {each.relation} {each.target:.2f} | {'yes' if each.met else '**no**'} |"
        for each in verdicts(runs, holdings)
    ]
    parts += ["## Targets\n", "\n".join(["| figure | value | target | met |", "| --- | --- | --- | --- |", *lines, ""])]
    return "\n".join(parts)


def _machine() -> str:
    return (
        f"Machine: {psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}."
    )


def setting(events: int, visitors: int, accounts: int, exponent: float) -> str:
    """Say what was asked of all."""
    return (
        "The job: resolve visitors to accounts, join their reads by page view, and keep for each account active\n"
        f"time, number of reads and active time by topic. {events:,} events of {visitors:,} visitors of\n"
        f"{accounts:,} accounts (Zipf, exponent {exponent:g}, each at least once), five days, on one Apache Kafka,\n"
        "four partitions, zstd. Where a way is slow it was given the first so many of the events. The result of each\n"
        "equals that of a plain batch computation over the same events: same digest. CPU is user and system time of\n"
        "all of the job's processes, children too, the broker's not; it includes starting, and also stands without.\n"
        "Where a ratio is within a quarter of its target, both run three times in turns, and the best run of each\n"
        "counts: whatever else the machine does only adds to them.\n\n"
        f"readbrief runs as in production: `readbrief run streams`, fed with bundles of {BUNDLE} events and less, as\n"
        "the collector writes them. It does more than was asked: it joins all of a read (depth, attention, sections,\n"
        "clicks) and writes a whole interest summary. It writes no briefs, as no rep is assigned."
    )


def _table(runs: Sequence[Run]) -> str:
    ours = next((run for run in runs if run.per_bundle == BUNDLE), None)
    lines = [
        "| way | events | CPU s | events per CPU s | without starting | readbrief is | peak memory | result |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for run in runs:
        ratio = f"{ours.per_cpu_s / run.per_cpu_s:.1f} x" if ours else ""
        lines.append(
            f"| {run.title}: {run.detail} | {run.events:,} | {run.cost.cpu_s:.1f} | {run.per_cpu_s:,.0f} "
            f"| {run.working_per_cpu_s:,.0f} | {ratio} | {run.cost.peak_rss / 2**20:.0f} MiB | {run.told} |"
        )
    return "\n".join([*lines, ""])


def _growth_table(holdings: Sequence[Holding]) -> str:
    intro = (
        "So many accounts held in state, each with a read, by one worker; the events are the same and touch "
        f"{ACTIVE_ACCOUNTS:,} of\nthem. Recovery is from the start of the process until all state is there.\n"
    )
    lines = [
        intro,
        "| accounts | CPU per event | memory per account | recovery | its CPU |",
        "| ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {each.accounts:,} | {each.event_us:.0f} µs | {each.account_bytes / 1024:.1f} KiB "
            f"| {each.recovery_s:.1f} s | {each.recovery_cpu_s:.1f} s |"
            for each in holdings
        ),
    ]
    return "\n".join([*lines, ""])


def _plot(runs: Sequence[Run], holdings: Sequence[Holding], path: Path) -> None:
    figure = Figure(figsize=(11, 4), layout="constrained")
    FigureCanvasSVG(figure)
    panels = figure.subplots(1, 3)
    for panel, (known, title) in zip(panels, KNOWN.items(), strict=False):
        chosen = [run for run in runs if run.known == known][::-1]
        names = [run.title + (f", {run.per_bundle} a bundle" if run.per_bundle else "") for run in chosen]
        colours = ["#1f6f8b" if run.key == OURS else "#b8b8b8" for run in chosen]
        bars = panel.barh(names, [run.per_cpu_s for run in chosen], color=colours)
        panel.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=7)
        panel.set_xscale("log")
        panel.margins(x=0.35)  # room for the numbers beside the bars
        panel.set_title(title, fontsize=9)
        panel.set_xlabel("events per second of CPU", fontsize=8)
        panel.tick_params(labelsize=7)
    last = panels[-1]
    last.plot([each.accounts for each in holdings], [each.event_us for each in holdings], "o-", color="#1f6f8b")
    last.set_xscale("log")
    last.set_ylim(bottom=0)
    last.set_title("Cost per event by accounts held", fontsize=9)
    last.set_xlabel("accounts", fontsize=8)
    last.set_ylabel("CPU µs", fontsize=8)
    last.tick_params(labelsize=7)
    figure.savefig(path, metadata={"Date": None})
