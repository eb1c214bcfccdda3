"""A job in the browser: from the click to a playing video, through reloads, cut networks, killed servers."""

import re
import shutil
import time

import pytest
from faults.misbehaviour import Always, Reply
from faults.server import FaultServer
from playwright.sync_api import expect
from test_usual import Runs

from browser.test_access import in_every_look
from browser.visitor import KEY, Served, add, generate, hydrated, mood, some, unanswered, visit
from klingo1.ledger import Ledger

pytestmark = pytest.mark.browser

PLAYS = """() => {
  const v = document.querySelector('#k-video video');
  return v && v.readyState >= 2 && v.currentTime > 0.1 && v.videoWidth > 0;
}"""


def plays(page):
    page.wait_for_function("document.querySelector('#k-video video')")
    page.evaluate("() => { const v = document.querySelector('#k-video video'); v.muted = true; v.play(); }")
    page.wait_for_function(PLAYS)


def test_a_draft_ends_as_a_playing_video(served, emptied, photos):
    """Phases stream by, the clock ticks, the video plays, says who made it, and can be downloaded."""
    page = emptied
    with served.holding():
        generate(page, photos, prompt="A fox <img src=x onerror=alert(1)> ${1+1} {{2+2}} runs")
        mood(page, "busy")
        expect(page.locator("#k-card .note")).to_contain_text("Safe to close this page")
        first = page.locator("#k-card .clock").inner_text()
        page.wait_for_function("t => document.querySelector('#k-card .clock').textContent !== t", arg=first)
    mood(page, "good", "bad")
    expect(page.locator("#k-card .title")).to_have_text("Draft ready")
    expect(page.locator("#k-card .maker")).to_contain_text("Draft engine · free")
    plays(page)
    duration = page.evaluate("document.querySelector('#k-video video').duration")
    assert duration == pytest.approx(3, abs=0.06)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".mp4")
    assert b"ftyp" in download.value.path().read_bytes()[:16]
    expect(page.get_by_role("button", name="Make it with Kling O1 · $0.336")).to_be_visible()
    page.locator("#k-card summary").click()
    terms = page.locator("#k-card dt").all_inner_texts()
    for field in ("code", "message", "data.id", "data.model", "data.outputs", "data.urls.get"):
        assert field in terms
    for field in ("data.has_nsfw_contents", "data.status", "data.created_at", "data.error"):
        assert field in terms
    assert "data.timings.inference" in terms
    assert page.evaluate("document.querySelectorAll('#k-history img[src=x], #k-card img').length") == 0
    expect(page.locator("#k-history .open b").first).to_have_text(
        "A fox <img src=x onerror=alert(1)> ${1+1} {{2+2}} runs"
    )


def test_a_result_becomes_the_next_input(paid, payer, photos):
    """The video as the next reference video, the frame it shows as a picture; the next run takes both."""
    (service, _), page = paid, payer
    generate(page, photos, prompt="Once")
    mood(page, "good")
    plays(page)
    page.get_by_role("button", name="This frame as picture").click()
    expect(page.locator("#k-pictures .tile:not(.waiting)")).to_have_count(2)
    page.get_by_role("button", name="As reference video").click()
    expect(page.locator("#k-clip .clip .facts span")).to_contain_text("3.0 s · 1280 × 720")
    generate(page, photos, prompt="Twice")
    mood(page, "good", "bad")
    expect(page.locator("#k-card .title")).to_have_text("Video ready")
    expect(page.locator("#k-card .maker")).to_have_text("Kling O1 · $0.504 spent")
    sent = service.calls("submit")[-1].json()
    assert len(sent["images"]) == 2
    assert sent["video"].startswith(service.url)


def test_a_reload_in_mid_job_loses_nothing(served, emptied, photos):
    """The job goes on without the page; prompt and video are there afterwards."""
    page = emptied
    with served.holding():
        generate(page, photos, prompt="A reload on the way")
        mood(page, "busy")
        job = page.evaluate("klingo.get('job')")
        page.reload()
        hydrated(page)
        mood(page, "busy")
        assert page.evaluate("klingo.get('job')") == job
    expect(page.get_by_label("Prompt")).to_have_value("A reload on the way")
    mood(page, "good")
    plays(page)


