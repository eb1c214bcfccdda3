"""Batches: one price for a list, all or nothing, the service's pace, and nothing lost or sent twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import SwiftClock, draw_picture
from faults.clip import clip
from faults.server import Always, FaultServer, Reply, Reset

from klingo1.batch import Batch, Limits
from klingo1.batch_file import read_requests
from klingo1.bulk import BulkStudio
from klingo1.draft.service import DraftService
from klingo1.errors import BudgetReached, InvalidRequest, KeyMissing
from klingo1.job import Money, State
from klingo1.request import Engine
from klingo1.settings import Settings
from klingo1.studio import Studio

ROOT = Path(__file__).parents[1]
URL = "https://example.com/picture.jpg"
KEY = "wsk_canary_0123456789"
NOW = 1_750_000_000.0
UNLIMITED = Limits(None, 100)


def written(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def walks(count, **fields):
    return [{"prompt": f"walk number {n}", "images": [URL], "duration": 3} | fields for n in range(count)]


@pytest.fixture
def open_bulk(tmp_path, clock):
    """Opens studios for batches on one home folder; whatever is open is closed at the end."""
    opened = []

    def open_one(server=None, *, draft=None, **settings):
        given = {"home": tmp_path / "home", "api_key": KEY} | settings
        if server is not None:
            given["base_url"] = server.url
        studio = BulkStudio(Settings(**given), clock=clock, draft=draft)
        studio.start()
        opened.append(studio)
        return studio

    yield open_one
    for studio in opened:
        studio.close()


def run(batch, **options):
    seen = []
    asyncio.run(asyncio.wait_for(batch.run(seen.append, **options), 200))
    return seen


def film(order):
    order.output.write_bytes(clip())
    return {"plan": {}}


# -- the file


def test_csv_and_json_lines_say_the_same(tmp_path):
    """The same two requests read alike from either form, with files beside the list."""
    lines = written(
        tmp_path / "a.jsonl",
        [
            {"prompt": "a, “b”", "images": ["x.png", URL], "duration": 7, "keep_original_sound": False},
            {"prompt": "two\nlines", "images": ["x.png"], "aspect_ratio": "1:1", "roles": ["prop"]},
        ],
    )
    table = tmp_path / "a.csv"
    table.write_text(
        "prompt,images,duration,keep_original_sound,aspect_ratio,roles\n"
        f'"a, “b”",x.png|{URL},7,no,,\n\n'
        '"two\nlines",x.png,,,1:1,prop\n',
        encoding="utf-8-sig",
    )
    first, second = read_requests(lines), read_requests(table)
    assert not first.wrong
    assert not second.wrong
    assert [line.request for line in first.lines] == [line.request for line in second.lines]
    assert first.lines[0].request.images == (tmp_path / "x.png", URL)
    assert [line.number for line in second.lines] == [2, 4]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"prompt": "walk", "images": [URL], "duraton": 5}, "duraton"),
        ({"prompt": "walk", "images": [URL], "duration": "5"}, "duration"),
        ({"prompt": "walk", "images": [URL], "duration": True}, "duration"),
        ({"prompt": "walk", "images": []}, "images"),
        ({"prompt": "walk", "images": {"a": 1}}, "images"),
        ({"prompt": "walk", "images": [7]}, "images[0]"),
        ({"prompt": "walk", "images": [URL], "video": 7}, "video"),
        ({"prompt": "walk", "images": [URL], "size": "4k"}, "size"),
        ({"prompt": ["walk"], "images": [URL]}, "prompt"),
        ({"prompt": "walk", "images": [URL], "keep_original_sound": "maybe"}, "keep_original_sound"),
        ([1, 2], "line"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(tmp_path, row, field):
    """Every mistake has its line and its field; it is never sent with a default instead."""
    file = read_requests(written(tmp_path / "a.jsonl", [*walks(1), row]))
    assert len(file.lines) == 1
    assert [(one.number, one.error.field) for one in file.wrong] == [(2, field)]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.jsonl", b""), ("a.csv", b"prompt,images\n"), ("a.jsonl", b"\xff\xfe"), ("a.txt", b"{}"),
     ("a.csv", b'prompt\n"never closed')],
)  # fmt: skip
def test_what_is_no_list_of_requests_is_refused(tmp_path, name, content):
    """An empty file, other bytes and other kinds of file are told apart from a list."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequest) as refused:
        read_requests(tmp_path / name)
    assert refused.value.field == "requests"


# -- admission


