"""The tab for a list: priced as a whole, made with one click, shown row by row, saved as rows."""

import json

import pytest
from conftest import draw_picture
from faults.server import FaultServer
from playwright.sync_api import expect

from browser.visitor import HELD, LATE, Served, some, unanswered, visit

pytestmark = pytest.mark.browser
HEAD = "prompt,images,duration,aspect_ratio\n"


@pytest.fixture(scope="module")
def service():
    with FaultServer(script=["completed"]) as server:
        yield server


@pytest.fixture(scope="module")
def desk(tmp_path_factory, service):
    environ = {"WAVESPEED_API_KEY": "wsk_canary_0123456789", "WAVESPEED_BASE_URL": service.url}
    one = Served(tmp_path_factory.mktemp("lists"), small=True, KLINGO1_BUDGET_DAY="2", **environ).start()
    yield one
    one.stop()


@pytest.fixture
def page(browser, desk):
    with visit(browser, desk.url) as opened:
        opened.get_by_role("tab", name="A list of videos").click()
        yield opened


@pytest.fixture
def written(tmp_path):
    draw_picture(tmp_path / "hero.jpg")

    def write(*rows, name="list.csv"):
        (tmp_path / name).write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return [tmp_path / name, tmp_path / "hero.jpg"]

    return write


def priced(page, files, words):
    page.locator("#k-list input[type=file]").set_input_files(files)
    page.locator("#k-list .go", has_text=words).wait_for()


def saved(page, button):
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.path().read_text(encoding="utf-8")


def test_a_list_is_priced_made_and_saved(page, desk, written):
    """Two drafts for one click; the rows name their videos, and a reload shows the list again."""
    priced(page, written('"walks",hero.jpg,3,1:1', '"=waves",pics/HERO.jpg,3,1:1'), "Make 2 videos · free")
    page.locator("#k-list .go").dblclick()
    page.locator("#k-list h2", has_text="The list is made").wait_for(timeout=120_000)
    rows = [json.loads(line) for line in saved(page, "Rows as JSON").splitlines()]
    assert [(row["line"], row["state"], row["prompt"]) for row in rows] == [
        (2, "done", "walks"), (3, "done", "=waves")
    ]  # fmt: skip
    assert page.request.get(rows[0]["video"]).body()[4:8] == b"ftyp"
    table = saved(page, "Rows as CSV").splitlines()
    assert len(table) == 3
    assert '"\'=waves"' in table[2]
    page.reload()
    page.get_by_role("tab", name="A list of videos").click()
    page.locator("#k-list h2", has_text="The list is made").wait_for()
    page.get_by_role("button", name="Draft ready").first.click()
    page.locator("#k-card .card[data-mood=good]").wait_for()
    assert page.get_by_role("tab", name="One video").get_attribute("aria-selected") == "true"


def test_wrong_lines_are_named_and_nothing_is_offered(page, written):
    """A picture that was not added, an empty prompt, a duration; local names reach no file."""
    rows = (
        '"walks",nobody.jpg,3,1:1',
        '"",hero.jpg,3,1:1',
        '"walks",hero.jpg,50,1:1',
        '"w",/etc/passwd,3,1:1',
    )
    page.locator("#k-list input[type=file]").set_input_files(written(*rows))
    page.locator("#k-list .wrong li").nth(3).wait_for()
    told = page.locator("#k-list .wrong li").all_inner_texts()
    assert ["nobody.jpg is not among" in told[0], "prompt" in told[1], "duration" in told[2]] == [True] * 3
    assert "/etc/passwd is not among" in told[3]
    assert page.locator("#k-list .go").get_attribute("aria-disabled") == "true"


def test_paid_lists_are_paid_once_or_not_at_all(page, service, written):
    """Three runs within the day's cap are billed once each; the next list is over it and starts nothing."""
    page.locator("#k-list .engine").select_option("kling")
    page.locator("#k-list .tier").select_option("silver")
    priced(page, written(*[f'"walk {n}",hero.jpg,3,1:1' for n in range(3)]), "Make 3 videos · $1.008")
    page.locator("#k-list .go").dblclick()
    page.locator("#k-list .sums", has_text="3 done · $1.008 spent").wait_for(timeout=60_000)
    assert service.billed == 3
    assert set(service.bills.values()) == {1}
    priced(page, written(*[f'"run {n}",hero.jpg,3,1:1' for n in range(3)]), "Make 3 videos · $1.008")
    page.locator("#k-list .go").click()
    page.locator("#k-list .general", has_text="budget").wait_for()
    assert service.billed == 3


def test_a_change_while_the_price_is_asked_is_priced(page, written):
    """Another engine chosen before the first price came: the offer is for that engine."""
    with unanswered(page) as held:
        page.locator("#k-list input[type=file]").set_input_files(written("walks,hero.jpg,3,1:1"))
        page.wait_for_function("document.querySelector('#k-list .go').textContent.startsWith('Checking')")
        page.locator("#k-list .engine").select_option("kling")
        some(page, held, 2)
        held.reverse()
    page.locator("#k-list .go", has_text="Make 1 videos · $").wait_for()


def test_the_focus_stays_while_a_list_is_made(page, desk, written):
    """Rows that change and files that are taken away are drawn anew; a key still finds what it pressed."""
    page.evaluate(LATE)
    files = written(*12 * ["A crab waits,hero.jpg,3,16:9"])
    priced(page, files, "Make 12 videos")
    button = page.get_by_role("button", name="Remove hero.jpg")
    button.press("Enter")
    expect(button).to_be_hidden()
    expect(page.get_by_role("button", name="Remove list.csv")).to_be_focused()
    priced(page, files, "Make 12 videos")
    with desk.holding():
        page.locator("#k-list .go").press("Enter")
        away = page.get_by_role("button", name="Give up what waits")
        away.press("Enter")
        assert page.evaluate(HELD)
        expect(away).to_be_hidden()
        assert page.evaluate(HELD)
        page.get_by_role("button", name="Rows as CSV").focus()
    expect(page.locator("#k-list .head h2")).to_have_text("The list is made")
    expect(page.get_by_role("button", name="Rows as CSV")).to_be_focused()