def test_a_cut_network_in_mid_job_loses_nothing(served, page, photos):
    """No reload, no lost text: the card says that it looks again, then shows the video."""
    with served.holding():
        generate(page, photos, prompt="The cable is pulled")
        mood(page, "busy")
        page.evaluate("window.stillHere = true")
        page.context.set_offline(True)
    page.get_by_label("Prompt").fill("Typed while the network was away")
    expect(page.locator("#k-card .net")).to_contain_text("No connection", timeout=20_000)
    page.context.set_offline(False)
    mood(page, "good")
    plays(page)
    assert page.evaluate("window.stillHere") is True
    expect(page.get_by_label("Prompt")).to_have_value("Typed while the network was away")


@pytest.fixture(scope="module")
def frail(tmp_path_factory):
    """A page whose server goes away, and comes back."""
    one = Served(tmp_path_factory.mktemp("frail"), small=True).start()
    yield one
    one.stop()


def test_a_killed_server_in_mid_job_loses_nothing(browser, frail, photos):
    """Kill −9 while the draft renders; after the restart the open page shows the video by itself."""
    with visit(browser, frail.url) as page:
        with frail.holding():
            generate(page, photos, prompt="The power goes out")
            mood(page, "busy")
            page.evaluate("window.stillHere = true")
            frail.kill()
        page.get_by_label("Prompt").fill("Typed while the server was away")
        frail.start()
        mood(page, "good")
        plays(page)
        assert page.evaluate("window.stillHere") is True
        expect(page.get_by_label("Prompt")).to_have_value("Typed while the server was away")
        expect(page.locator("#k-history li")).to_have_count(1)


def test_pictures_that_the_server_lost_are_sent_again(browser, frail, photos):
    """A polite restart empties the cache; an open page still has its pictures, a reloaded one asks."""
    with visit(browser, frail.url) as page:
        add(page, photos, 1, 2)
        began = time.monotonic()
        frail.stop()
        assert time.monotonic() - began < 12
        shutil.rmtree(frail.folder / "cache")
        frail.start()
        generate(page, photos, prompt="After the restart")
        mood(page, "busy", "good")
        while (frail.folder / "cache").exists():  # the page may be writing there just now
            shutil.rmtree(frail.folder / "cache", ignore_errors=True)
        page.reload()
        hydrated(page)
        expect(page.locator("#k-pictures .refused")).to_contain_text("is no longer on the server")
        expect(page.get_by_label("Prompt")).to_have_value("After the restart")
        mood(page, "good")
        plays(page)


def test_two_clicks_make_one_job(emptied, photos):
    """An impatient hand makes one job, also when its first click is answered before the last."""
    page = emptied
    add(page, photos, 1)
    page.get_by_label("Prompt").fill("Clicked twice")
    page.get_by_role("slider", name="Duration").fill("10")  # not ended before the last click
    page.evaluate("""async () => {
      const button = document.querySelector('#k-generate .go');
      for (let click = 0; click < 5; click += 1) {
        button.click();
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }""")
    mood(page, "good")
    same = page.locator("#k-history .open b").get_by_text("Clicked twice", exact=True)
    expect(same).to_have_count(1)