def test_a_batch_over_the_budget_leaves_no_trace(open_bulk, tmp_path, picture):
    """Three runs of which two would fit: none is admitted, and the sum is named."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(3, images=[str(picture)])))
    with FaultServer() as server:
        studio = open_bulk(server, budget_day=800_000)
        batch = Batch(studio, file, Engine.KLING, UNLIMITED)
        with pytest.raises(BudgetReached) as refused:
            batch.admit()
        assert (refused.value.cap, refused.value.price) == ("day", 3 * 336_000)
        assert "These 3 runs cost $1.008" in str(refused.value)
        assert not batch.stands
        assert studio.jobs() == []
        assert list((tmp_path / "home").glob("jobs/*")) == []
        assert server.requests == []


def test_the_cap_per_run_holds_in_a_batch(open_bulk, tmp_path):
    """One run that is too dear keeps the whole list out."""
    rows = [*walks(2), *walks(1, duration=10)]
    studio = open_bulk(budget_run=400_000)
    batch = Batch(studio, read_requests(written(tmp_path / "a.jsonl", rows)), Engine.KLING, UNLIMITED)
    with pytest.raises(BudgetReached) as refused:
        batch.admit()
    assert (refused.value.cap, refused.value.price) == ("run", 1_120_000)
    assert studio.jobs() == []


def test_admitting_twice_is_admitting_once(open_bulk, tmp_path, picture):
    """Two studios that admit the same file get the same rows, and hold its price once."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(3, images=[str(picture)])))
    ids = []
    for _ in range(2):
        studio = open_bulk()
        Batch(studio, file, Engine.KLING, UNLIMITED).admit()
        ids.append({job.id for job in studio.jobs()})
    assert ids[0] == ids[1]
    assert studio.spending()[0][1] == {Money.HELD: 3 * 336_000}
    assert {path.name for path in (tmp_path / "home" / "jobs").iterdir()} == ids[0]


def test_a_picture_of_many_lines_is_checked_once_and_wrong_on_each(open_bulk, tmp_path):
    """A picture that is too small is told for every line that uses it."""
    draw_picture(tmp_path / "small.png", size=(200, 200))
    rows = [*walks(2, images=["small.png"]), *walks(1), *walks(1, prompt="@Image4 waves")]
    batch = Batch(open_bulk(), read_requests(written(tmp_path / "a.jsonl", rows)), Engine.KLING, UNLIMITED)
    assert [(w.number, w.error.field) for w in batch.check()] == [
        (1, "images[0]"), (2, "images[0]"), (4, "prompt")
    ]  # fmt: skip


def test_a_paid_batch_without_a_key_is_refused(open_bulk, tmp_path):
    """Nothing is admitted that could not be sent."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(1)))
    with pytest.raises(KeyMissing):
        Batch(open_bulk(api_key=""), file, Engine.KLING, UNLIMITED).check()


# -- running


def test_every_line_is_made_once_with_one_result_each(open_bulk, tmp_path):
    """Nine paid lines: nine bills, nine videos, in the order of the file."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(9)))
    with FaultServer() as server:
        batch = Batch(open_bulk(server), file, Engine.KLING, UNLIMITED)
        batch.admit()
        run(batch)
        assert set(server.bills.values()) == {1}
        assert server.billed == 9
        jobs = batch.jobs()
    assert [line.number for line, _ in jobs] == list(range(1, 10))
    assert all(job.state is State.DONE and job.video.exists() for _, job in jobs)
    assert [job.request.prompt for _, job in jobs] == [f"walk number {n}" for n in range(9)]


def test_the_tiers_limits_hold_at_every_moment(open_bulk, tmp_path, clock):
    """Two a minute and three at once: no window of a minute sees a third submit."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(7)))
    with FaultServer(script=["processing"] * 4 + ["completed"]) as server:
        studio = open_bulk(server)
        batch = Batch(studio, file, Engine.KLING, Limits(2, 3))
        batch.admit()
        seen = run(batch)
        assert server.billed == 7
        at = sorted(studio._ledger.record(job.id).submitted_at for _, job in batch.jobs())
    assert max(len(progress.underway) for progress in seen) <= 3
    assert all(third - first >= 60.0 for first, third in zip(at, at[2:], strict=False))


def test_rows_that_wait_are_left_alone_by_other_studios(open_bulk, tmp_path, clock):
    """A page that runs beside a batch, or starts after it died, sends nothing ahead of its pace."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(4)))
    with FaultServer() as server:
        batch = Batch(open_bulk(server), file, Engine.KLING, UNLIMITED)
        batch.admit()
        clock.skip(10 * 24 * 3600)
        settings = Settings(home=tmp_path / "home", api_key=KEY, base_url=server.url)
        with Studio(settings, clock=SwiftClock()) as page:
            time.sleep(0.2)
            assert server.requests == []
            page.stop(batch._studio.standing(batch.group)[0].job_id)
        run(batch)
        assert server.billed == 3
        assert Counter(job.state for _, job in batch.jobs()) == {State.DONE: 3, State.STOPPED: 1}


