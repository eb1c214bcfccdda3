"""Lists that a page admits: fed by any studio on the ledger, at one pace, and each visitor's own."""

import json
import time
from collections import Counter

import pytest
from faults.clock import SwiftClock
from faults.server import Always, FaultServer, Reply

from klingo1.batch import TIERS, Limits
from klingo1.batch_file import read_requests
from klingo1.batches import VISITOR_LINES_MAX, BatchStudio
from klingo1.errors import BudgetReached, Busy, InvalidRequest, QuoteRefused
from klingo1.job import Money, State
from klingo1.pricing import Price
from klingo1.request import Engine
from klingo1.settings import Settings
from klingo1.ui.lists import Lists

URL = "https://example.com/picture.jpg"
KEY = "wsk_canary_0123456789"
ONE, TWO = "v-" + "a" * 30, "v-" + "b" * 30


@pytest.fixture
def open_page(tmp_path):
    opened = []

    def open_one(server=None, **settings):
        given = {"home": tmp_path / "home", "api_key": KEY} | settings
        if server is not None:
            given["base_url"] = server.url
        studio = BatchStudio(Settings(**given), clock=SwiftClock())
        studio.start()
        opened.append(studio)
        return studio

    yield open_one
    for studio in opened:
        studio.close()


@pytest.fixture
def two_at_once(monkeypatch):
    """A tier without a limit a minute: the studio's clock stands still here."""
    monkeypatch.setitem(TIERS, "bronze", Limits(None, 2))


@pytest.fixture
def lines(tmp_path):
    def make(count, name="list"):
        path = tmp_path / f"{name}.jsonl"
        rows = ({"prompt": f"{name} {n}", "images": [URL], "duration": 3} for n in range(count))
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return read_requests(path).lines

    return make


def admit(studio, lines, *, owner="desk", tier="silver", ticket=None, engine=Engine.KLING):
    price = Price(336_000 * len(lines) if engine is Engine.KLING else 0)
    ticket = ticket or studio.new_ticket()
    return studio.admit_batch(lines, engine=engine, tier=tier, owner=owner, ticket=ticket, expected=price)


def settled(studio, group, owner="desk", seconds=30):
    until = time.monotonic() + seconds
    while not all(one.settled for one in studio.standing(group, owner=owner)):
        assert time.monotonic() < until, studio.standing(group, owner=owner)
        time.sleep(0.02)
    return Counter(job.state for _, job in studio.batch_jobs(group, owner=owner))


def test_a_list_is_made_without_anybody_waiting_for_it(open_page, lines):
    """Nine runs, nine bills; the same ticket again is the same list, another price is none."""
    with FaultServer(script=["completed"]) as server:
        studio = open_page(server)
        ticket = studio.new_ticket()
        group = admit(studio, lines(9), ticket=ticket)
        assert admit(studio, lines(9), ticket=ticket) == group
        assert settled(studio, group) == {State.DONE: 9}
        assert server.billed == 9
        assert set(server.bills.values()) == {1}
    with pytest.raises(QuoteRefused):
        studio.admit_batch(
            lines(2),
            engine=Engine.KLING,
            tier="silver",
            owner="desk",
            ticket=studio.new_ticket(),
            expected=Price(1),
        )
    for tier, ticket in (("best", studio.new_ticket()), ("silver", "../../x")):
        with pytest.raises((InvalidRequest, QuoteRefused)):
            admit(studio, lines(2), tier=tier, ticket=ticket)
    assert len(studio.jobs(limit=50)) == 9


def test_all_or_nothing_against_the_budget(open_page, lines):
    """Three runs of which two would fit leave no trace."""
    studio = open_page(budget_day=800_000)
    with pytest.raises(BudgetReached):
        admit(studio, lines(3))
    assert studio.jobs() == []


