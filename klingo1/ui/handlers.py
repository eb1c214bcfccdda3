"""What the page does, without widgets: plain values in, plain values out.

Everything that arrives here may come from anyone who can reach the server, so every field is checked again
and every job is looked up together with its owner.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from klingo1.clips import check_clip_url
from klingo1.deliver import shown
from klingo1.errors import Busy, InvalidRequest, KlingoError
from klingo1.pricing import MICRO, Price
from klingo1.references import Picture, advise_on_set
from klingo1.request import (
    DRAFT_SIZES,
    GUESS,
    ROLES,
    VIEWS,
    DraftOptions,
    Engine,
    VideoRequest,
    check_image_count,
)
from klingo1.ui.handout import asked_pictures, received_file
from klingo1.ui.library import DESK_OWNER
from klingo1.ui.lost import LostRuns
from klingo1.ui.views import job_view, state_view
from klingo1.ui.words import Notice, notice_of
from klingo1.visitors import is_token

__all__ = ["DESK_OWNER", "Form", "Handlers"]
_log = logging.getLogger(__name__)
JUDGED_MAX = 20
"""Pictures looked at for one question: more than a form holds, also while too many are in it."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the page's fields hold, as the browser sent it."""

    pictures: Sequence[Mapping[str, Any]] = ()
    clip: Mapping[str, Any] = field(default_factory=dict)
    prompt: Any = ""
    duration: Any = None
    aspect: Any = ""
    engine: Any = Engine.DRAFT.value
    size: Any = DRAFT_SIZES[0]

    def read_engine(self) -> Engine:
        """The engine. Raises InvalidRequest for a name that is none."""
        try:
            return Engine(self.engine)
        except ValueError as error:
            raise InvalidRequest("engine", "There is no such engine.", "Choose draft or kling.") from error

    def read_request(self) -> VideoRequest:
        """The request with every field checked; the studio opens the files. Raises InvalidRequest."""
        engine = self.read_engine()
        video = self._read_clip(engine)
        check_image_count(len(self.pictures), with_video=video is not None)
        return VideoRequest(
            prompt=self.prompt,
            images=tuple(Path(p["path"]) for p in self.pictures),
            video=video,
            keep_original_sound=self.clip.get("keep_sound", True),
            aspect_ratio=self.aspect,
            duration=self.duration,
            draft=self.read_wishes(),
        )

    def read_wishes(self) -> DraftOptions:
        """What only the draft engine understands; of what is unknown, nothing is left."""
        roles = tuple(r if (r := p.get("role", "")) in {*ROLES, GUESS} else "" for p in self.pictures)
        views = tuple(v if (v := p.get("view", "")) in {*VIEWS, GUESS} else "" for p in self.pictures)
        masks = tuple(Path(m) if (m := p.get("mask")) else None for p in self.pictures)
        groups = tuple(g if type(g := p.get("group")) is int and g > 0 else 0 for p in self.pictures)
        return DraftOptions(
            size=self.size,
            roles=roles,
            views=views if any(views) else (),
            masks=masks if any(masks) else (),
            groups=groups if any(groups) else (),
        )

    def _read_clip(self, engine: Engine) -> Path | str | None:
        if path := self.clip.get("path"):
            return Path(path)
        url = str(self.clip.get("url") or "").strip()
        if not url:
            return None
        check_clip_url(url, engine=engine)
        return url