def test_a_lost_answer_a_refusal_and_a_failure_are_told_apart(open_bulk, tmp_path):
    """Faults of single runs do not stop the others, and nothing is sent twice."""
    rows = walks(6)
    faults = [Reset(after="body"), Reply(400, {"code": 400, "message": "no"}), Reply(502, billed=True)]
    with FaultServer(faults={"submit": faults}) as server:
        batch = Batch(
            open_bulk(server), read_requests(written(tmp_path / "a.jsonl", rows)), Engine.KLING, UNLIMITED
        )
        batch.admit()
        run(batch)
        states = Counter(job.state for _, job in batch.jobs())
        assert states == {State.DONE: 5, State.REFUSED: 1}
        assert server.billed == 5
        assert max(server.bills.values()) == 1
        run(batch, again=True)
        assert {job.state for _, job in batch.jobs()} == {State.DONE}
        assert server.billed == 6


def test_an_empty_wallet_stops_the_batch_and_the_rest_can_go_on(open_bulk, tmp_path):
    """After one 402 nothing more is begun; when there is credit again the same file is finished."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(6)))
    poor = Always(Reply(402, {"code": 402, "message": "insufficient balance"}))
    with FaultServer(faults={"submit": poor}) as server:
        studio = open_bulk(server)
        batch = Batch(studio, file, Engine.KLING, Limits(None, 1))
        batch.admit()
        run(batch)
        assert batch.halted
        assert len(server.calls("submit")) == 1
        server.set_faults("submit", [])
        later = Batch(studio, file, Engine.KLING, Limits(None, 2))
        assert later.stands
        run(later, again=True)
        assert {job.state for _, job in later.jobs()} == {State.DONE}
        assert server.billed == 6


def test_withdrawing_gives_the_money_of_what_waits_back(open_bulk, tmp_path):
    """What was never begun is stopped and costs nothing."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(3)))
    studio = open_bulk()
    batch = Batch(studio, file, Engine.KLING, UNLIMITED)
    batch.admit()
    assert batch.withdraw() == 3
    assert studio.spending()[0][1] == {Money.RELEASED: 3 * 336_000}
    assert {job.state for job in studio.jobs()} == {State.STOPPED}


