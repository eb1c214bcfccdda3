"""A lost submit is looked up where lists are long, refused or huge, and clocks are wrong: nothing is called
unbilled that was billed, and nothing waits for ever.
"""

import json
import threading
from dataclasses import replace

import pytest
from conftest import wait_for
from faults.invariants import check_invariants
from faults.server import Always, Close, FaultServer, Reply, Reset

from klingo1 import submission
from klingo1.job import Job, Money, State
from klingo1.moments import Moment
from klingo1.request import VideoRequest
from klingo1.studio import Studio

URL = "https://example.com/one.jpg"


def click(studio: Studio, prompt: str = "a quiet walk") -> Job:
    return studio.submit(VideoRequest(prompt=prompt, images=(URL,), duration=3), engine="kling")


def asked(studio: Studio, job: Job) -> Job:
    """The job once a person is asked about it."""
    for _ in range(2000):
        now = studio.job(job.id)
        if now.state is State.UNKNOWN and now.problem:
            return now
        threading.Event().wait(0.005)
    raise AssertionError(f"nobody is asked: {now.state}")


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 410, 422])
def test_f02_a_list_that_is_refused_for_good_asks_a_person(open_studio, status):
    """Where the service does not list at all, a lost submit does not hang in the look-up for ever: the money
    stays held, a person is asked, and may say that it was not billed, or look again.
    """
    with FaultServer(faults={"submit": [Reset()], "list": Always(Reply(status))}) as server:
        studio = open_studio(server)
        waiting = asked(studio, click(studio))
        assert (waiting.money, waiting.problem.kind) == (Money.HELD, "SubmitUncertain")
        assert str(status) in waiting.problem.text
        server.set_faults("list", [])
        studio.resume(waiting.id)
        wait_for(studio, waiting.id, State.DONE)
        check_invariants(server, studio)
        assert server.billed == 1


def test_f03_a_person_may_send_again_where_the_list_is_refused(open_studio):
    """Released by a person and sent again, a run does not need the list that nobody shows."""
    faults = {"submit": [Close(after="headers", billed=False)], "list": Always(Reply(404))}
    with FaultServer(faults=faults) as server:
        studio = open_studio(server)
        waiting = asked(studio, click(studio))
        assert studio.release(waiting.id).money is Money.RELEASED
        studio.resume(waiting.id)
        wait_for(studio, waiting.id, State.DONE)
        check_invariants(server, studio)
        assert server.billed == 1


def test_f02_a_few_refusals_of_the_list_are_waited_out(open_studio):
    """A gateway that says 403 five times in a row, and then lists, changes nothing."""
    with FaultServer(faults={"submit": [Reset()], "list": [Reply(403)] * 5}) as server:
        studio = open_studio(server)
        wait_for(studio, click(studio).id, State.DONE)
        check_invariants(server, studio)
        assert server.billed == 1


@pytest.mark.parametrize("echo", ["input", ""])
def test_f04_a_machine_that_sleeps_before_a_submit_leaves_finds_its_run(
    open_studio, clock, monkeypatch, echo
):
    """The lid is closed for hours between the row and the request, and the answer is lost when it opens."""

    def sleeping(moment):
        if moment is Moment.BEFORE_POST:
            clock.skip(5 * 3600.0)

    monkeypatch.setattr(submission, "reached", sleeping)
    with FaultServer(now=clock.time, faults={"submit": [Reset()]}) as server:
        server.service.echo = echo
        studio = open_studio(server)
        wait_for(studio, click(studio).id, State.DONE)
        check_invariants(server, studio)
        assert server.billed == 1


@pytest.mark.parametrize("hours", [-200, -26, -1, 1, 26, 200])
@pytest.mark.parametrize("echo", ["input", ""])
def test_f04_a_machine_whose_clock_is_wrong_finds_its_run(open_studio, clock, hours, echo):
    """Hours or days off, and where the list may repeat no inputs: what was billed is found by the service's
    own time, and never called unbilled.
    """
    clock.step = hours * 3600.0
    with FaultServer(echo=echo, now=lambda: clock.time() - clock.step) as server:
        server.set_faults("submit", [Reset()])
        studio = open_studio(server)
        wait_for(studio, click(studio).id, State.DONE)
        check_invariants(server, studio)
        assert server.billed == 1


