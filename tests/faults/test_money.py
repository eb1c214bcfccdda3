"""Clicks and money under load: one bill a click, never over a cap, never refused while there is room."""

import contextlib
import random
import threading
from dataclasses import replace

import pytest
from conftest import draw_picture, wait_for
from faults.invariants import CANARY, check_invariants
from faults.server import Always, Close, FaultServer, Reply, Reset
from faults.tables import say
from faults.victims import Victims, settle

from klingo1.errors import BudgetReached, InvalidRequest, QuoteRefused
from klingo1.job import Money, State
from klingo1.ledger import Ledger
from klingo1.money import REFUND_SECONDS, Caps, NewJob
from klingo1.pricing import Price
from klingo1.problems import money_known
from klingo1.request import Engine, VideoRequest

NOW = 1_750_000_000.0
URL = "https://example.com/one.jpg"


def request_of(*images, **fields):
    return VideoRequest(prompt=fields.pop("prompt", "a quiet walk"), images=images or (URL,), **fields)


def counted(book):
    return sum(
        amount
        for _, amounts in book.spending()
        for money, amount in amounts.items()
        if money in {Money.HELD, Money.SPENT}
    )


def test_f40_a_quote_of_yesterday_or_with_other_fields_is_refused(open_studio, clock):
    """A quote makes one run, of what it was first used for, within a day."""
    with FaultServer(faults={"result": Always(Reply(502))}) as server:
        studio = open_studio(server)
        quote, old = studio.new_quote(), studio.new_quote()
        job = studio.submit(request_of(), engine="kling", quote=quote)
        for other in ({"duration": 6}, {"aspect_ratio": "1:1"}, {"prompt": "else"}):
            with pytest.raises(QuoteRefused):
                studio.submit(request_of(**other), engine="kling", quote=quote)
        assert studio.submit(request_of(), engine="kling", quote=quote).id == job.id
        clock.skip(25 * 3600)
        with pytest.raises(QuoteRefused):
            studio.submit(request_of(prompt="late"), engine="kling", quote=old)
        (kept,) = check_invariants(server, studio)
        assert kept.id == job.id


