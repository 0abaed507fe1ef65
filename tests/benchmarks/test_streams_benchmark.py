from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.streams import report
from benchmarks.streams.growth import Holding
from benchmarks.streams.measuring import Cost, Measured, PeerFailedError
from benchmarks.streams.oracle import Batch, Totals, differences, digest
from benchmarks.streams.report import Run
from benchmarks.streams.workload import Workload, contents, events, one_read
from producers.bundling import envelope_bytes
from schemas.envelope import Envelope
from schemas.events import Identify

SITE_LIKE = Workload(20_000, 2_000, 200, known_every=20, ending_ms=1_795_000_000_000)
ALL_KNOWN = replace(SITE_LIKE, known_every=1)


@pytest.mark.parametrize("load", [SITE_LIKE, ALL_KNOWN])
def test_every_event_is_written_as_the_collector_writes_it(load: Workload) -> None:
    for _, written in [*events(replace(load, events=3_000)), ("", one_read(7, load.ending_ms))]:
        assert envelope_bytes(Envelope.model_validate_json(written)) == written


@pytest.mark.parametrize("load", [SITE_LIKE, ALL_KNOWN])
def test_known_visitors_are_identified_before_all_else_and_nobody_else_is(load: Workload) -> None:
    first: dict[str, Envelope] = {}
    identified = set()
    for visitor_id, written in events(load):
        envelope = Envelope.model_validate_json(written)
        first.setdefault(visitor_id, envelope)
        if isinstance(envelope.event, Identify):
            identified.add(visitor_id)
    known = {visitor_id for visitor_id in first if load.is_known(int(visitor_id.removeprefix("visitor-")))}
    assert identified == known
    assert all(isinstance(first[visitor_id].event, Identify) for visitor_id in known)


def test_all_visitors_read_all_accounts_have_visitors_and_some_read_far_more() -> None:
    seen = Counter(visitor_id for visitor_id, _ in events(ALL_KNOWN))
    assert len(seen) == ALL_KNOWN.visitors
    assert len(set(ALL_KNOWN.accounts_of_visitors)) == ALL_KNOWN.accounts
    assert seen.most_common(1)[0][1] > 20 * ALL_KNOWN.events / ALL_KNOWN.visitors


def test_five_percent_of_the_visitors_make_about_five_percent_of_the_events() -> None:
    numbers = [int(visitor_id.removeprefix("visitor-")) for visitor_id, _ in events(SITE_LIKE)]
    assert 0.04 < sum(map(SITE_LIKE.is_known, numbers)) / len(numbers) < 0.06


def test_the_batch_computation_minds_neither_order_nor_repeats() -> None:
    written = [envelope for _, envelope in events(ALL_KNOWN)]
    straight, shuffled = Batch(ALL_KNOWN.contacts, contents()), Batch(ALL_KNOWN.contacts, contents())
    for envelope in written:
        straight.add(envelope)
    for envelope in [*reversed(written), *written[:500]]:
        shuffled.add(envelope)
    assert straight.totals()
    assert digest(straight.totals()) == digest(shuffled.totals())


def test_one_millisecond_too_many_is_a_difference() -> None:
    right = {"a": Totals(active_ms=5, reads=1, topics={"x": 5}), "b": Totals(active_ms=7, reads=1, topics={})}
    wrong = {"a": Totals(active_ms=6, reads=1, topics={"x": 5}), "c": Totals(active_ms=1, reads=1, topics={})}
    assert differences(wrong, right) == ["a", "b", "c"]
    assert digest(wrong) != digest(right)


def test_verdicts_fail_who_is_too_slow_and_what_grows_too_much() -> None:
    runs = [_run(report.OURS, cpu_s=1.0, per_bundle=100), _run("faust", cpu_s=19.0), _run("bytewax", cpu_s=2.0)]
    holdings = [Holding(1_000, 10.0, 1, 1, 1), Holding(1_000_000, 12.1, 1, 1, 1)]
    assert [verdict.met for verdict in report.verdicts(runs, holdings)] == [False, True, False]


def test_what_is_close_to_its_target_is_told_from_what_is_not() -> None:
    runs = [_run(report.OURS, cpu_s=1.0, per_bundle=100), _run("faust", cpu_s=30.0), _run("quix", cpu_s=4.0)]
    assert report.close_to_target("5 %", [*runs, _run("bytewax", cpu_s=2.4)]) == ["quix", "bytewax"]
    assert report.close_to_target("all", runs) == []


def test_the_page_and_the_plot_name_every_contender_and_no_path_of_this_machine(tmp_path: Path) -> None:
    runs = [_run(report.OURS, cpu_s=1.0, per_bundle=100), _run("faust", cpu_s=21.0)]
    runs += [replace(run, known="all") for run in runs]
    holdings = [Holding(1_000, 10.0, 1, 1, 1), Holding(1_000_000, 11.0, 1, 1, 1)]
    report.write(tmp_path, runs, holdings, report.setting(1_000_000, 100_000, 10_000, 1.0))
    page, plot = (tmp_path / report.PAGE).read_text(), (tmp_path / report.PLOT).read_text()
    assert "| faust:" in page
    assert "| 5 % known, times faust | 21.00 | >= 20.00 | yes |" in page
    assert str(Path.home()) not in page + plot
    assert str(tmp_path) not in page + plot


def test_a_process_that_ends_before_its_work_is_done_is_a_failure(tmp_path: Path) -> None:
    command = ["sh", "-c", "echo ready > /dev/fd/$READBRIEF_READY_FD; sleep 0.5; echo out of luck; exit 3"]
    running = Measured(command, tmp_path / "peer.log")
    with pytest.raises(PeerFailedError, match=r"ended with 3 before its work was done(.|\n)*out of luck"):
        running.wait(lambda: False, 30)


def test_cpu_of_children_counts(tmp_path: Path) -> None:
    busy = "import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    script = f"echo ready > /dev/fd/$READBRIEF_READY_FD; python3 -c '{busy}'; echo done > {tmp_path}/done; sleep 60"
    running = Measured(["sh", "-c", script], tmp_path / "peer.log")
    try:
        running.wait((tmp_path / "done").exists, 60)
        assert running.stop().cpu_s >= 0.5
    finally:
        running.kill()


def _run(key: str, *, cpu_s: float, per_bundle: int = 0) -> Run:
    return Run("5 %", key, key, "as it is", 1_000_000, Cost(cpu_s, 0.1, 1.0, 1.0, 1, 1), "digest", per_bundle)