def test_a_picture_that_is_drawn_between_two_clicks_makes_no_second_job(emptied, photos):
    """The tile's picture comes after the first click; the second click still asks for the same."""
    page, held = emptied, []
    page.route("**/file=**", lambda q: held.append(q) if q.request.method == "GET" else q.continue_())
    add(page, photos, 1)
    page.get_by_label("Prompt").fill("Drawn late")
    page.get_by_role("slider", name="Duration").fill("10")
    page.evaluate("""() => {
      const go = document.querySelector('#k-generate .go'), known = klingo.get('newJob');
      const again = () => { go.click(); window.again = klingo.get('sending'); };
      klingo.on('newJob', (id) => { if (id !== known) setTimeout(again, 100); });
    }""")
    with unanswered(page) as answer:
        page.locator("#k-generate .go").click()
        some(page, answer, 1)
        page.unroute("**/file=**")
        for question in held:
            question.continue_()
        page.wait_for_function("document.querySelector('#k-pictures .tile img').naturalWidth > 0")
    page.wait_for_function("window.again !== undefined")
    assert page.evaluate("window.again") is False
    mood(page, "good")
    expect(page.locator("#k-history .open b").get_by_text("Drawn late", exact=True)).to_have_count(1)


def test_a_click_after_one_without_an_answer_is_sent_and_stays_one_job(paid, payer, photos):
    """The first click's answer does not come; the second is answered, then the first: one run, one bill."""
    (service, _), page = paid, payer
    add(page, photos, 1)
    page.get_by_label("Prompt").fill("It waits for a word")
    page.get_by_role("slider", name="Duration").fill("3")  # the span of runs of 5 s is another test's
    before = len(service.bills)
    page.clock.install()
    with unanswered(page) as held:
        page.locator("#k-generate .go").click()
        some(page, held, 1)
        page.clock.fast_forward(16_000)
        expect(page.locator("#k-generate")).to_contain_text("Click again: it stays one job")
        page.locator("#k-generate .go").click()
        some(page, held, 2)
        held.reverse()
        held.pop(0).continue_()
        mood(page, "good")
    page.wait_for_timeout(1000)
    mood(page, "good")
    assert len(service.bills) == before + 1
    assert page.locator("#k-generate .go").get_attribute("aria-disabled") == "false"


def test_what_a_reload_brought_back_is_what_is_sent(page, photos):
    """All that was entered is there again and a click makes a film of it; the brush knows the picture."""
    add(page, photos, 1, 2)
    page.get_by_label("Prompt").fill("It came back")
    page.get_by_label("Duration").fill("3")
    page.get_by_label("Shape").fill("1")
    page.wait_for_timeout(500)
    page.reload()
    hydrated(page)
    page.locator("#k-pictures .grip").first.click()
    page.get_by_role("button", name="Correct the cut-out").click()
    expect(page.locator("#k-brush-panel .state")).to_contain_text("cut out.", timeout=30_000)
    page.keyboard.press("Escape")
    page.locator("#k-generate .go").click()
    mood(page, "good")
    expect(page.locator("#k-history .open b").first).to_have_text("It came back")
    expect(page.locator("#k-history .open").first).to_contain_text("3 s · 1:1")


def test_a_draft_is_stopped(served, emptied, photos):
    """Stop ends the rendering; the inputs stay, and can be taken again from the history."""
    page = emptied
    with served.holding():
        generate(page, photos, prompt="Never mind the rain", seconds=10)
        mood(page, "busy")
        page.get_by_role("button", name="Stop", exact=True).click()
        mood(page, "calm")
    expect(page.locator("#k-card .title")).to_have_text("Stopped")
    page.get_by_label("Prompt").fill("Something else")
    page.get_by_role("button", name="Remove picture 1").click()
    page.get_by_role("button", name="Use these inputs").first.click()
    expect(page.get_by_label("Prompt")).to_have_value("Never mind the rain")
    expect(page.locator("#k-pictures .tile")).to_have_count(1)
    expect(page.locator("#k-pictures .tile img")).to_have_js_property("naturalWidth", 640)
    assert page.evaluate("klingo.get('duration')") == 10