def test_f39_one_quote_in_fifty_threads(open_studio):
    """One run, one POST, one bill; all fifty see it."""
    with FaultServer() as server:
        studio = open_studio(server)
        quote, seen = studio.new_quote(), []
        threads = [
            threading.Thread(
                target=lambda: seen.append(studio.submit(request_of(), engine="kling", quote=quote).id)
            )
            for _ in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_for(studio, seen[0], State.DONE)
        (kept,) = check_invariants(server, studio)
        assert seen == [kept.id] * 50
        assert server.billed == len(server.calls("submit")) == 1


@pytest.mark.parametrize(("threads", "clicks"), [(16, 5), pytest.param(64, 10, marks=pytest.mark.soak)])
def test_f42_clicks_in_many_threads_are_whole_runs(open_studio, threads, clicks):
    """Prices and ends at random, under a cap of ten dollars: never a cent over, every bill in hand."""
    dice = random.Random(threads)
    faults = [None, None, Reply(402), Reset(after="body"), Close(after="headers", billed=False)]
    with FaultServer(faults={"submit": (dice.choice(faults) for _ in iter(int, 1))}) as server:
        studio = open_studio(server, budget_day=10_000_000)
        admitted = []

        def click(thread):
            for n in range(clicks):
                request = request_of(
                    f"https://example.com/{thread}-{n}.jpg",
                    prompt=f"click {thread:02d} {n:02d}",
                    duration=3 + (thread + n) % 8,
                )
                with contextlib.suppress(BudgetReached):
                    admitted.append(studio.submit(request, engine="kling").id)

        crowd = [threading.Thread(target=click, args=(n,)) for n in range(threads)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        settle(studio)
        jobs = check_invariants(server, studio)
        assert {job.id for job in jobs} == set(admitted)
        assert server.billed == sum(job.state is State.DONE for job in jobs)
        say(f"{threads * clicks} clicks: {len(admitted)} admitted, {server.billed} billed, none twice")


def test_f41_two_processes_on_one_ledger_drive_each_job_once(tmp_path):
    """Two processes over one home folder: every click of both is billed once."""
    picture = draw_picture(tmp_path / "p.jpg", size=(320, 300))
    with FaultServer() as server, Victims() as one, Victims() as two:
        order = {"home": tmp_path / "home", "url": server.url, "picture": picture}
        one.start(**order, clicks=[f"one {n}" for n in range(4)])
        two.start(**order, clicks=[f"two {n}" for n in range(4)])
        assert (one.wait(), two.wait()) == (0, 0)
        book = Ledger(tmp_path / "home" / "klingo1.sqlite3", home=tmp_path / "home")
        jobs = book.jobs(owner=None, limit=100)
        book.close()
        assert {job.state for job in jobs} == {State.DONE}
        assert len({job.prediction_id for job in jobs}) == server.billed == len(server.calls("submit")) == 8


def test_f41_what_one_process_leaves_the_other_takes_once(tmp_path):
    """Six rows without a driver and two processes that start at once: six submits."""
    picture = draw_picture(tmp_path / "p.jpg", size=(320, 300))
    with FaultServer(faults={"ticket": Always(Reply(429, headers={"Retry-After": "1"}))}) as server:
        order = {"home": tmp_path / "home", "url": server.url, "picture": picture}
        with Victims() as first:
            first.start(**order, clicks=["click"], moment="row committed")
            first.wait()
        book = Ledger(tmp_path / "home" / "klingo1.sqlite3", home=tmp_path / "home")
        for n in range(5):
            book.admit(new_job(book, tmp_path / "home", n), caps=Caps(), now=NOW)
        book.close()
        server.set_faults("ticket", [])
        with Victims() as one, Victims() as two:
            one.start(**order, clicks=[])
            two.start(**order, clicks=[])
            assert (one.wait(), two.wait()) == (0, 0)
        assert server.billed == len(server.calls("submit")) == 6


def new_job(book, home, number, *, price=560_000, prompt=None, now=NOW, images=(URL,)):
    request = VideoRequest(prompt=prompt or f"row {number}", images=images)
    quote = book.new_quote("desk", now=now)
    return NewJob(f"job{number:05d}", "desk", Engine.KLING, request, Price(price), f"d{number}", quote)


def test_f42_sixty_four_threads_of_ten_clicks_never_pass_ten_dollars(tmp_path):
    """Random prices and ends: never over the cap, and no refusal while the click would have fitted."""
    cap, dice = 10_000_000, random.Random(42)
    prices = [112_000 * n for n in range(3, 11)] + [168_000 * n for n in range(3, 11)]
    plan = [[(dice.choice(prices), dice.random()) for _ in range(10)] for _ in range(64)]
    book = Ledger(tmp_path / "k.sqlite3", home=tmp_path)
    quotes = {(t, k): book.new_quote("desk", now=NOW) for t in range(64) for k in range(10)}
    over, admitted, refused = [], [], []
    caps = Caps(day=cap)

    def clicks(thread):
        for k, (price, fate) in enumerate(plan[thread]):
            number = thread * 10 + k
            request = VideoRequest(prompt=f"click {number}", images=(URL,))
            new = NewJob(
                f"job{number:05d}",
                "desk",
                Engine.KLING,
                request,
                Price(price),
                "d",
                quotes[thread, k],
            )
            try:
                book.admit(new, caps=caps, now=NOW)
            except BudgetReached as no:
                refused.append((no.used, price))
                continue
            admitted.append(price)
            if (now_counted := counted(book)) > cap:
                over.append(now_counted)
            if fate < 0.8:
                to = State.REFUSED if fate < 0.4 else State.NOT_CREATED
                book.advance(new.id, leave=[State.QUEUED], to=to, now=NOW, money=Money.RELEASED)
            elif fate < 0.9:
                book.advance(new.id, leave=[State.QUEUED], to=State.DONE, now=NOW, money=Money.SPENT)

    threads = [threading.Thread(target=clicks, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) + len(refused) == 640
    assert over == []
    assert all(used + price > cap for used, price in refused)  # a refusal names what was used, and it was
    held = counted(book)
    assert held <= cap
    assert all(isinstance(amount, int) for _, day in book.spending() for amount in day.values())
    book.close()
    say(f"640 clicks: {len(admitted)} admitted, {len(refused)} refused, ${held / 1e6:.2f} of $10 counted")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"duration": "5"}, "duration"),
        ({"duration": 4.5}, "duration"),
        ({"duration": float("nan")}, "duration"),
        ({"duration": 1e308}, "duration"),
        ({"duration": 11}, "duration"),
        ({"duration": True}, "duration"),
        ({"keep_original_sound": "false"}, "keep_original_sound"),
        ({"images": (URL,) * 8}, "images"),
        ({"images": (URL,) * 5, "video": "https://example.com/v.mp4"}, "images"),
        ({"aspect_ratio": "4:3"}, "aspect_ratio"),
        ({"prompt": " "}, "prompt"),
    ],
)
def test_f43_tampered_fields_never_reach_the_network(open_studio, fields, field):
    """What no form would send is refused by name, and nothing is held."""
    with FaultServer() as server:
        studio = open_studio(server)
        with pytest.raises(InvalidRequest) as refused:
            studio.submit(VideoRequest(**({"prompt": "a", "images": (URL,)} | fields)), engine="kling")
        assert refused.value.field == field
        assert studio.spending() == []
        assert server.requests == []
        assert check_invariants(server, studio) == []


