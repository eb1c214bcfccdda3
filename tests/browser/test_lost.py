"""What only the service knows, in the browser: found, fetched, chosen, released, asked for again."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import wait_for
from faults.losing import lose
from faults.server import Always, Close, FaultServer, Reply, Reset
from faults.service import MODEL
from playwright.sync_api import expect

from browser.test_access import violations
from browser.test_run import plays
from browser.visitor import KEY, Served, mood, visit
from klingo1.batches import BatchStudio
from klingo1.job import State
from klingo1.request import VideoRequest
from klingo1.settings import Settings

pytestmark = pytest.mark.browser

URL = "https://example.com/one.jpg"
HOSTILE = "An elsewhere <img src=x onerror=alert(1)> fox"


def elsewhere(service, prompt, **fields):
    """A run that another computer starts with the same key."""
    body = {"prompt": prompt, "images": [URL], "aspect_ratio": "16:9", "duration": 3} | fields
    urllib.request.urlopen(
        urllib.request.Request(
            f"{service.url}/api/v3/{MODEL}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {KEY}"},
        ),
        timeout=10,
    ).close()


def earlier(folder, service, clock, work):
    """What `work` makes with a studio of an earlier start over the same home folder."""

    def run():
        given = Settings(home=folder / "home", api_key=KEY, base_url=service.url)
        with BatchStudio(given, clock=clock) as studio:
            return work(studio)

    with ThreadPoolExecutor(1) as apart:  # Playwright's loop runs in this thread
        return apart.submit(run).result()


@pytest.fixture
def open_page(browser, tmp_path):
    """Serves the page over one home folder against a service; everything ends with the test."""
    running = []

    def open_one(service, *, key=KEY, **view):
        environ = {"WAVESPEED_BASE_URL": service.url} | ({"WAVESPEED_API_KEY": key} if key else {})
        served = Served(tmp_path, **environ).start()
        visitor = visit(browser, served.url, **view)
        running.append((served, visitor))
        return visitor.__enter__()

    yield open_one
    for served, visitor in running:
        try:
            visitor.__exit__(None, None, None)
        finally:
            served.stop()


def seek(page):
    page.get_by_role("button", name="Find lost runs").last.click()
    return page.locator("#k-lost .said")


def test_a_missing_run_is_found_fetched_and_played(paid, payer):
    """Nothing is missing; then one is. While the list cannot be read, a calm sentence; afterwards the run is
    told with its price and plays after one click. It is paid once.
    """
    service, page = paid[0], payer
    expect(seek(page)).to_contain_text("Nothing is missing")
    before = service.billed
    elsewhere(service, HOSTILE)
    service.set_faults("list", Always(Reply(502, "<html>")))
    expect(seek(page)).to_contain_text("Nothing is lost: it keeps its list for 7 days.")
    expect(page.locator("#k-lost li")).to_have_count(0)
    service.set_faults("list", [])
    expect(seek(page)).to_contain_text("One run of the last 7 days is not here.")
    run = page.locator("#k-lost li.run")
    expect(run.locator("b")).to_have_text(HOSTILE)
    expect(run.locator(".money")).to_have_text("The service bills $0.336 for it.")
    assert violations(page) == []
    run.get_by_role("button").click()
    expect(page.locator("#k-lost .settled")).to_contain_text("It is fetched and shown above.")
    mood(page, "good")
    plays(page)
    expect(page.locator("#k-card .maker")).to_have_text("Kling O1 · $0.336 spent")
    expect(page.locator("#k-history .open b").first).to_have_text(HOSTILE)
    expect(seek(page)).to_contain_text("Nothing is missing")
    assert service.billed == before + 1


def test_without_a_key_it_is_said_what_is_needed(open_page):
    """No key: one sentence, and the way to the field; nothing is asked of the service."""
    with FaultServer(key=KEY) as service:
        page = open_page(service, key="")
        expect(seek(page)).to_contain_text("Finding runs needs the WaveSpeed key")
        page.get_by_role("button", name="Enter the key").click()
        expect(page.get_by_label("WaveSpeed key")).to_be_focused()
        assert service.requests == []


def test_a_lost_run_is_chosen_and_another_is_released(open_page, tmp_path, clock):
    """Three answers were lost, two of them billed, and the list repeats no words: a person chooses two, says
    of the third that it is none of them, and each step says what is known about the money. One that is
    deleted says what it may still cost.
    """
    walks = ("a first walk", "a second walk", "a third walk")
    faults = [Reset(), Reset(), Close(after="headers", billed=False)]
    with FaultServer(key=KEY, echo="", now=clock.time) as service:
        earlier(tmp_path, service, clock, lambda studio: lose(service, studio, *walks, faults=faults))
        page = open_page(service)
        page.locator("#k-history .open").filter(has_text=walks[0]).click()
        mood(page, "ask")
        page.get_by_role("button", name="Choose which it is").click()
        choices = page.locator("#k-lost li.choice")
        expect(choices).to_have_count(3)
        first = choices.filter(has_text=walks[0])
        expect(first.locator("p.money")).to_contain_text("not known yet whether $0.336 was billed")
        expect(first.locator("li.run")).to_have_count(2)
        expect(first.locator("li.run small").first).to_contain_text(":")
        assert violations(page) == []
        first.get_by_role("button", name="This is it").first.click()
        mood(page, "good")
        plays(page)
        expect(page.locator("#k-card .maker")).to_have_text("Kling O1 · $0.336 spent")
        seek(page)
        expect(choices).to_have_count(2)
        second = choices.filter(has_text=walks[1])
        expect(second.locator("li.run")).to_have_count(1)
        second.get_by_role("button", name="None of these: release the $0.336").click()
        expect(page.locator("#k-lost .settled")).to_have_text("Nothing was billed; the $0.336 is free again.")
        page.locator("#k-history .open").filter(has_text=walks[1]).click()
        expect(page.locator("#k-card .maker")).to_have_text("Kling O1 · $0.336 not charged")
        page.get_by_role("button", name="Delete a third walk").press("Enter")
        expect(page.locator("#k-history .undo")).to_contain_text("until it is, it counts as spent")
        assert len(service.calls("submit")) == 3


def test_a_run_of_an_earlier_start_goes_on_from_the_history(open_page, tmp_path, clock):
    """A row that waited for a person before the restart is resumed by its own button, and billed once."""
    with FaultServer(key=KEY, faults={"submit": [Close(after="headers", billed=False)]}) as service:

        def interrupted(studio):
            request = VideoRequest(prompt="interrupted walk", images=(URL,), duration=3)
            wait_for(studio, studio.submit(request, engine="kling").id, State.NOT_CREATED)

        earlier(tmp_path, service, clock, interrupted)
        assert service.billed == 0
        page = open_page(service)
        page.locator("#k-history").get_by_role("button", name="Send again: interrupted walk").click()
        mood(page, "good")
        plays(page)
        expect(page.locator("#k-history .go-on")).to_have_count(0)
        assert service.billed == 1
