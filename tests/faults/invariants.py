"""What must hold after every fault, kill and click, in one place.

A click is told by its prompt, so a test gives every click a prompt of its own.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

from faults.server import FaultServer

from klingo1.job import Job, Money, State
from klingo1.ledger import Ledger
from klingo1.uploads import sent_references

CANARY = "wsk_canary_0123456789"
_FIELDS = {"prompt", "images", "video", "keep_original_sound", "aspect_ratio", "duration"}
"""What the contract knows: sizes, roles and masks of a draft are nobody else's business."""
_WITHOUT_KEY = {"put", "media", "download", "other"}


def clicks_billed(server: FaultServer) -> Counter[str]:
    """Bills by click."""
    bills: Counter[str] = Counter()
    for body, count in server.bills.items():
        bills[json.loads(body)["prompt"]] += count
    return bills


def check_invariants(server: FaultServer, studio, *, log: str = "") -> list[Job]:
    """Close the studio and look at everything: bills, money, ids, secrets, sockets. Returns all jobs."""
    studio.close()
    home, caps = studio.settings.home, studio.settings
    book = Ledger(home / "klingo1.sqlite3", home=home)
    try:
        jobs = book.jobs(owner=None, limit=100_000)
        records = {job.id: book.record(job.id) for job in jobs}
        days = book.spending()
    finally:
        book.close()
    _check_bills(server, jobs, records)
    for day, amounts in days:
        counted = amounts.get(Money.HELD, 0) + amounts.get(Money.SPENT, 0)
        assert caps.budget_day is None or counted <= caps.budget_day, f"{day}: {counted}"
    _check_secrets(server, home, jobs, log)
    _check_sockets(server)
    return jobs


def _check_bills(server: FaultServer, jobs: list[Job], records) -> None:
    twice = {click: count for click, count in clicks_billed(server).items() if count > 1}
    assert not twice, f"billed more than once: {twice}"
    assert all(set(json.loads(body)) <= _FIELDS for body in server.bills), "no field of the API"
    owners = Counter(job.prediction_id for job in jobs if job.prediction_id)
    assert not [p for p, count in owners.items() if count > 1], "one prediction in two runs"
    open_submits = [
        sent_references(job, records[job.id].uploads)
        for job in jobs
        if job.state in {State.SUBMITTING, State.UNKNOWN}
    ]
    for task in server.service.tasks.values():
        named = set(task.body.get("images", []))
        reachable = any(set(references) & named for references in open_submits)
        assert task.id in owners or reachable, f"{task.id} is billed and lost: {task.body['prompt']}"
    for job in jobs:
        task = server.service.tasks.get(job.prediction_id)
        if task is not None and job.price.micro and job.state not in {State.FAILED, State.RUNNING}:
            assert job.money in {Money.HELD, Money.SPENT}, f"{job.state}: billed but {job.money}"
        if job.state is State.DONE:
            assert job.video is not None
            assert job.video.read_bytes() == server.service.film


def _check_secrets(server: FaultServer, home: Path, jobs: list[Job], log: str) -> None:
    assert CANARY not in log
    assert "X-Amz-Signature" not in log
    for job in jobs:
        assert job.request.prompt not in log, "a prompt in the log"
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert CANARY.encode() not in content, f"the key is in {file.name}"
            if not file.name.startswith("klingo1.sqlite3"):
                assert not any(job.request.prompt.encode() in content for job in jobs), file.name
    for seen in server.requests:
        if seen.route in _WITHOUT_KEY:
            assert CANARY not in str(seen.headers) + seen.path, f"the key went to {seen.route}"


def _check_sockets(server: FaultServer) -> None:
    until = time.monotonic() + 3
    while server.open_connections and time.monotonic() < until:
        time.sleep(0.005)
    assert server.open_connections == 0, "sockets are left open"