def test_drafts_are_made_in_a_batch_too(open_bulk, tmp_path, picture):
    """Eight drafts over a stand-in renderer; the same picture is kept once on disk."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(8, images=[picture.name])))
    with ThreadPoolExecutor(2) as executor:
        studio = open_bulk(
            draft=lambda: DraftService(tmp_path / "drafts", executor=executor, workers=2, render=film)
        )
        batch = Batch(studio, file, Engine.DRAFT, Limits(None, 3))
        batch.admit()
        run(batch)
        jobs = [job for _, job in batch.jobs()]
        studio.close()
    assert {job.state for job in jobs} == {State.DONE}
    assert len({job.request.images[0].stat().st_ino for job in jobs}) == 1


def test_a_deleted_run_is_not_made_again(open_bulk, tmp_path):
    """What a person erased from a batch stays erased when the file is run again."""
    file = read_requests(written(tmp_path / "a.jsonl", walks(3)))
    with FaultServer(script=["completed"]) as server:
        studio = open_bulk(server)
        batch = Batch(studio, file, Engine.KLING, UNLIMITED)
        batch.admit()
        run(batch)
        job = batch.jobs()[1][1]
        assert studio._ledger.empty(job, now=NOW)
        again = Batch(studio, file, Engine.KLING, UNLIMITED)
        assert again.stands
        run(again)
        assert again.deleted() == [2]
        assert len(again.jobs()) == 2
        assert server.billed == 3


# -- the command


@pytest.fixture
def command(tmp_path):
    def start(*words, server=None, **environ):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("KLINGO1_", "WAVESPEED_"))}
        env |= {"KLINGO1_HOME": str(tmp_path / "home"), "COLUMNS": "200", "PYTHONPATH": str(ROOT)} | environ
        if server is not None:
            env |= {"WAVESPEED_BASE_URL": server.url, "WAVESPEED_API_KEY": KEY}
        return subprocess.Popen(
            [sys.executable, "-m", "klingo1", "batch", *words],
            cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8",
        )  # fmt: skip

    return start


def results(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


QUICK = ("--engine", "kling", "--yes", "--json", "--per-minute", "1000", "--at-once", "2")


@pytest.mark.skipif(os.name != "posix", reason="processes are ended by signals")
@pytest.mark.parametrize("end", ["SIGINT", "SIGKILL"])
def test_an_interrupted_batch_goes_on_and_sends_nothing_twice(command, tmp_path, end):
    """Ctrl-C and kill −9 in the middle: the second run of the same file makes the rest."""
    written(tmp_path / "list.jsonl", walks(6))
    with FaultServer(script=["completed"]) as server:
        first = command("list.jsonl", *QUICK, server=server)
        until = time.monotonic() + 60
        while len(server.calls("result")) < 1:
            assert time.monotonic() < until
            assert first.poll() is None, first.communicate()
            time.sleep(0.01)
        first.send_signal(getattr(signal, end))
        out, _ = first.communicate(timeout=60)
        if end == "SIGINT":
            assert first.returncode == 130
            assert json.loads(out)["complete"] is False
            assert len(results(tmp_path / "list.results.jsonl")) == 6
        assert server.billed < 6
        second = command("list.jsonl", *QUICK, "--output", "films", server=server)
        out, err = second.communicate(timeout=120)
        assert second.returncode == 0, err
        assert set(server.bills.values()) == {1}
        assert server.billed == 6
    facts = json.loads(out)
    assert (facts["requests"], facts["states"], facts["spent"]) == (6, {"done": 6}, 6 * 336_000)
    rows = results(tmp_path / "list.results.jsonl")
    assert [row["line"] for row in rows] == list(range(1, 7))
    assert len({row["prediction_id"] for row in rows}) == 6
    assert len(list((tmp_path / "films").glob("*.mp4"))) == 6


def test_wrong_lines_start_nothing_and_have_their_rows(command, tmp_path):
    """Exit code 2, a row of results for each wrong line, and no run."""
    rows = [*walks(2), {"prompt": "walk", "images": ["missing.png"]}, {"prompt": "", "images": [URL]}]
    written(tmp_path / "list.jsonl", rows)
    with FaultServer() as server:
        process = command("list.jsonl", *QUICK, server=server)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, json.loads(out)["error"]["field"]) == (2, "requests"), err
        assert server.requests == []
    told = results(tmp_path / "list.results.jsonl")
    assert [(row["line"], row["problem"]["field"]) for row in told] == [(3, "images[0]"), (4, "prompt")]


def test_the_worst_outcome_is_the_exit_code(command, tmp_path):
    """One run of three is refused there: 3, with the other two done."""
    written(tmp_path / "list.jsonl", walks(3))
    with FaultServer(script=["completed"], faults={"submit": [Reply(400, {"code": 400})]}) as server:
        process = command("list.jsonl", *QUICK, server=server)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert json.loads(out)["states"] == {"done": 2, "refused": 1}


def test_money_is_asked_for(command, tmp_path):
    """Without --yes and without a person a paid batch is not begun."""
    written(tmp_path / "list.jsonl", walks(3))
    with FaultServer() as server:
        process = command("list.jsonl", "--engine", "kling", "--json", server=server)
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, json.loads(out)["error"]["field"]) == (2, "yes")
        assert server.requests == []


# -- the long forms


@pytest.mark.soak
def test_five_hundred_drafts_are_each_made_once(open_bulk, tmp_path, picture):
    """0 lost, 0 twice, over a stand-in renderer that counts."""
    made = Counter()

    def counted(order):
        made[order.request.prompt] += 1
        return film(order)

    file = read_requests(written(tmp_path / "a.jsonl", walks(500, images=[picture.name])))
    with ThreadPoolExecutor(4) as executor:
        studio = open_bulk(
            draft=lambda: DraftService(tmp_path / "drafts", executor=executor, workers=4, render=counted)
        )
        batch = Batch(studio, file, Engine.DRAFT, Limits(None, 8))
        batch.admit()
        asyncio.run(batch.run(lambda _: None))
        assert Counter(job.state for _, job in batch.jobs()) == {State.DONE: 500}
        studio.close()
    assert len(made) == 500
    assert set(made.values()) == {1}
    print(f"\n500 drafts in one batch: {len(made)} done, 0 lost, {sum(made.values()) - len(made)} twice")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_thousand_paid_runs_against_faults_are_each_billed_once(open_bulk, tmp_path):
    """0 lost, 0 twice: every seventh submit loses its answer, every eleventh download is cut."""

    def every(count, fault):
        while True:
            yield from [None] * (count - 1)
            yield fault

    faults = {
        "submit": every(7, Reset(after="body")),
        "result": every(13, Reply(502)),
        "download": every(11, Reply(503)),
    }
    file = read_requests(written(tmp_path / "a.jsonl", walks(2000)))
    with FaultServer(faults=faults) as server:
        studio = open_bulk(server)
        batch = Batch(studio, file, Engine.KLING, Limits(3000, 60))
        batch.admit()
        asyncio.run(batch.run(lambda _: None))
        assert Counter(job.state for _, job in batch.jobs()) == {State.DONE: 2000}
        assert set(server.bills.values()) == {1}
        assert server.billed == 2000
        calls = {route: len(server.calls(route)) for route in ("submit", "result", "download")}
        print(f"\n2,000 paid runs in a batch against faults: {server.billed} bills, 0 lost, 0 twice")
        print(f"  calls: {calls}; lost answers of a submit: {calls['submit'] // 7}")
