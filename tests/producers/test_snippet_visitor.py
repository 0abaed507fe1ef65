"""Who reads: the visitor's id, identification, consent, and those who do not want to be followed."""

from playwright.sync_api import Browser

from schemas.events import IdentifyByToken, PageView
from tests.producers.pages.reader import Reader
from tests.producers.pages.site import STUB, Recorder

pytest_plugins = ["tests.producers.pages.fixtures"]

KEPT = "JSON.stringify(localStorage)"


def test_a_visitor_keeps_one_id_and_each_page_view_gets_its_own(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    reader.open("/interactive")
    recorder.last(PageView, 2)
    assert len({report.visitor_id for report in recorder.reports}) == 1
    assert recorder.reports[0].visitor_id == reader.page.evaluate("localStorage.rb_v")
    first, second = recorder.of(PageView)
    assert first.page_view_id != second.page_view_id
    assert second.referrer == ""


def test_where_storage_is_denied_the_id_lasts_as_long_as_the_page(reader: Reader, recorder: Recorder) -> None:
    reader.page.add_init_script("""
      Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } });
    """)
    reader.open("/article")
    recorder.last(PageView)
    reader.leave()
    recorder.left()
    assert len({report.visitor_id for report in recorder.reports}) == 1


def test_a_token_in_the_address_identifies_and_is_gone_at_once(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article#rb=abc.def-1_2&pricing")
    assert reader.page.evaluate("location.href") == f"{recorder.url}/article#pricing"
    reader.page.wait_for_function("() => scrollY === 1000")
    opened = recorder.last(PageView)
    assert opened.url == f"{recorder.url}/article"
    told = [[event.type for event in report.events] for report in recorder.reports]
    assert told == [["identify"], ["page_view"]]  # an expired token costs no more than itself
    assert recorder.of(IdentifyByToken)[0].token == "abc.def-1_2"
    assert reader.page.evaluate("history.length") == 2  # the blank page, and this one


def test_a_token_alone_leaves_no_fragment_and_a_route_is_told_to_the_router(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article?a=1#rb=abc")
    assert reader.page.evaluate("location.href") == f"{recorder.url}/article?a=1"
    reader.open("/app#rb=abc&%2Fprices%3Fa%3D%25")
    assert reader.page.evaluate("[location.hash, places.join()]") == ["#/prices?a=%", "#/prices?a=%"]
    assert recorder.last(PageView, 2).url == f"{recorder.url}/app#/prices?a=%"


def test_a_fragment_that_leads_nowhere_does_no_harm(reader: Reader, recorder: Recorder) -> None:
    recorder.script_delay_s = 0.5  # the page is complete before
    reader.open("/article#rb=abc&nowhere")
    assert recorder.last(PageView).url == f"{recorder.url}/article"
    assert reader.page.evaluate("location.hash") == "#nowhere"
    assert recorder.of(IdentifyByToken)[0].token == "abc"


def test_calls_made_before_the_snippet_loads_are_kept(reader: Reader, recorder: Recorder) -> None:
    recorder.stub = STUB
    reader.open("/article")
    recorder.last(PageView)
    assert [event.type for event in recorder.reports[0].events] == ["identify"]
    assert recorder.of(IdentifyByToken)[0].token == "token-of-the-site"


def test_without_consent_nothing_is_stored_or_sent(reader: Reader, recorder: Recorder) -> None:
    recorder.attributes = 'data-consent="required"'
    recorder.stub = STUB
    reader.open("/article#rb=from-the-mail&pricing")
    assert reader.page.evaluate("location.hash") == "#pricing"
    reader.stir()
    reader.hide()
    reader.hide(False)
    recorder.stays_silent(1.5)
    assert reader.page.evaluate(KEPT) == "{}"

    reader.page.evaluate("readbrief('consent', 'granted')")
    recorder.last(PageView)
    assert [event.token for event in recorder.of(IdentifyByToken)] == ["from-the-mail", "token-of-the-site"]
    assert reader.page.evaluate("localStorage.rb_v") == recorder.reports[0].visitor_id


def test_consent_denied_deletes_the_id_and_ends_all(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    recorder.last(PageView)
    reader.stir()
    reader.page.evaluate("""() => {
      localStorage.rb_q = "[]";
      history.pushState(null, "", "/late"); // its page view waits to be sent
      readbrief("consent", "denied");
    }""")
    told = len(recorder.bodies)
    reader.page.evaluate("history.pushState(null, '', '/other'); readbrief('identify', 'later')")
    reader.stir()
    reader.stay(1.5)
    assert reader.page.evaluate(KEPT) == "{}"
    reader.leave()
    reader.stay(0.3)
    assert len(recorder.bodies) == told


def test_who_does_not_want_to_be_followed_is_not(browser: Browser, recorder: Recorder) -> None:
    for signal in ("globalPrivacyControl", "doNotTrack"):
        context = browser.new_context()
        context.add_init_script(f"""
          localStorage.rb_v = "an-id-from-earlier";
          Object.defineProperty(navigator, "{signal}", {{ value: "{signal}" === "doNotTrack" ? "1" : true }});""")
        reader = Reader(context, recorder)
        reader.open("/article#rb=abc&pricing")
        assert reader.page.evaluate("location.hash") == "#pricing"
        reader.page.evaluate("readbrief('consent', 'granted'); readbrief('identify', 'abc')")
        reader.stir()
        recorder.stays_silent(1.2)
        assert reader.page.evaluate(KEPT) == "{}"
        context.close()
        recorder.stays_silent(0.2)


def test_nothing_but_readbrief_is_global(reader: Reader, recorder: Recorder) -> None:
    reader.page.add_init_script("window.before = new Set([...Object.getOwnPropertyNames(window), 'before'])")
    reader.open("/article")
    recorder.last(PageView)
    assert reader.page.evaluate("Object.getOwnPropertyNames(window).filter(name => !before.has(name))") == ["readbrief"]


def test_calls_with_nonsense_never_throw(reader: Reader, recorder: Recorder) -> None:
    reader.open("/article")
    reader.page.evaluate("""() => {
      readbrief(); readbrief("identify"); readbrief("identify", {}); readbrief("identify", "x".repeat(5000));
      readbrief("consent", null); readbrief("no such thing", 1);
    }""")
    recorder.last(PageView)
    assert recorder.of(IdentifyByToken) == []
