"""Strangers on one page: whose key pays, who may do how much at once, and what the line looks like."""

import threading
import time

import pytest
from conftest import draw_picture
from faults.server import FaultServer

from klingo1.errors import Busy, JobNotFound, KeyMissing, PaidOff
from klingo1.job import State
from klingo1.keyring import Keyring
from klingo1.request import VideoRequest
from klingo1.visitors import SignIn, is_token, new_token

CANARY = "wsk_canary_0123456789"


class Time:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def hosted(open_studio):
    """A hosted studio; with a server, `server`'s own requests can be counted."""

    def open_one(server=None, **settings):
        return open_studio(server, hosted=True, **settings)

    return open_one


def request_of(picture, prompt="a quiet walk"):
    return VideoRequest(prompt=prompt, images=(picture,))


def test_strangers_never_spend_the_servers_key(hosted, picture):
    """A hosted page has no key for anybody until they enter their own."""
    with FaultServer() as server:
        studio = hosted(server)
        owner = new_token()
        assert not studio.has_key(owner)
        with pytest.raises(KeyMissing):
            studio.submit(request_of(picture), engine="kling", owner=owner)
        assert server.requests == []


def test_f56_a_key_serves_its_owner_only_and_is_forgotten(hosted, picture, monkeypatch):
    """A's key pays for A; B has none; after `forget_key` A has none, and the environment never held it."""
    import os

    with FaultServer() as server:
        studio, (a, b) = hosted(server), (new_token(), new_token())
        studio.give_key(a, "wsk_visitor_a_000000")
        assert (studio.has_key(a), studio.has_key(b)) == (True, False)
        assert "wsk_visitor_a_000000" not in repr(os.environ)
        studio.forget_key(a)
        assert not studio.has_key(a)


def test_a_restart_forgets_keys_and_loses_no_run(hosted, picture):
    """What was under way waits for its owner's key; another's key does not wake it, their own does."""
    with FaultServer(script=["processing"]) as server:
        studio, (a, b) = hosted(server), (new_token(), new_token())
        studio.give_key(a, "wsk_visitor_a_000000")
        job = studio.submit(request_of(picture), engine="kling", owner=a)
        reach(studio, job, a, State.RUNNING)
        studio.close()
        server.service.script = ["completed"]
        again = hosted(server)
        reach(again, job, a, State.NEEDS_KEY)
        again.give_key(b, "wsk_visitor_b_000000")
        assert again.job(job.id, owner=a).state is State.NEEDS_KEY
        again.give_key(a, "wsk_visitor_a_000000")
        reach(again, job, a, State.DONE)
        assert server.billed == 1


def reach(studio, job, owner, state):
    until = time.monotonic() + 15
    while (now := studio.job(job.id, owner=owner)).state is not state:
        assert time.monotonic() < until, now
        time.sleep(0.01)


def test_a_key_lives_four_hours_after_its_last_use():
    """Use prolongs it, silence ends it, and on a desk it stays."""
    clock = Time()
    ring = Keyring(clock, life=4 * 3600)
    ring.give("a", "key")
    clock.now = 4 * 3600 - 1
    assert ring.of("a") == "key"
    clock.now *= 2
    assert ring.of("a") == "key"
    clock.now += 4 * 3600 + 1
    assert (ring.of("a"), ring.holds("key")) == ("", False)
    desk = Keyring(clock, life=None)
    desk.give("desk", "key")
    clock.now += 10**9
    assert desk.of("desk") == "key"
    assert "key" not in repr(desk).replace("Keyring", "")


def test_keys_are_bounded():
    """Ten thousand at most; the one that was used longest ago gives way."""
    ring = Keyring(Time(), life=None, most=3)
    for owner in "abc":
        ring.give(owner, f"key of {owner}")
    assert ring.of("a")
    ring.give("d", "key of d")
    assert [bool(ring.of(owner)) for owner in "abcd"] == [True, False, True, True]