def test_two_studios_keep_one_pace_and_a_restart_goes_on(open_page, lines, two_at_once):
    """Bronze: never more than two at once over both; what the first leaves, the second makes."""
    with FaultServer(script=["processing"] * 3 + ["completed"]) as server:
        first = open_page(server)
        group = admit(first, lines(5), tier="bronze")
        second = open_page(server)
        most = 0
        until = time.monotonic() + 40
        while sum(one.begun for one in second.standing(group)) < 3:
            most = max(most, sum(one.begun and not one.settled for one in second.standing(group)))
            assert time.monotonic() < until
            time.sleep(0.005)
        first.close()
        assert settled(second, group, seconds=60) == {State.DONE: 5}
        assert most <= 2
        assert server.billed == 5


def test_an_empty_wallet_halts_the_list_until_somebody_says_go_on(open_page, lines, two_at_once):
    """After one 402 nothing more is begun; when it is mended the same list is finished."""
    poor = Always(Reply(402, {"code": 402, "message": "insufficient balance"}))
    with FaultServer(faults={"submit": poor}, script=["completed"]) as server:
        studio = open_page(server)
        group = admit(studio, lines(6), tier="bronze")
        until = time.monotonic() + 20
        while not studio.is_halted(group):
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(1.0)
        assert len(server.calls("submit")) <= 2
        assert sum(not one.begun for one in studio.standing(group)) >= 4
        server.set_faults("submit", [])
        studio.carry_on(group, owner="desk")
        assert settled(studio, group, seconds=60) == {State.DONE: 6}
        assert server.billed == 6


def test_an_idle_page_begins_a_list_at_once(open_page, lines, monkeypatch, two_at_once):
    """It looks seldom while nothing waits; what is admitted wakes it."""
    monkeypatch.setattr("klingo1.batches.IDLE_SECONDS", 3600.0)
    with FaultServer(key=KEY) as server:
        studio = open_page(server)
        time.sleep(0.5)  # its first look is over
        assert settled(studio, admit(studio, lines(1), tier="bronze"), seconds=60) == {State.DONE: 1}


def test_visitors_have_lists_of_their_own_and_so_many_runs(open_page, lines):
    """Nobody sees, stops or names another's list; a visitor's waiting runs are bounded, and hold up no single
    draft.
    """
    studio = open_page(hosted=True, api_key="", draft_queue=1)
    studio._feed = lambda: False  # nothing is begun here: what waits is looked at
    ticket = studio.new_ticket()
    group = admit(studio, lines(3), owner=ONE, ticket=ticket, engine=Engine.DRAFT)
    other = admit(studio, lines(3), owner=TWO, ticket=ticket, engine=Engine.DRAFT)
    assert group != other
    assert studio.batches(TWO) == [other]
    assert studio.batch_jobs(group, owner=TWO) == []
    assert studio.withdraw_batch(group, owner=TWO) == 0
    with pytest.raises(InvalidRequest):
        studio.check_count(VISITOR_LINES_MAX + 1, ONE)
    with pytest.raises(Busy):
        studio.check_count(VISITOR_LINES_MAX - 2, ONE)
    assert studio.health()["drafts"] == 0
    studio._ledger.check_work(owner=ONE, engine=Engine.DRAFT, caps=studio._caps)
    assert studio.withdraw_batch(group, owner=ONE) == 3
    assert {job.money for job in studio.jobs(owner=ONE)} == {Money.FREE}


def test_a_list_names_only_files_that_came_with_it(open_page, tmp_path, picture):
    """Whatever a name looks like, it is looked up among the added files by its last part."""
    lists = Lists(open_page(), publish=str)
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(picture.read_bytes())
    for name in (str(secret), "../secret.jpg", "secret.jpg", "~/secret.jpg", "list.csv"):
        path = tmp_path / "list.csv"
        path.write_text(f"prompt,images,duration\nwalks,{name},3\n")
        files = [{"path": str(path), "name": "list.csv"}, {"path": str(picture), "name": "hero.jpg"}]
        answer = lists.price(files, {"engine": "draft"}, "desk")
        assert [one["field"] for one in answer["wrong"]] == ["images[0]"]
    assert "problem" in lists.price([], {"engine": "draft"}, "desk")
    assert "problem" in lists.price(files, {"engine": "best"}, "desk")
