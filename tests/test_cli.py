"""The command line, as scripts and people use it: exit codes, one JSON object, words that help."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import draw_picture
from draft.test_network import ball, redness
from faults.server import Always, Close, FaultServer, Reply
from PIL import Image
from typer.testing import CliRunner

from klingo1.cli import app
from klingo1.job import Money
from klingo1.ledger import Ledger
from klingo1.report import Report
from klingo1.request import VideoRequest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path):
    """Runs the command on a home of its own; gives (exit code, standard output, standard error). In this
    process, unless it must be one of its own: with `wait=False` it is given as it runs.
    """

    def command(*words, server=None, own=False, wait=True, **environ):
        given = {"KLINGO1_HOME": str(tmp_path / "home"), "COLUMNS": "200"} | environ
        if server is not None:
            given |= {"WAVESPEED_BASE_URL": server.url, "WAVESPEED_API_KEY": "wsk_test_key_0001"}
        with pytest.MonkeyPatch.context() as patch:
            for name in os.environ:
                if name.startswith(("KLINGO1_", "WAVESPEED_")):
                    patch.delenv(name)
            for name, value in given.items():
                patch.setenv(name, value)
            if wait and not own:
                patch.chdir(tmp_path)
                done = CliRunner().invoke(app, words, catch_exceptions=False)
                return done.exit_code, done.stdout, done.stderr
            process = subprocess.Popen(
                [sys.executable, "-m", "klingo1", *words],
                cwd=tmp_path,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        if not wait:
            return process
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    return command


def paid(picture, prompt="walk"):
    return ["generate", "--image", str(picture), "--prompt", prompt, "--engine", "kling", "--yes"]


def test_a_plan_knows_what_was_said_about_a_picture(run, picture):
    """A role and a view given with one draft hold in `plan`, which itself remembers nothing."""
    asked = ["plan", "--prompt", "a walk", "--image", str(picture), "--json"]
    code, out, err = run(*asked)
    assert code == 0, err
    guessed = json.loads(out)["shots"][0]
    said = ["--role", "1=character", "--view", "1=back"]
    code, _, err = run(
        "generate", "--image", str(picture), "--prompt", "a walk", "--duration", "3", *said,
        "--output", "clip.mp4", "--json",
    )  # fmt: skip
    assert code == 0, err
    _, out, _ = run(*asked)
    now = json.loads(out)["shots"][0]
    assert (guessed["view"], now["view"]) == ("front", "back")
    _, out, _ = run(*asked, KLINGO1_HOSTED="1", KLINGO1_PAID="0")
    assert json.loads(out)["shots"][0]["view"] == "front"


def test_a_plan_is_cut_by_the_network_of_the_settings(run, tmp_path):
    """The network that KLINGO1_CUTOUT_MODEL names finds a subject where the built-in cut is not asked."""
    (tmp_path / "net.onnx").write_bytes(redness())
    drawn = Image.fromarray(ball()[0][..., ::-1])
    drawn.resize((drawn.width * 2, drawn.height * 2)).save(tmp_path / "ball.png")
    asked = ["plan", "--prompt", "it rolls", "--image", "ball.png", "--json"]
    kept = tmp_path / "home" / "drafts" / "cache"
    methods = {}
    for name, environ in (("with", {"KLINGO1_CUTOUT_MODEL": str(tmp_path / "net.onnx")}), ("without", {})):
        code, _, err = run(*asked, **environ)
        assert code == 0, err
        (entry,) = kept.glob("*.npz")
        with np.load(entry) as cutout:
            methods[name] = json.loads(cutout["facts"].tobytes())["method"], cutout["view0"].shape
        entry.unlink()
    assert methods["with"][0] == "sticker"
    assert abs(methods["with"][1][0] - 256) < 24
    assert methods["with"] != methods["without"]


def test_a_draft_is_made_and_described_as_one_json_object(run, picture, tmp_path):
    """`generate --json` prints exactly one object, and the file it names is a draft of exact length."""
    code, out, err = run(
        "generate", "--image", str(picture), "--prompt", "a calm walk", "--duration", "3",
        "--aspect-ratio", "1:1", "--output", "out/clip.mp4", "--json", own=True,
    )  # fmt: skip
    assert code == 0, err
    result = json.loads(out)
    assert (result["state"], result["engine"], result["price"]) == ("done", "draft", 0)
    with av.open(str(tmp_path / "out" / "clip.mp4")) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 72
        assert (clip.streams.video[0].width, clip.streams.video[0].height) == (960, 960)
        assert json.loads(clip.metadata["comment"])["draft"] is True


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["--prompt", "", "--image", "PICTURE"], "prompt"),
        (["--prompt", "x" * 2501, "--image", "PICTURE"], "prompt"),
        (["--prompt", "walk", *["--image", "PICTURE"] * 8], "images"),
        (["--prompt", "walk", *["--image", "PICTURE"] * 5, "--video", "https://e.com/v.mp4"], "images"),
        (["--prompt", "walk", "--image", "PICTURE", "--duration", "2"], "duration"),
        (["--prompt", "walk", "--image", "PICTURE", "--duration", "4.5"], "duration"),
        (["--prompt", "walk", "--image", "PICTURE", "--duration", "eleven"], "duration"),
        (["--prompt", "walk", "--image", "PICTURE", "--aspect-ratio", "4:3"], "aspect_ratio"),
        (["--prompt", "walk", "--image", "missing.png"], "images[0]"),
        (["--prompt", "walk", "--image", "SMALL"], "images[0]"),
        (["--prompt", "walk", "--image", "TEXT"], "images[0]"),
        (["--prompt", "walk", "--image", "PICTURE", "--engine", "kling"], "yes"),
    ],
)
def test_wrong_input_names_field_limit_and_remedy_and_exits_with_2(run, picture, tmp_path, words, field):
    """Nothing is made, and a script learns which field was wrong."""
    small, text = draw_picture(tmp_path / "small.png", size=(256, 400)), tmp_path / "notes.png"
    text.write_text("no picture")
    names = {"PICTURE": str(picture), "SMALL": str(small), "TEXT": str(text)}
    code, out, _ = run("generate", *[names.get(word, word) for word in words], "--json")
    error = json.loads(out)["error"]
    assert code == 2
    assert error["field"] == field
    assert error["reason"]
    assert error["remedy"]


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [(401, "bad key", 3), (402, "no credit", 3), (400, "prompt rejected", 3)],
)
def test_what_the_service_refuses_exits_with_3(run, picture, status, message, code):
    """A refused submit is told apart from a failed run."""
    with FaultServer(faults={"submit": [Reply(status, {"code": status, "message": message})]}) as server:
        words = [
            "generate",
            "--image",
            str(picture),
            "--prompt",
            "walk",
            "--engine",
            "kling",
            "--yes",
            "--json",
        ]
        exit_code, out, _ = run(*words, server=server)
        assert exit_code == code
        assert json.loads(out)["money"] == "released"


def test_what_fails_there_exits_with_4(run, picture):
    """A task that the service accepted and failed."""
    with FaultServer(script=[{"status": "failed", "error": "moderation"}]) as server:
        words = [
            "generate",
            "--image",
            str(picture),
            "--prompt",
            "walk",
            "--engine",
            "kling",
            "--yes",
            "--json",
        ]
        code, out, _ = run(*words, server=server)
        assert code == 4
        assert json.loads(out)["problem"]["text"] == "moderation"


def test_no_key_and_a_reached_budget_exit_with_3_and_send_nothing(run, picture):
    """The paid engine without a key, and a cap without room, are refused here."""
    words = [*paid(picture), "--json"]
    code, out, _ = run(*words)
    assert (code, json.loads(out)["error"]["type"]) == (3, "KeyMissing")
    with FaultServer() as server:
        code, out, _ = run(*words, server=server, KLINGO1_BUDGET_RUN="0.50")
        assert (code, json.loads(out)["error"]["type"]) == (3, "BudgetReached")
        assert server.requests == []


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_says_how_to_come_back_and_resume_finishes(run, picture):
    """An interrupted run keeps its id; `resume` fetches the video, and it is billed once."""
    with FaultServer(faults={"result": [Reply(502)] * 3}) as server:
        process = run(*paid(picture), server=server, wait=False)
        until = time.monotonic() + 60
        while not any(seen.route == "result" for seen in server.requests):
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        job_id = err.split("klingo1 resume ")[1].split()[0]
        code, out, err = run("resume", job_id, "--output", "back.mp4", "--json", server=server, own=True)
        assert code == 0, err
        assert json.loads(out)["video"] == "back.mp4"
        assert server.billed == 1


def test_resume_takes_a_bare_prediction_id(run, picture, tmp_path):
    """A prediction that another computer submitted can be fetched here."""
    with FaultServer() as server:
        words = [
            "generate",
            "--image",
            str(picture),
            "--prompt",
            "walk",
            "--engine",
            "kling",
            "--yes",
            "--json",
        ]
        _, out, _ = run(*words, server=server)
        prediction = json.loads(out)["prediction_id"]
        elsewhere = {"KLINGO1_HOME": str(tmp_path / "elsewhere")}
        code, out, err = run("resume", prediction, "--json", server=server, **elsewhere)
        assert code == 0, err
        assert json.loads(out)["prediction_id"] == prediction
        assert server.billed == 1


def test_jobs_show_and_spend_read_the_ledger(run, picture):
    """What was done can be listed, shown whole, and summed by day."""
    with FaultServer() as server:
        words = [
            "generate",
            "--image",
            str(picture),
            "--prompt",
            "a [red] walk",
            "--engine",
            "kling",
            "--yes",
        ]
        run(*words, "--duration", "3", server=server)
    _, out, _ = run("jobs", "--json")
    (job,) = json.loads(out)["jobs"]
    assert (job["prompt"], job["price"], job["money"]) == ("a [red] walk", 336_000, "spent")
    assert "a [red] walk" in run("jobs")[1]
    assert json.loads(run("show", job["id"], "--json")[1])["details"]["code"] == 200
    (day,) = json.loads(run("jobs", "--spend", "--json")[1])["days"]
    assert day["spent"] == 336_000
    code, out, _ = run("show", "nothing", "--json")
    assert (code, json.loads(out)["error"]["type"]) == (2, "JobNotFound")


def test_price_and_check_answer_without_a_home(run, picture, tmp_path):
    """Two questions that need neither key nor ledger."""
    assert json.loads(run("price", "--duration", "10", "--video", "--json")[1])["micro_dollars"] == 1_680_000
    assert run("price")[1].strip() == "$0.56"
    small = draw_picture(tmp_path / "small.png", size=(299, 299))
    twin = draw_picture(tmp_path / "twin.jpg")
    code, out, _ = run("check", str(picture), str(small), str(twin), "--json")
    good, bad, again = json.loads(out)["images"]
    assert (code, good["ok"], bad["ok"], again["ok"]) == (2, True, False, True)
    assert "299" in bad["notes"][0]
    assert again["notes"][-1] == "Almost the same as picture 1."


def test_serve_prints_its_base_url_and_takes_any_key_or_only_one(run):
    """The service answers on a free port; with --api-key it answers that key alone."""
    import httpx

    for extra, key, status in ([], "anything", 200), (["--api-key", "only-this"], "another", 401):
        process = run("serve", "--port", "0", *extra, wait=False)
        try:
            url = process.stdout.readline().strip()
            answer = httpx.get(f"{url}/api/v3/balance", headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == status
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_a_service_that_never_answers_is_waited_for(run, picture):
    """No deadline of ours ends a running task: the command is still waiting when it is stopped."""
    with FaultServer(faults={"result": Always(Reply(502))}) as server:
        process = run(*paid(picture), server=server, wait=False)
        time.sleep(6)
        assert process.poll() is None
        process.kill()
        process.communicate(timeout=30)


def test_a_person_says_that_a_lost_run_was_not_billed(run, open_studio):
    """Where nobody can look it up, the ways on are commands to copy, and one of them gives the hold back."""
    with FaultServer(faults={"submit": [Close(billed=False)], "list": Always(Reply(404))}) as server:
        studio = open_studio(server)
        request = VideoRequest(prompt="lost", images=("https://example.com/a.jpg",), duration=3)
        job = studio.submit(request, engine="kling")
        while not studio.job(job.id).problem:
            time.sleep(0.01)
        studio.close()
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            Report(False).ended(studio_job := job_of(studio, job.id), None)
        assert f"python -m klingo1 resume {job.id} --not-billed" in said.getvalue()
        assert studio_job.money is Money.HELD
        code, out, _ = run("jobs", COLUMNS="60")
        assert (code, job.id in out) == (0, True)
        code, _, err = run("resume", job.id, "--not-billed", server=server)
        assert (code, err.strip()) == (0, "Nothing was billed; the $0.336 is free again.")
        assert server.billed == 0


def job_of(studio, job_id):
    """A job of a studio that is closed."""
    book = Ledger(studio.settings.home / "klingo1.sqlite3", home=studio.settings.home)
    try:
        return book.job(job_id)
    finally:
        book.close()


def test_resume_scan_lists_what_is_missing_here(run, picture, tmp_path):
    """Runs of the key that another computer started are listed with their ids, and one can be fetched."""
    with FaultServer() as server:
        code, out, err = run(*paid(picture, "from afar"), "--json", server=server)
        assert code == 0, err
        elsewhere = {"KLINGO1_HOME": str(tmp_path / "elsewhere")}
        code, out, err = run("resume", "--scan", "--json", server=server, **elsewhere)
        assert code == 0, err
        (lost,) = json.loads(out)["lost"]
        assert (lost["prompt"], lost["status"]) == ("from afar", "completed")
        code, out, err = run("resume", lost["id"], "--json", server=server, **elsewhere)
        assert code == 0, err
        code, out, _ = run("resume", "--scan", server=server, **elsewhere)
        assert code == 0
        assert "Nothing is missing" in out
        assert server.billed == 1
        code, _, _ = run("resume", server=server, **elsewhere)
        assert code == 2