def test_signed_in_visitors_may_use_the_servers_key_when_the_host_says_so(hosted, picture):
    """The owner of a signed-in name is the same after a restart; no token of a browser passes for it."""
    lent = {"sign_in": True, "budget_day": 10_000_000, "budget_visitor_day": 600_000}
    with FaultServer() as server:
        studio = hosted(server, **lent)
        ada = studio.sign_in("ada")
        assert ada == SignIn(studio.settings.home).owner_of("ada")
        assert studio.has_key(ada)
        forged = ada[:-1] + ("0" if ada[-1] != "0" else "1")
        for owner in (forged, "ada", "u-" + "0" * 24 + "-" + "0" * 24, new_token()):
            assert not studio.has_key(owner)
        job = studio.submit(request_of(picture), engine="kling", owner=ada)
        assert job.owner == ada
        assert not is_token(ada)
        assert is_token(new_token())


def test_a_pass_stands_for_its_owner_for_a_day(hosted, clock):
    """It is worth nothing afterwards, nor with anything changed in it; the owner alone is no pass."""
    studio = hosted()
    ada, eve = studio.sign_in("ada"), studio.sign_in("eve")
    shown = studio.pass_of(ada)
    assert studio.owner_of(shown) == ada
    owner, until, mark = shown.split(".")
    later, longer = str(int(until) + 1), until + "0"
    forged = (
        ada,
        f"{eve}.{until}.{mark}",
        f"{owner}.{later}.{mark}",
        f"{owner}.{longer}.{mark}",
        f"{owner}.{until}.{mark[:-1]}",
        f"{owner}.{until}.{mark}\n",
        f"{owner}.{until}",
        shown.upper(),
        [shown],
        None,
        "",
    )
    assert [one for one in forged if studio.owner_of(one)] == []
    clock.skip(24 * 3600 + 1)
    assert studio.owner_of(shown) == ""
    visitor = new_token()
    assert studio.owner_of(visitor) == visitor


def test_the_secret_of_sign_in_is_readable_by_this_user_only(tmp_path):
    """It is made once, with mode 600; another home gives other owners."""
    first = SignIn(tmp_path).owner_of("ada")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    other = tmp_path / "other"
    other.mkdir()
    assert SignIn(other).owner_of("ada") != first


def test_the_kill_switch_stops_new_paid_runs_and_leaves_drafts(hosted, open_studio, picture):
    """KLINGO1_PAID=0: nothing is sent, on a desk and on a hosted page alike."""
    with FaultServer() as server:
        for studio, owner in ((open_studio(server, paid=False), "desk"), (hosted(server, paid=False), "x")):
            with pytest.raises(PaidOff):
                studio.submit(request_of(picture), engine="kling", owner=owner)
        assert server.requests == []


def test_one_paid_run_of_a_visitor_at_a_time(hosted, picture):
    """The second click waits for the end of the first run; another visitor is not held up."""
    with FaultServer(script=["processing"]) as server:
        studio, (a, b) = hosted(server), (new_token(), new_token())
        for owner in (a, b):
            studio.give_key(owner, f"wsk_{owner}")
        studio.submit(request_of(picture), engine="kling", owner=a)
        with pytest.raises(Busy) as refused:
            studio.submit(request_of(picture, "another"), engine="kling", owner=a)
        assert (refused.value.what, refused.value.limit) == ("paid", 1)
        studio.submit(request_of(picture), engine="kling", owner=b)