def test_f43_a_price_from_outside_is_never_believed(open_studio):
    """The price is computed here; a hidden one is only compared with it."""
    with FaultServer() as server:
        studio = open_studio(server)
        with pytest.raises(TypeError):
            VideoRequest(prompt="a", images=(URL,), price=1)
        with pytest.raises(QuoteRefused):
            studio.submit(request_of(duration=10), engine="kling", expected=Price(0))
        job = studio.submit(request_of(duration=10), engine="kling", expected=Price(1_120_000))
        assert job.price == Price(1_120_000)
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


def test_f45_a_clock_set_back_a_day_does_not_reopen_the_cap(open_studio, clock):
    """The day of the cap never goes back."""
    with FaultServer() as server:
        studio = open_studio(server, budget_day=600_000)
        wait_for(studio, studio.submit(request_of(), engine="kling").id, State.DONE)
        clock.step = -86400.0
        with pytest.raises(BudgetReached):
            studio.submit(request_of(prompt="again"), engine="kling")
        check_invariants(server, studio)
        assert server.billed == 1


def test_an_unknown_run_counts_as_spent_until_it_is_known(open_studio, clock):
    """While a lost submit is looked up its price is held; when it was never created there is room again."""
    faults = {"submit": [Close(after="headers", billed=False)], "list": Always(Reply(502))}
    with FaultServer(faults=faults) as server:
        studio = open_studio(server, budget_day=600_000)
        job = studio.submit(request_of(), engine="kling")
        wait_for(studio, job.id, State.UNKNOWN)
        with pytest.raises(BudgetReached):
            studio.submit(request_of(prompt="second"), engine="kling")
        server.set_faults("list", [])
        wait_for(studio, job.id, State.NOT_CREATED)
        second = studio.submit(request_of(prompt="second"), engine="kling")
        wait_for(studio, second.id, State.DONE)
        check_invariants(server, studio)


def test_a_failed_run_keeps_its_hold_until_the_window_passes_or_a_person_releases_it(open_studio, clock):
    """Failed money counts for three hours; a person who has seen the refund frees it at once."""
    with FaultServer(script=[{"status": "failed", "error": "moderation"}]) as server:
        studio = open_studio(server, budget_day=600_000)
        job = studio.submit(request_of(), engine="kling")
        wait_for(studio, job.id, State.FAILED)
        with pytest.raises(BudgetReached):
            studio.submit(request_of(prompt="second"), engine="kling")
        assert studio.release(job.id).money is Money.RELEASED
        second = studio.submit(request_of(prompt="second"), engine="kling")
        wait_for(studio, second.id, State.FAILED)
        clock.skip(REFUND_SECONDS + 1)
        third = studio.submit(request_of(prompt="third"), engine="kling")
        assert wait_for(studio, third.id, State.FAILED).money is Money.HELD
        assert studio.job(second.id).money is Money.RELEASED


