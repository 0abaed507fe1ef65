"""How reports reach the collector, and what is served."""

import json

from producers.snippet import compressed, script, script_hash, tag
from producers.snippet.build import BUILT_FROM, MAX_BYTES, source_hash
from schemas.events import PageView
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import Recorder

pytest_plugins = ["tests.producers.pages.fixtures"]

# Watches, from before the page's first script, how listeners are added and what they do.
WATCH = """
  window.watch = { listeners: [], reads: [], scrolls: 0 };
  let inScroll = 0;
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, act, options) {
    if (new Error().stack.includes("/rb.js")) watch.listeners.push([type, options]);
    add.call(this, type, function (event) {
      if (type === "scroll") { inScroll++; watch.scrolls++; }
      try { return act.call(this, event); } finally { if (type === "scroll") inScroll--; }
    }, options);
  };
  const spy = (owner, name) => {
    const found = Object.getOwnPropertyDescriptor(owner, name);
    const note = () => inScroll && watch.reads.push(name);
    const wrapped = found.get
      ? { ...found, get() { note(); return found.get.call(this); } }
      : { ...found, value(...args) { note(); return found.value.apply(this, args); } };
    Object.defineProperty(owner, name, wrapped);
  };
  for (const name of ["scrollTop", "scrollLeft", "scrollWidth", "scrollHeight", "clientTop", "clientLeft",
    "clientWidth", "clientHeight", "getBoundingClientRect", "getClientRects"]) spy(Element.prototype, name);
  for (const name of ["offsetTop", "offsetLeft", "offsetWidth", "offsetHeight", "offsetParent", "innerText"])
    spy(HTMLElement.prototype, name);
  for (const name of ["scrollX", "scrollY", "pageXOffset", "pageYOffset", "innerWidth", "innerHeight",
    "getComputedStyle"]) spy(window, name);
  spy(Document.prototype, "elementFromPoint");
"""


def test_a_failed_report_is_sent_again_after_the_next_success(reader: Reader, recorder: Recorder) -> None:
    recorder.status = 503
    reader.open("/article")
    recorder.wait(lambda: bool(recorder.refused), "a first try")
    reader.page.wait_for_function("() => localStorage.rb_q")
    refused = json.loads(recorder.refused[0])
    recorder.status = 204
    reader.page.evaluate("readbrief('identify', 'abc')")
    opened = recorder.last(PageView)
    assert opened.event_id == refused["events"][0]["event_id"]
    again = next(report for report in recorder.reports if opened in report.events)
    assert again.sent_ms > refused["sent_ms"]
    assert opened.occurred_ms == refused["events"][0]["occurred_ms"]
    reader.page.wait_for_function("() => !localStorage.rb_q")


def test_a_failed_report_outlives_the_page(reader: Reader, recorder: Recorder) -> None:
    recorder.status = 503
    reader.open("/article")
    reader.page.wait_for_function("() => localStorage.rb_q")
    recorder.status = 204
    reader.open("/interactive")
    recorder.last(PageView, 2)
    urls = {view.url.removeprefix(recorder.url) for view in recorder.of(PageView)}
    assert urls == {"/article", "/interactive"}


def test_what_is_made_up_but_not_sent_when_the_page_is_left_goes_with_the_last_beacon(
    reader: Reader, recorder: Recorder
) -> None:
    reader.open("/article")
    recorder.last(PageView)
    # Tasks that are to follow at once do not come any more, as where a page is closed between two of them.
    reader.page.evaluate("""() => {
      window.held = 0;
      const later = window.setTimeout;
      window.setTimeout = (act, ms, ...more) => (ms ? later(act, ms, ...more) : ++held);
      history.pushState(null, "", "/another");
    }""")
    reader.page.wait_for_function("() => held")
    assert not [view for view in recorder.of(PageView) if view.url.endswith("/another")]
    reader.hide()
    views = {view.event_id: view.url for view in (recorder.last(PageView, 2), *recorder.of(PageView))}
    assert sorted(url.removeprefix(recorder.url) for url in views.values()) == ["/another", "/article"]


def test_what_was_left_offline_is_sent_later(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    recorder.last(PageView)
    reader.context.set_offline(True)
    reader.stir()
    reader.stay(1)
    reader.hide()
    reader.page.wait_for_function("() => localStorage.rb_q")
    reader.context.set_offline(False)
    reader.open("/interactive")
    assert recorder.left().active_ms > 500


def test_what_waits_is_bounded(reader: Reader, recorder: Recorder) -> None:
    recorder.status = 503
    reader.open("/article")
    for n in range(25):
        reader.page.evaluate("n => readbrief('identify', n + 'x'.repeat(n < 12 ? 1900 : 9))", n)
        reader.hide()
        reader.hide(False)
        reader.page.evaluate("history.pushState(null, '', '?' + Math.random())")
    reader.page.evaluate("""() => {
      const old = JSON.parse(localStorage.rb_q || '[]');
      const told = (n) => [{ event_id: "e" + n, token: "x".repeat(4000) }];
      localStorage.rb_q = JSON.stringify([...old, ...Array.from({ length: 30 }, (_, n) => told(n))]);
      readbrief("identify", "newest");
    }""")
    reader.page.wait_for_function("() => localStorage.rb_q.includes('newest')")
    size = reader.page.evaluate("localStorage.rb_q.length")
    assert 40_000 < size <= 48 * 1024


def test_what_the_collector_refuses_for_good_is_not_sent_again(reader: Reader, recorder: Recorder) -> None:
    recorder.status = 400
    reader.open("/article")
    recorder.wait(lambda: bool(recorder.refused), "a first try")
    reader.stay(0.3)
    assert reader.page.evaluate("localStorage.rb_q") is None


def test_every_listener_is_passive_and_scrolling_reads_no_layout(reader: Reader) -> None:
    reader.page.add_init_script(WATCH)
    reader.open("/article")
    for y in (200, 900, 1700, 300):
        reader.scroll_to(y)
    listeners = reader.page.evaluate("watch.listeners")
    assert {"scroll", "click", "submit", "pagehide", "visibilitychange"} <= {kind for kind, _ in listeners}
    assert all(options["passive"] is True for _, options in listeners)
    assert not {"unload", "beforeunload"} & {kind for kind, _ in listeners}
    assert reader.page.evaluate("watch.scrolls") >= 4
    assert reader.page.evaluate("watch.reads") == []
    reader.page.evaluate("addEventListener('scroll', () => document.body.offsetHeight)")
    reader.scroll_to(800)
    assert reader.page.evaluate("watch.reads.length") > 0  # the guard does see a layout read


def test_the_built_file_is_made_from_this_source() -> None:
    assert BUILT_FROM.read_text("ascii").strip() == source_hash()


def test_as_served_it_is_at_most_four_kilobytes() -> None:
    sizes = {encoding: len(body) for encoding, body in compressed(script()).items()}
    assert list(sizes) == ["br", "gzip", ""]
    assert sizes["br"] <= MAX_BYTES["br"] == 4096
    assert sizes["gzip"] <= MAX_BYTES["gzip"]


def test_the_line_to_paste_is_escaped_html() -> None:
    assert tag("https://c.example/", "docs") == '<script async src="https://c.example/rb.js" data-site="docs"></script>'
    assert '"><' not in tag('https://c.example"><b>', '"><b>').removesuffix('"></script>')
    assert script_hash().startswith("sha384-")
    assert b"\n(()=>{" in script()[:40]