def test_one_paid_run_even_when_clicks_race(hosted, picture):
    """Sixteen clicks at once make one run."""
    with FaultServer(script=["processing"]) as server:
        studio, owner, made, refused = hosted(server), new_token(), [], []
        studio.give_key(owner, "wsk_visitor_a_000000")

        def click(number):
            try:
                made.append(studio.submit(request_of(picture, f"walk {number}"), engine="kling", owner=owner))
            except Busy as error:
                refused.append(error)

        threads = [threading.Thread(target=click, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(made), len(refused)) == (1, 15)


def test_the_draft_line_is_bounded_and_tells_the_place(hosted, picture, slow_drafts):
    """Three drafts a visitor, so many for all; whoever waits learns how many come first."""
    studio = hosted(draft_queue=5)
    owners = [new_token() for _ in range(3)]
    first = [studio.submit(request_of(picture, f"a {n}"), owner=owners[0]) for n in range(3)]
    with pytest.raises(Busy) as refused:
        studio.submit(request_of(picture, "one more"), owner=owners[0])
    assert (refused.value.what, refused.value.limit) == ("drafts", 3)
    second = [studio.submit(request_of(picture, f"b {n}"), owner=owners[1]) for n in range(2)]
    with pytest.raises(Busy) as refused:
        studio.submit(request_of(picture, "late"), owner=owners[2])
    assert (refused.value.what, refused.value.limit) == ("queue", 5)
    assert [studio.place_in_line(job) for job in (*first, *second)] == [0, 1, 2, 3, 4]
    assert studio.health()["drafts"] == 5


def test_the_page_tells_the_place_in_line(hosted, picture, slow_drafts):
    """Who waits reads how many drafts come first, and not that theirs is being drawn."""
    from klingo1.ui.handlers import Handlers

    studio = hosted()
    page, asked = Handlers(studio, hosted=True, publish=str), {"owner": new_token()}
    jobs = [studio.submit(request_of(picture, f"walk {n}"), owner=asked["owner"]) for n in range(3)]
    shown = [page.status(asked | {"job": job.id}) for job in jobs]
    assert [(view["title"], view["note"]) for view in shown[1:]] == [
        ("In line", "One draft comes first."),
        ("In line", "2 drafts come first."),
    ]
    assert "first" not in shown[0]["note"]


def test_a_desk_is_not_held_to_the_visitors_limits(open_studio, picture, slow_drafts):
    """At a desk as many drafts wait as are asked for."""
    studio = open_studio(draft_queue=1)
    for number in range(5):
        studio.submit(request_of(picture, f"walk {number}"))
    assert len(studio.jobs()) == 5


def test_f58_nothing_of_another_owner_can_be_deleted_or_restored(hosted, tmp_path, slow_drafts):
    """B's delete and restore of A's run find nothing, and A keeps it."""
    studio, (a, b) = hosted(), (new_token(), new_token())
    job = studio.submit(request_of(draw_picture(tmp_path / "a.jpg")), owner=a)
    for act in (studio.delete, studio.restore, studio.stop, studio.resume):
        with pytest.raises(JobNotFound):
            act(job.id, owner=b)
    studio.delete_all(b)
    assert studio.job(job.id, owner=a).state.active


def test_health_tells_of_a_ledger_that_cannot_be_written(hosted, clock):
    """A probe gets facts, and not ok, when rows cannot be written any more."""
    studio = hosted()
    assert studio.health()["ok"]
    full = "CREATE TRIGGER full BEFORE INSERT ON meta BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
    with studio._ledger._writing() as connection:
        connection.exec_driver_sql(full)
    clock.skip(60)
    assert not studio.health()["ok"]


def test_a_hosted_page_listens_to_everybody_and_a_desk_to_itself(hosted, open_studio, monkeypatch, tmp_path):
    """0.0.0.0 when hosted, Gradio's own 127.0.0.1 at a desk; the guard stands before both."""
    from klingo1.ui.page import launch_options

    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    public = launch_options(hosted(home=tmp_path / "public"))
    assert public["server_name"] == "0.0.0.0"
    desk = launch_options(open_studio(home=tmp_path / "desk"))
    assert desk["server_name"] is None
    guards = [options["app_kwargs"]["middleware"][0] for options in (public, desk)]
    assert [guard.kwargs["policy"].limited for guard in guards] == [True, False]