def test_f58_visitors_of_a_hosted_page_see_their_own_jobs_only(browser, hosted, photos):
    """A's draft is in A's history, also after a reload, and nowhere in B's page."""
    with visit(browser, hosted.url) as a, visit(browser, hosted.url) as b:
        generate(a, photos, prompt="Mine alone")
        mood(a, "good")
        job = a.evaluate("klingo.get('job')")
        a.reload()
        hydrated(a)
        expect(a.locator("#k-history .open b")).to_have_text(["Mine alone"])
        plays(a)
        b.reload()
        hydrated(b)
        b.evaluate("id => klingo.set('showJob', id)", job)
        b.wait_for_timeout(1500)
        expect(b.locator("#k-card .card")).to_be_hidden()
        expect(b.locator("#k-history .history")).to_be_hidden()
        assert a.evaluate("klingo.get('owner')") != b.evaluate("klingo.get('owner')")


def test_a_draft_is_approved_and_then_made_with_the_paid_engine(browser, photos, tmp_path):
    """A key is checked, its balance shown; the same inputs go to the paid engine; the key leaks nowhere."""
    with FaultServer(key=KEY) as service:
        served = Served(tmp_path, small=True, WAVESPEED_BASE_URL=service.url).start()
        try:
            with visit(browser, served.url) as page:
                generate(page, photos, prompt="First a draft")
                mood(page, "good")
                page.get_by_role("button", name="Make it with Kling O1 · $0.336").click()
                box = page.get_by_label("WaveSpeed key")
                expect(box).to_be_focused()
                box.fill("wsk_wrong_key_000")
                box.press("Enter")
                expect(page.locator("#k-key-problem")).to_contain_text("does not accept this key")
                box.fill(KEY)
                box.press("Enter")
                expect(page.locator("#k-engine .known")).to_contain_text("Balance $100.00")
                page.get_by_role("button", name="Make it with Kling O1 · $0.336").click()
                expect(page.locator("#k-card .maker")).to_contain_text("Kling O1")
                mood(page, "good")
                expect(page.locator("#k-card .title")).to_have_text("Video ready")
                expect(page.locator("#k-card .maker")).to_have_text("Kling O1 · $0.336 spent")
                (sent,) = service.calls("submit")
                body = sent.json()
                assert (body["prompt"], body["duration"], len(body["images"])) == ("First a draft", 3, 1)
                assert service.billed == 1
                kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
                assert KEY not in kept + page.content() + served.log
                config = page.request.get(f"{served.url}config").text()
                assert KEY not in config
                page.get_by_role("button", name="Forget it").click()
                expect(page.get_by_label("WaveSpeed key")).to_be_visible()
                expect(page.locator("#k-generate .missing")).to_have_text("Enter your WaveSpeed key")
        finally:
            served.stop()
        for file in (tmp_path / "home").rglob("*"):
            if file.is_file():
                assert KEY.encode() not in file.read_bytes(), file


def test_a_refused_run_keeps_what_was_typed(paid, payer, photos):
    """No credit, then a cap: a calm sentence with a remedy, in the card or beside the button."""
    (service, _), page = paid, payer
    before = service.billed
    service.set_faults("submit", Always(Reply(402, {"code": 402, "message": "insufficient balance"})))
    generate(page, photos, prompt="For an empty wallet", seconds=3)
    mood(page, "bad")
    service.set_faults("submit", [])
    expect(page.locator("#k-card .trouble")).to_contain_text("Top up your WaveSpeed wallet")
    expect(page.locator("#k-card .maker")).to_contain_text("not charged")
    expect(page.locator("#k-card .card")).to_have_attribute("data-calm", "")
    expect(page.locator("#k-stage .cast img")).to_be_visible()
    assert in_every_look(page) == []
    page.locator("#k-card summary").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    generate(page, photos, prompt="Over the cap", seconds=10)
    expect(page.locator("#k-generate .general")).to_contain_text("budget for one run is $0.60")
    expect(page.get_by_label("Prompt")).to_have_value("Over the cap")
    assert service.billed == before


HEARD = """
  window.heard = [];
  Object.defineProperty(document, 'hidden', { get: () => window.away || false });
  window.AudioContext = class extends AudioContext {
    createOscillator() { window.heard.push('chime'); return super.createOscillator(); }
  };
  window.Notification = class {
    static permission = 'default';
    static async requestPermission() {
      window.heard.push('asked');
      Notification.permission = 'granted';
      return 'granted';
    }
    constructor(title, options) { window.heard.push(`${title}: ${options.body}`); }
  };
"""