@pytest.mark.parametrize("hours", [-26, -1, 1, 26])
def test_f45_a_clock_that_is_set_right_after_the_submit_loses_nothing(open_studio, clock, picture, hours):
    """The clock is corrected between the submit and the look-up, and the list repeats no inputs."""
    clock.step = hours * 3600.0
    set_right = threading.Event()

    class Corrected:
        def play(self, line, act):
            act()
            clock.step = 0.0
            set_right.set()
            line.reset()

    with FaultServer(echo="", now=lambda: clock.time() - clock.step) as server:
        server.set_faults("submit", [Corrected()])
        studio = open_studio(server)
        request = VideoRequest(prompt="a quiet walk", images=(picture,), duration=3)
        job = studio.submit(request, engine="kling")
        wait_for(studio, job.id, State.DONE)
        check_invariants(server, studio)
        assert set_right.is_set()
        assert server.billed == 1


@pytest.mark.parametrize("days", [-20, 20])
def test_f45_a_wrong_clock_hides_no_lost_run(open_studio, clock, tmp_path, days):
    """What another computer made is listed as missing here, whatever day this machine takes it for."""
    with FaultServer(now=lambda: clock.time() - clock.step) as server:
        other = open_studio(server, home=tmp_path / "other")
        done = wait_for(other, click(other).id, State.DONE)
        clock.step = days * 86400.0
        (found,) = open_studio(server).find_lost()
        assert found.id == done.prediction_id


def crowd(server: FaultServer, count: int, *, prompt: str = "somebody else's") -> None:
    """So many newer tasks of the same account, made elsewhere."""
    (mine,) = server.service.tasks.values()
    for number in range(count):
        image = f"https://example.com/{number}.jpg"
        body = {"prompt": f"{prompt} {number}", "images": [image], "duration": 5}
        task = replace(mine, id=f"other{number:06d}", body=body, status="completed")
        server.service.tasks[task.id] = task


class Crowded:
    """The task is made, its answer lost, and others make many more before anybody looks."""

    def __init__(self, server, count, **more):
        self._crowd = lambda: crowd(server, count, **more)

    def play(self, line, act):
        act()
        self._crowd()
        line.reset()


def test_f02_a_busy_account_is_read_page_by_page(open_studio):
    """Two thousand newer tasks stand before ours in the list: it is found."""
    with FaultServer() as server:
        server.set_faults("submit", [Crowded(server, 2000)])
        studio = open_studio(server)
        done = wait_for(studio, click(studio).id, State.DONE)
        assert server.service.tasks[done.prediction_id].body["prompt"] == "a quiet walk"


def test_f02_a_list_without_end_proves_nothing(open_studio):
    """When more is listed than can be read, a run is not called unbilled; a person is asked."""

    class Endless:
        """Every page is full of strangers, and ours is on none."""

        def __init__(self):
            self.page = 0

        def play(self, line, act):
            self.page += 1
            old = {"created_at": "2020-01-01T00:00:00Z", "input": {"prompt": "x"}}
            items = [old | {"id": f"p{self.page:06d}x{n:03d}"} for n in range(100)]
            data = {"page": self.page, "items": items}
            line.send(Reply(200, {"code": 200, "message": "success", "data": data}))

    with FaultServer(faults={"submit": [Reset()], "list": Always(Endless())}) as server:
        studio = open_studio(server)
        waiting = asked(studio, click(studio))
        assert waiting.money is Money.HELD
        assert "more runs" in waiting.problem.text
        server.set_faults("list", [])
        studio.resume(waiting.id)
        wait_for(studio, waiting.id, State.DONE)
        check_invariants(server, studio)


def test_f02_a_list_of_many_megabytes_is_read(open_studio):
    """A hundred runs that repeat prompts of 2,500 characters fill a page of megabytes: ours is found."""
    with FaultServer() as server:
        server.set_faults("submit", [Crowded(server, 99, prompt="\U0001f98a" * 2490)])
        studio = open_studio(server)
        job = click(studio)
        wait_for(studio, job.id, State.DONE)
        assert len(json.dumps([task.body for task in server.service.tasks.values()])) > 2**21
        assert server.billed == 1


def test_f45_a_clock_that_jumps_before_the_submit_and_back_after_it_loses_nothing(open_studio, clock):
    """The service told its time before: the calendar jumps, a submit is lost, the calendar jumps back."""

    class Back:
        def play(self, line, act):
            act()
            clock.step = 0.0
            line.reset()

    with FaultServer(
        echo="", now=lambda: clock.time() - clock.step, faults={"submit": [None, Back()]}
    ) as server:
        studio = open_studio(server)
        wait_for(studio, click(studio, "before").id, State.DONE)
        clock.step = 86400.0
        wait_for(studio, click(studio).id, State.DONE)
        check_invariants(server, studio)
        assert server.billed == 2