class Handlers(LostRuns):
    """The page's behaviour over one studio."""

    # -- who and where

    def arrive(self, browser: object, username: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
        """A page was opened: (what the browser keeps, the session). `username` is one that the host has
        verified, "" for a visitor who is not signed in.

        Shows the job that was shown last, else one that still goes on.
        """
        memory = browser if isinstance(browser, Mapping) else {}
        kept = self._seated(memory, username)
        owner = self.owner_of(kept)
        job = self._find(memory.get("job"), owner) or next(
            (job for job in self._studio.jobs(owner=owner, limit=5) if not job.state.ended), None
        )
        job_id = job.id if job else ""
        session = self._session(kept["owner"], job_id)
        if self._studio.settings.offers_sign_in:
            session |= {"user": username}
        return kept | {"job": job_id}, session

    def _seated(self, memory: Mapping[str, Any], username: str) -> dict[str, str]:
        """By which token a browser goes, and which one it returns to after signing out."""
        own = memory if is_token(memory.get("owner")) else {"owner": memory.get("visitor")}
        if not username or not self._hosted:
            return {"owner": self.token_of(own)}
        return {"owner": self._studio.pass_of(self._studio.sign_in(username)), "visitor": self.token_of(own)}

    # -- clicks (reached through Gradio events only, because they may spend)

    def submit(self, form: Form, click: object, browser: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Generate was clicked."""
        return self._start(lambda: (form.read_request(), form.read_engine()), click, browser)

    def promote(self, click: object, browser: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """A finished draft is to be made with the paid engine, from its own inputs."""
        owner = self.owner_of(browser)
        job_id = click.get("job") if isinstance(click, Mapping) else ""

        def read() -> tuple[VideoRequest, Engine]:
            return self._studio.job(str(job_id), owner=owner).request, Engine.KLING

        return self._start(read, click, browser)

    def resume(self, click: object, browser: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """A job that waits for a person is to go on."""
        job_id = str(click.get("job", "")) if isinstance(click, Mapping) else ""
        notices = []
        try:
            self._studio.resume(job_id, owner=self.owner_of(browser))
        except KlingoError as error:
            notices = [notice_of(error)]
        return self._answer(browser, self.token_of(browser), job_id, notices)

    def _start(
        self, read: Callable[[], tuple[VideoRequest, Engine]], click: object, browser: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        token = self.token_of(browser)
        owner = self.owner_of({"owner": token})
        shown = str(browser.get("job", "")) if isinstance(browser, Mapping) else ""
        values = click if isinstance(click, Mapping) else {}
        notices: list[Notice] = []
        started = False
        try:
            request, engine = read()
            job = self._studio.submit(
                request,
                engine=engine,
                owner=owner,
                quote=str(values.get("quote") or ""),
                expected=_price_shown(values.get("expected")),
            )
            shown, started = job.id, True
        except KlingoError as error:
            notices = [notice_of(error)]
        except Exception as error:
            # The type alone: messages may hold a visitor's words.
            _log.error("a click could not be served: %s", type(error).__name__)
            notices = [notice_of(error)]
        return self._answer(browser, token, shown, notices, started=started)

    # -- reads and safe changes (server functions: they never spend)

    def status(self, asked: object) -> dict[str, Any] | None:
        """The view of one job, or None when this owner has no such job. With `usual`, which a page asks once
        a job, one that goes on also tells how long earlier ones took: [low, high, runs], None for a few.
        """
        owner, values = self._asked(asked)
        job = self._find(values.get("job"), owner)
        if job is None:
            return None
        ahead = self._studio.place_in_line(job)
        view = job_view(job, now=self._clock(), publish=self._publish, ahead=ahead)
        if values.get("usual") and job.goes_on:
            view["usual"] = (usual := self._studio.usual(job)) and [usual.low, usual.high, usual.runs]
        return view

    def stop(self, asked: object) -> dict[str, Any] | None:
        """Stop a draft, or stop waiting for the paid engine."""
        owner, values = self._asked(asked)
        try:
            job = self._studio.stop(str(values.get("job") or ""), owner=owner)
        except KlingoError:
            return None
        return job_view(job, now=self._clock(), publish=self._publish)

    def give_key(self, asked: object) -> dict[str, Any]:
        """Check a key and keep it in memory; tells the wallet's balance."""
        owner, values = self._asked(asked)
        try:
            micro = self._studio.give_key(owner, str(values.get("key") or "")[:400])
        except KlingoError as error:
            return {"ok": False, **notice_of(error).as_json()}
        return {"ok": True, "balance": f"${micro / MICRO:,.2f}"}

    def forget_key(self, asked: object) -> dict[str, Any]:
        """Forget this owner's key."""
        owner, _ = self._asked(asked)
        self._studio.forget_key(owner)
        return {"ok": True, "has_key": self._studio.has_key(owner)}

    # -- pictures, before anything is spent

    def judge(self, pictures: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Notes on each picture by its path: what the service would refuse, and advice."""
        notes: dict[str, list[dict[str, Any]]] = {}
        found: list[Picture | None] = []
        for picture in pictures[:JUDGED_MAX]:
            path = picture["path"]
            try:
                looked_at = self._studio.intake.check_picture(Path(path))
            except Busy:
                break  # what was not looked at now is looked at when it is sent
            except InvalidRequest as error:
                notes[path] = [{"kind": "refused", "text": error.reason, "remedy": error.remedy}]
                found.append(None)
                continue
            notes[path] = [{"kind": a.kind, "text": a.text} for a in looked_at.advice]
            found.append(looked_at)
        for index, advice in advise_on_set(found, [p.get("role", "") for p in pictures]):
            notes[pictures[index]["path"]].append({"kind": advice.kind, "text": advice.text})
        return notes

    def judge_received(self, asked: object, *, received: Path) -> dict[str, Any]:
        """As `judge`, for `{"pictures": [{path, role}]}` as a browser sends it: only files that lie in the
        folder `received` are opened.
        """
        pictures = [
            {"path": str(one["path"]), "role": str(one.get("role") or "")}
            for one in asked_pictures(asked, JUDGED_MAX)
            if received_file(one.get("path"), received)
        ]
        return self.judge(pictures)

    # -- the public interface

    async def generate(self, form: Form) -> AsyncIterator[tuple[dict[str, Any], Path | None]]:
        """Start a job and stream its states; the last one comes with the video. Raises KlingoError."""
        owner = self.owner_of({"owner": self.token_of(None)})
        job = self._studio.submit(form.read_request(), engine=form.read_engine(), owner=owner)
        yield state_view(job), None
        async for change in self._studio.watch(job.id, owner=owner):
            job = change
            yield state_view(job), shown(job)

    # -- parts

    def _answer(
        self, browser: object, token: str, job_id: str, notices: Sequence[Notice], *, started: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the browser keeps after a click, and the session."""
        visitor = browser.get("visitor") if isinstance(browser, Mapping) else None
        kept = {"owner": token, "job": job_id} | ({"visitor": visitor} if is_token(visitor) else {})
        return kept, self._session(token, job_id, notices, started=started)

    def _session(
        self, token: str, job_id: str, notices: Sequence[Notice] = (), *, started: bool = False
    ) -> dict[str, Any]:
        owner = self.owner_of({"owner": token})
        return {
            "owner": token,
            "job": job_id,
            "quote": self._studio.new_quote(owner),
            "has_key": self._studio.has_key(owner),
            "lent": self._studio.lends_key(owner),
            "sign_in": self._studio.settings.lends and not self._studio.lends_key(owner),
            "hosted": self._hosted,
            "problems": [notice.as_json() for notice in notices],
            "started": started,
            "turn": secrets.token_hex(4),
        }


def _price_shown(value: object) -> Price | None:
    """The price on the button that was clicked; anything but a whole number counts as not shown."""
    return Price(value) if isinstance(value, int) and not isinstance(value, bool) else None