def test_only_what_waits_for_a_person_can_be_released(open_studio):
    """A run that is done, or still in work, keeps its money whatever is clicked."""
    with FaultServer(faults={"result": [Reply(502)] * 50}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        wait_for(studio, job.id, State.RUNNING)
        assert studio.release(job.id).money is Money.HELD
        wait_for(studio, job.id, State.DONE)
        assert studio.release(job.id).money is Money.SPENT


def test_a_lost_key_while_looking_up_never_sends_again(open_studio):
    """A submit whose answer was lost stays unknown when the key goes; with a key it is found."""
    faults = {"submit": [Reset(after="body")], "list": [Reply(401, {"code": 401, "message": "who?"})]}
    with FaultServer(faults=faults) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        until_problem(studio, job.id)
        assert studio.job(job.id).problem.kind == "KeyRejected"
        studio.give_key("desk", CANARY)
        wait_for(studio, job.id, State.DONE)
        assert server.billed == len(server.calls("submit")) == 1


def until_problem(studio, job_id):
    """The job once it waits in unknown for a person."""
    job = wait_for(studio, job_id, State.UNKNOWN)
    for _ in range(2000):
        if job.problem:
            return job
        job = wait_for(studio, job_id, State.UNKNOWN)
        threading.Event().wait(0.005)
    raise AssertionError("no problem is told")


def test_another_key_that_lists_nothing_proves_nothing(open_studio):
    """A submit sent with one account is not called unbilled because another account does not list it."""
    faults = {"submit": [Reset(after="body")], "list": [Reply(401, {"code": 401, "message": "old key"})]}
    with FaultServer(faults=faults) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        until_problem(studio, job.id)
        server.service.list_lag = 3
        studio.give_key("desk", "wsk_quite_another_account")
        for _ in range(1000):
            told = studio.job(job.id)
            if told.problem and told.problem.kind == "SubmitUncertain":
                break
            threading.Event().wait(0.01)
        assert (told.state, told.money) == (State.UNKNOWN, Money.HELD)
        studio.resume(job.id)
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


def test_one_listed_task_is_never_given_to_two_lost_submits(open_studio):
    """Where the list repeats no inputs, two lost submits do not share the one task it shows."""
    faults = {"submit": [Reset(after="body"), Close(after="headers", billed=False)]}
    with FaultServer(faults=faults, echo="") as server:
        studio = open_studio(server)
        jobs = [studio.submit(request_of(prompt=f"walk {n}"), engine="kling") for n in range(2)]
        lost = [until_settled(studio, job.id) for job in jobs]
        owners = [job.prediction_id for job in lost if job.prediction_id]
        assert len(owners) == len(set(owners))
        waiting = [job for job in lost if job.state is State.UNKNOWN]
        for job in waiting:
            (candidate,) = job.problem.prediction_ids
            assert candidate in server.service.tasks
            if server.service.tasks[candidate].body["prompt"] == job.request.prompt:
                studio.resume(job.id, prediction_id=candidate)
                wait_for(studio, job.id, State.DONE)
        for job in waiting:
            if studio.job(job.id).state is State.UNKNOWN:
                with pytest.raises(InvalidRequest):
                    studio.resume(job.id, prediction_id=candidate)
                assert studio.release(job.id).state is State.NOT_CREATED
        check_invariants(server, studio)


def until_settled(studio, job_id):
    for _ in range(2000):
        job = studio.job(job_id)
        if not job.state.active or job.problem:
            return job
        threading.Event().wait(0.005)
    raise AssertionError(job.state)


def test_a_service_that_moves_uploads_is_still_searched_by_words(open_studio):
    """When the list repeats other addresses than were sent, prompt and time tell which task is ours."""
    with FaultServer(faults={"submit": [Reset(after="body")]}, echo="") as server:
        studio = open_studio(server)
        original = server.service._data

        def data(task):
            return original(task) | {"inputs": {**task.body, "images": ["https://elsewhere.example/1.jpg"]}}

        server.service._data = data
        job = studio.submit(request_of(prompt="a very particular walk"), engine="kling")
        wait_for(studio, job.id, State.DONE)
        assert server.billed == len(server.calls("submit")) == 1


def test_a_machine_with_a_wrong_clock_finds_its_lost_submit(open_studio, clock):
    """A calendar that is twenty hours off does not turn a billed run into one that was never created."""
    clock.step = 20 * 3600.0
    with FaultServer(faults={"submit": [Reset(after="body")]}) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        wait_for(studio, job.id, State.DONE)
        assert server.billed == 1


def test_a_look_up_after_a_week_proves_nothing(open_studio, clock):
    """The list reaches back seven days: a submit lost before that is not called unbilled."""
    faults = {"submit": [Reset(after="body")], "list": [Reply(401, {"code": 401, "message": "no"})]}
    with FaultServer(faults=faults, list_lag=3) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        until_problem(studio, job.id)
        clock.skip(8 * 86400)
        studio.resume(job.id)
        for _ in range(1000):
            told = studio.job(job.id)
            if told.problem and told.problem.kind == "SubmitUncertain":
                break
            threading.Event().wait(0.01)
        assert (told.state, told.money) == (State.UNKNOWN, Money.HELD)
        assert "six days" in told.problem.text
        released = studio.release(job.id)
        assert (released.state, released.money) == (State.NOT_CREATED, Money.RELEASED)


def test_lost_runs_are_found_and_adopted_on_their_own_day(open_studio, tmp_path, clock):
    """What another computer started is listed, taken over once, and does not eat today's budget."""
    with FaultServer() as server:
        other = open_studio(server, home=tmp_path / "other")
        for n in range(3):
            job = other.submit(request_of(prompt=f"elsewhere {n}"), engine="kling")
            wait_for(other, job.id, State.DONE)
        clock.skip(2 * 86400)
        studio = open_studio(server, budget_day=600_000)
        mine = studio.submit(request_of(prompt="mine"), engine="kling")
        wait_for(studio, mine.id, State.DONE)
        lost = studio.find_lost()
        assert [p.inputs["prompt"] for p in lost] == ["elsewhere 2", "elsewhere 1", "elsewhere 0"]
        for prediction in lost:
            adopted = studio.adopt(prediction.id)
            done = wait_for(studio, adopted.id, State.DONE)
            assert done.request.prompt == prediction.inputs["prompt"]
        assert studio.find_lost() == []
        (today, amounts), (before, older) = studio.spending()
        assert today > before
        assert amounts == {Money.SPENT: 560_000}
        assert older == {Money.SPENT: 3 * 560_000}
        assert server.billed == 4


def test_adopting_a_candidate_settles_the_run_it_belongs_to(open_studio):
    """The prediction of a run that waits for a choice becomes that run, not a second one beside it."""
    with FaultServer(faults={"submit": [Reset(after="body")] * 2}, echo="") as server:
        studio = open_studio(server)
        jobs = [studio.submit(request_of(prompt=f"walk {n}"), engine="kling") for n in range(2)]
        for job in jobs:
            until_settled(studio, job.id)
        waiting = [job for job in studio.jobs() if job.state is State.UNKNOWN]
        assert waiting
        adopted = studio.adopt(waiting[0].problem.prediction_ids[0])
        assert adopted.id in {job.id for job in jobs}
        assert len(studio.jobs()) == 2


def test_a_task_that_is_listed_too_late_is_found_before_it_is_sent_again(open_studio):
    """Not created after three empty lists; when a person sends it again, the list is asked once more."""
    with FaultServer(faults={"submit": [Reset(after="body")]}, list_lag=3) as server:
        studio = open_studio(server)
        job = studio.submit(request_of(), engine="kling")
        wait_for(studio, job.id, State.NOT_CREATED)
        studio.resume(job.id)
        done = wait_for(studio, job.id, State.DONE)
        assert done.money is Money.SPENT
        assert server.billed == len(server.calls("submit")) == 1


def test_what_is_known_about_the_money_is_a_sentence_in_every_state(open_studio):
    """Each state of a paid run says whether money is held, spent, given back, or not known yet."""
    with FaultServer() as server:
        studio = open_studio(server)
        job = wait_for(studio, studio.submit(request_of(), engine="kling").id, State.DONE)
    said = {
        (state, money): money_known(replace(job, state=state, money=money))
        for state in State
        for money in Money
    }
    assert all(words.endswith(".") and len(words) > 15 for words in said.values())
    assert "$0.56" in said[State.DONE, Money.SPENT]
    assert "not known" in said[State.UNKNOWN, Money.HELD]
    assert "3 hours" in said[State.FAILED, Money.HELD]
    assert "Nothing" in said[State.NOT_CREATED, Money.RELEASED]
    assert "free" in said[State.RUNNING, Money.FREE]


def test_a_refunded_run_that_is_asked_for_again_needs_room_under_the_cap(open_studio, clock):
    """A run that had failed, and comes after all when it is asked for again, cannot break the budget."""
    with FaultServer(script=[{"status": "failed", "error": "moderation"}]) as server:
        studio = open_studio(server, budget_day=1_000_000)
        failed = studio.submit(request_of(prompt="once"), engine="kling")
        wait_for(studio, failed.id, State.FAILED)
        clock.skip(REFUND_SECONDS + 1)
        server.service.script = ["completed"]
        other = studio.submit(request_of(prompt="twice"), engine="kling")
        wait_for(studio, other.id, State.DONE)
        with pytest.raises(BudgetReached):
            studio.resume(failed.id)
        assert studio.job(failed.id).money is Money.RELEASED
        studio.close()
        roomy = open_studio(server, budget_day=2_000_000)
        roomy.resume(failed.id)
        done = wait_for(roomy, failed.id, State.DONE)
        assert done.money is Money.SPENT
        assert len(server.calls("submit")) == server.billed == 2
        check_invariants(server, roomy)
