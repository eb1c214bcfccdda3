"""Runs that only the service knows, as a page asks about them: who may look, what is said of the money."""

import threading
from dataclasses import replace

import pytest
from conftest import wait_for
from faults.losing import lose
from faults.server import Always, FaultServer, Reply

from klingo1.job import Money, State
from klingo1.request import VideoRequest
from klingo1.ui.lost import LostRuns
from klingo1.ui.lost_words import deleted_words

KEY = "wsk_canary_0123456789"
URL = "https://example.com/one.jpg"
A, B = {"owner": "a" * 32}, {"owner": "b" * 32}


def shelves(studio, *, hosted=True):
    return LostRuns(studio, hosted=hosted, publish=str)


def request_of(prompt="a quiet walk"):
    return VideoRequest(prompt=prompt, images=(URL,), duration=5)


@pytest.fixture
def elsewhere(open_studio, tmp_path):
    """Runs that another computer made with the same key."""

    def make(server, *prompts):
        other = open_studio(server, home=tmp_path / "other")
        for prompt in prompts:
            wait_for(other, other.submit(request_of(prompt), engine="kling").id, State.DONE, State.FAILED)

    return make


def test_visitors_look_with_a_key_of_their_own(open_studio, elsewhere):
    """A sees what A's key has made; B, whose key is none or lent, sees nothing and can take nothing over."""
    with FaultServer(key=KEY) as server:
        elsewhere(server, "made elsewhere")
        studio = open_studio(server, hosted=True, api_key=KEY, sign_in=True)
        page = shelves(studio)
        lent = studio.sign_in("somebody")
        assert studio.has_key(lent)
        studio.give_key(A["owner"], KEY)
        (run,) = page.find_lost(A)["runs"]
        for asked in (B, {"owner": lent}, {}, None, {"owner": "'; --" * 8}):
            refused = page.find_lost(asked)
            assert (refused["runs"], refused["choices"], refused["field"]) == ([], [], "key")
            assert not page.adopt({**(asked or {}), "prediction": run["id"]})["ok"]
        answer = page.adopt(A | {"prediction": run["id"]})
        assert answer["ok"]
        for _ in range(1500):
            if studio.job(answer["job"], owner=A["owner"]).state is State.DONE:
                break
            threading.Event().wait(0.01)
        else:
            raise AssertionError("it is not fetched")
        assert studio.jobs(owner=B["owner"]) == studio.jobs(owner=lent) == []
        assert page.find_lost(A)["runs"] == []


def test_failed_runs_are_left_out_and_mentioned(open_studio, elsewhere):
    """What failed there has nothing to fetch; a sentence says that it is refunded."""
    with FaultServer(script=[{"status": "failed", "error": "no"}]) as server:
        elsewhere(server, "it fails")
        found = shelves(open_studio(server), hosted=False).find_lost({})
        assert found["runs"] == []
        assert "refunds" in found["more"]
        assert "Nothing is missing" in found["text"]


@pytest.mark.parametrize(
    ("inputs", "prompt", "money"),
    [
        ({"prompt": "a", "duration": 4}, "a", "The service bills $0.448 for it."),
        ({"prompt": "a", "duration": 4, "video": URL}, "a", "The service bills $0.672 for it."),
        ({"prompt": "a", "duration": 99}, "a", "Your bill there names its price."),
        ({"prompt": ["x"], "duration": 4}, "", "Your bill there names its price."),
        ({}, "", "Your bill there names its price."),
    ],
)
def test_what_is_known_of_a_run_is_what_the_list_repeats(open_studio, inputs, prompt, money):
    """Prompt and price where the list repeats the inputs; where it does not, no figure is made up."""
    item = {"id": "task00000077", "status": "processing", "created_at": "2026-01-01T00:00:00.123456789Z"}
    listed = {"code": 200, "message": "success", "data": {"page": 1, "items": [item | {"input": inputs}]}}
    with FaultServer(faults={"list": [Reply(200, listed)]}) as server:
        (run,) = shelves(open_studio(server), hosted=False).find_lost({})["runs"]
    assert (run["prompt"], run["money"], run["status"]) == (prompt, money, "In work there")


@pytest.mark.parametrize(
    ("fault", "field", "said"),
    [
        (Reply(502, "<html>"), "", "Nothing is lost"),
        (Reply(200, "<html>"), "", "Nothing is lost"),
        (Reply(401, {"code": 401, "message": "no"}), "key", "does not accept this key"),
        (Reply(429, headers={"Retry-After": "9"}), "", "asks for a pause"),
    ],
)
def test_a_list_that_cannot_be_read_is_told_calmly(open_studio, clock, fault, field, said):
    """Whatever the service answers, a sentence says how things stand; choices that are open stay."""
    with FaultServer(echo="", now=clock.time) as server:
        studio = open_studio(server)
        waiting = lose(server, studio, "walk 0", "walk 1")
        server.set_faults("list", Always(fault))
        answer = shelves(studio, hosted=False).find_lost({})
        assert (answer["runs"], answer["field"]) == ([], field)
        assert said in answer["text"]
        assert {one["job"] for one in answer["choices"]} == {job.id for job in waiting}
        assert "could not be asked" in answer["choices"][0]["runs"][0]["money"]


def test_only_a_candidate_can_be_chosen_and_only_an_open_question_released(open_studio, clock):
    """Another id, another's run, or a run that is settled: refused in words, and nothing changes."""
    with FaultServer(echo="", now=clock.time) as server:
        studio = open_studio(server)
        page = shelves(studio, hosted=False)
        job, _ = lose(server, studio, "walk 0", "walk 1")
        for wrong in ("task99999999", "../balance", "", None, ["x"]):
            assert not page.choose({"job": job.id, "prediction": wrong})["ok"]
        assert not page.choose({"job": "nobody", "prediction": job.problem.prediction_ids[0]})["ok"]
        assert not page.release({"job": "nobody"})["ok"]
        assert studio.job(job.id).money is Money.HELD
        answer = page.choose({"job": job.id, "prediction": job.problem.prediction_ids[0]})
        assert answer["ok"]
        done = wait_for(studio, job.id, State.DONE)
        assert page.release({"job": job.id})["text"] == "The service bills $0.336 for this run."
        assert studio.job(job.id).money is done.money is Money.SPENT
        assert not page.choose({"job": job.id, "prediction": job.problem.prediction_ids[0]})["ok"]


def test_deleting_says_what_becomes_of_the_money(open_studio):
    """By what is left: unknown counts as spent, running is billed, unsent is free, drafts are deleted."""
    with FaultServer(faults={"result": Always(Reply(502))}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        running = wait_for(studio, job.id, State.RUNNING)
        said = {
            (state, money): deleted_words(running, replace(running, state=state, money=money))
            for state, money in (
                (State.UNKNOWN, Money.HELD),
                (State.SUBMITTING, Money.HELD),
                (State.STOPPED, Money.SPENT),
                (State.STOPPED, Money.RELEASED),
                (State.STOPPED, Money.FREE),
            )
        }
        assert "not known yet" in said[State.UNKNOWN, Money.HELD]
        assert "counts as spent" in said[State.SUBMITTING, Money.HELD]
        assert "$0.56 is billed" in said[State.STOPPED, Money.SPENT]
        assert "Nothing is billed" in said[State.STOPPED, Money.RELEASED]
        assert said[State.STOPPED, Money.FREE] == "Stopped and deleted."
        answer = shelves(studio, hosted=False).delete({"job": job.id})
        assert answer["text"] == "Deleted. The run goes on at the service, and $0.56 is billed."