def test_a_chime_and_a_notification_come_for_whoever_asks(served, page, photos):
    """Nothing is asked or sounds by itself; once asked for, the end is told aloud, and to who looks away."""
    page.add_init_script(HEARD)
    page.reload()
    hydrated(page)
    with served.holding():
        generate(page, photos, prompt="Nobody listens")
        asks = page.get_by_role("button", name="Tell me when done")
        expect(asks).to_have_attribute("aria-pressed", "false")
        page.get_by_role("button", name="Stop", exact=True).click()
        mood(page, "calm")
        assert page.evaluate("heard") == []
        generate(page, photos, prompt="Somebody <b>listens</b>")
        asks.click()
        expect(page.get_by_role("button", name="Will tell you")).to_have_attribute("aria-pressed", "true")
        assert page.evaluate("heard") == ["asked"]
        page.evaluate("window.away = true")
        page.get_by_role("button", name="Stop", exact=True).press("Enter")
        mood(page, "calm")
    page.wait_for_function("heard.length > 1")
    assert page.evaluate("heard") == [
        "asked",
        "chime",
        "Stopped: Somebody <b>listens</b>",
    ]


def test_further_runs_are_started_and_the_clock_tells_what_earlier_ones_took(paid, payer, photos):
    """The span comes from the ledger's whole history of that length and engine, not from the page of it that
    is shown; a first run has none, nor has any a percentage. Both runs go on, the newest first, each with its
    card; stopping says what it means, the title where it stands; older runs come page by page.
    """
    (service, served), page = paid, payer
    home, card = served.folder / "home", page.locator("#k-card .card")
    names = page.locator("#k-history .open b")
    span = re.compile(r"Most 5 s runs took 2–4 min \(n = 30\)\. Safe to close this page\.")
    service.service.script = ["processing"]
    try:
        generate(page, photos, prompt="The first of its kind", seconds=5)
        expect(page.locator("#k-card .title")).to_have_text("Kling O1 is working")
        expect(card).to_contain_text("Safe to close this page.")
        expect(card).not_to_contain_text("Most")
        expect(page.locator("#k-card .hint")).to_have_text("It goes on at the service and is billed.")
        page.wait_for_function(r"/^\d+:\d\d · Kling O1 is working$/.test(document.title)")
        book = Ledger(home / "klingo1.sqlite3", home=home)
        runs = Runs(book, home)
        for number in range(30):
            runs.add(100.0 + 4 * number)
        book.close()
        generate(page, photos, prompt="The second of its kind", seconds=5)
        expect(card).to_contain_text(span)
        expect(card).not_to_contain_text("%")
        expect(names.nth(0)).to_have_text("The second of its kind")
        expect(names.nth(1)).to_have_text("The first of its kind")
        expect(page.locator("#k-history .spin")).to_have_count(2)
        page.locator("#k-history .open").nth(1).press("Enter")
        expect(page.locator("#k-history li").nth(1)).to_have_class("shown")
        expect(card).to_contain_text(span)
    finally:
        service.service.script = ["completed"]
    expect(page.locator("#k-history .spin")).to_have_count(0, timeout=60_000)
    mood(page, "good")
    page.locator("#k-card summary").click()
    expect(page.locator("#k-card dd").filter(has_text="running")).to_have_text(
        re.compile(r"queued \d+\.\d s → preparing \d+\.\d s → .*running \d+\.\d s → .*→ done")
    )
    for fact in ("5 s", "16:9", "$0.56"):
        expect(page.locator("#k-history small").first).to_contain_text(fact)
    expect(page.locator("#k-history .mark").first).to_have_text("Kling O1")
    tiles = page.locator("#k-history li")
    page.reload()
    expect(tiles).to_have_count(24)
    page.get_by_role("button", name="Show older").click()
    page.wait_for_function("document.querySelectorAll('#k-history li').length > 30")
