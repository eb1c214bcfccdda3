"""The only reader of the environment: WAVESPEED_*, KLINGO1_*, SPACE_ID, and a `.env` in the working folder.

Read once, into a frozen value whose `repr` hides the key. Unknown KLINGO1_ names are an error with a
suggestion, so a misspelt cap never silently means "no cap".
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

import dotenv
import platformdirs

from klingo1.errors import SettingsError
from klingo1.pricing import MICRO

DEFAULT_BASE_URL = "https://api.wavespeed.ai"
MENTION_FORMS = ("kling", "at", "plain")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})
_KNOWN = (
    "KLINGO1_HOME",
    "KLINGO1_DATABASE_URL",
    "KLINGO1_FILES",
    "KLINGO1_BUDGET_RUN",
    "KLINGO1_BUDGET_DAY",
    "KLINGO1_BUDGET_VISITOR_DAY",
    "KLINGO1_HOSTED",
    "KLINGO1_MENTION_FORM",
    "KLINGO1_DRAFT_WORKERS",
    "KLINGO1_DRAFT_PARTS",
    "KLINGO1_DRAFT_QUEUE",
    "KLINGO1_PAID",
    "KLINGO1_SIGN_IN",
    "KLINGO1_KEEP_DAYS",
    "KLINGO1_QUOTA_GB",
    "KLINGO1_PROXIES",
    "KLINGO1_HOSTS",
    "KLINGO1_CUTOUT_MODEL",
    "KLINGO1_MCP_FOLDER",
)
CLUSTER_AHEAD = 64
_HOSTED_DAYS, _HOSTED_QUOTA = 7, 20
_NICENESS, _HOSTED_NICENESS = 10, 19
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set from outside. Budgets are micro-dollars; None means no cap."""

    home: Path
    api_key: str = field(default="", repr=False)
    base_url: str = DEFAULT_BASE_URL
    database_url: str = field(default="", repr=False)
    files: str = field(default="", repr=False)
    """Where replicas with homes of their own share the files of runs, as an fsspec address."""
    budget_run: int | None = None
    budget_day: int | None = None
    budget_visitor_day: int | None = None
    hosted: bool = False
    mention_form: str = "kling"
    draft_workers: int = 1
    """Films that are rendered at once; on a cluster, how many it is given ahead."""
    draft_cluster: str = ""
    """The scheduler of a Dask cluster that renders drafts, as tcp://host:port."""
    draft_parts: int = 1
    """Parts that a cluster makes of one film side by side."""
    draft_niceness: int = _NICENESS
    """How far a rendering process stands back, in steps of nice, so that the page answers while every core is
    rendering. A crowd's page needs the most; at a desk, where other programs have work too, a film would
    hardly go on then.
    """
    draft_queue: int = 40
    """Drafts that may wait or be made at once, all visitors together; counts where `hosted`."""
    paid: bool = True
    """The host's switch for all paid runs."""
    sign_in: bool = False
    """Visitors of a Space may sign in and pay with `api_key` then; all others with their own key."""
    keep_days: int | None = None
    """Ended runs older than that are deleted; None keeps them."""
    quota: int | None = None
    """Bytes that the home folder may take; None means no limit."""
    proxies: int = 0
    """Reverse proxies in front of the page, whose X-Forwarded-For entries are believed."""
    hosts: tuple[str, ...] = ()
    """Host names under which a desk's page may be asked for, besides addresses and localhost."""
    cutout_model: Path | None = None
    """An ONNX network of the U²-Net family that cuts photographs for drafts."""
    mcp_folder: Path | None = None
    """The one folder whose files programs may use as references over MCP; None lends none."""
    on_space: bool = False
    cache: Path | None = None
    """Gradio's folder for uploads and shown files, when it is not in the system's temporary folder."""

    @property
    def upload_folder(self) -> Path:
        """Gradio's cache: uploads, and what is shown. Nothing in it is ever written to twice."""
        return self.cache or Path(tempfile.gettempdir()) / "gradio"

    @property
    def offers_sign_in(self) -> bool:
        """Whether visitors may sign in: only a Space can say who they are."""
        return self.hosted and self.on_space and self.sign_in

    @property
    def lends(self) -> bool:
        """Whether those who sign in may use this server's key."""
        return self.offers_sign_in and bool(self.api_key)

    @classmethod
    def read(cls, environ: Mapping[str, str], *, dotenv_file: Path | None = None) -> Settings:
        """Settings from `environ`, completed from `dotenv_file` where it exists; `environ` wins.

        Raises SettingsError naming the variable.
        """
        filed = dotenv.dotenv_values(dotenv_file) if dotenv_file and dotenv_file.is_file() else {}
        values = {k: v for k, v in filed.items() if v is not None} | dict(environ)
        _refuse_unknown(values)
        home = values.get("KLINGO1_HOME", "").strip()
        cache = values.get("GRADIO_TEMP_DIR", "").strip()
        on_space = bool(values.get("SPACE_ID"))
        hosted = _flag(values, "KLINGO1_HOSTED", default=on_space)
        keep_days = _count(
            values, "KLINGO1_KEEP_DAYS", default=_HOSTED_DAYS if hosted else 0, least=0, most=3650
        )
        quota = _count(
            values, "KLINGO1_QUOTA_GB", default=_HOSTED_QUOTA if hosted else 0, least=0, most=100_000
        )
        cluster = _scheduler(values, "KLINGO1_DRAFT_WORKERS")
        settings = cls(
            home=Path(home).expanduser().absolute()
            if home
            else Path(platformdirs.user_data_dir("klingo1", False)),
            api_key=values.get("WAVESPEED_API_KEY", "").strip(),
            base_url=_origin(values.get("WAVESPEED_BASE_URL", "").strip() or DEFAULT_BASE_URL),
            database_url=values.get("KLINGO1_DATABASE_URL", "").strip(),
            files=_address(values, "KLINGO1_FILES"),
            budget_run=_dollars(values, "KLINGO1_BUDGET_RUN"),
            budget_day=_dollars(values, "KLINGO1_BUDGET_DAY"),
            budget_visitor_day=_dollars(values, "KLINGO1_BUDGET_VISITOR_DAY"),
            hosted=hosted,
            mention_form=_choice(values, "KLINGO1_MENTION_FORM", MENTION_FORMS),
            draft_workers=CLUSTER_AHEAD if cluster else _count(values, "KLINGO1_DRAFT_WORKERS", default=1),
            draft_cluster=cluster,
            draft_parts=_count(values, "KLINGO1_DRAFT_PARTS", default=1, most=8),
            draft_niceness=_HOSTED_NICENESS if hosted else _NICENESS,
            draft_queue=_count(values, "KLINGO1_DRAFT_QUEUE", default=40, most=200),
            paid=_flag(values, "KLINGO1_PAID", default=True),
            sign_in=_flag(values, "KLINGO1_SIGN_IN", default=False),
            keep_days=keep_days or None,
            quota=quota * _GIB or None,
            proxies=_count(values, "KLINGO1_PROXIES", default=int(on_space), least=0, most=8),
            hosts=tuple(values.get("KLINGO1_HOSTS", "").replace(",", " ").lower().split()),
            cutout_model=_file(values, "KLINGO1_CUTOUT_MODEL"),
            mcp_folder=_folder(values, "KLINGO1_MCP_FOLDER"),
            on_space=on_space,
            cache=Path(cache).absolute() if cache else None,
        )
        _refuse_open_purse(settings)
        _refuse_closed_door(settings, values)
        return settings


def _refuse_unknown(values: Mapping[str, str]) -> None:
    for name in values:
        if name.startswith("KLINGO1_") and name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" Known are {', '.join(_KNOWN)}."
            raise SettingsError(f"{name} is not a setting of klingo1.{hint}", variable=name)


def _refuse_open_purse(settings: Settings) -> None:
    """A key that strangers spend has limits, or it is not lent at all."""
    if settings.hosted and settings.sign_in and settings.api_key:
        for name, cap in (
            ("KLINGO1_BUDGET_DAY", settings.budget_day),
            ("KLINGO1_BUDGET_VISITOR_DAY", settings.budget_visitor_day),
        ):
            if cap is None:
                raise SettingsError(
                    f"KLINGO1_SIGN_IN lends this server's key: set {name} too.", variable=name
                )


def _refuse_closed_door(settings: Settings, values: Mapping[str, str]) -> None:
    """Sign-in on a Space needs what Hugging Face gives to Spaces that ask for it."""
    if settings.on_space and settings.sign_in and not values.get("OAUTH_CLIENT_ID"):
        raise SettingsError(
            "KLINGO1_SIGN_IN needs `hf_oauth: true` in the front matter of the Space's README.md.",
            variable="KLINGO1_SIGN_IN",
        )


def _origin(url: str) -> str:
    """The service's origin: `…/api/v3`, as some programs name it, is cut off."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise SettingsError(
            "WAVESPEED_BASE_URL must be an http(s) address such as https://api.wavespeed.ai.",
            variable="WAVESPEED_BASE_URL",
        )
    return url.rstrip("/").removesuffix("/api/v3").rstrip("/")


def _dollars(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name, "").strip().removeprefix("$")
    if not text:
        return None
    try:
        amount = Decimal(text) * MICRO
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise SettingsError(f"{name} must be an amount in US dollars, such as 5 or 2.50.", variable=name)
    return int(amount)


def _flag(values: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = values.get(name, "").strip().lower()
    if name not in values:
        return default
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise SettingsError(f"{name} must be 1 or 0.", variable=name)


def _choice(values: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = values.get(name, "").strip().lower() or choices[0]
    if text not in choices:
        raise SettingsError(f"{name} must be one of {', '.join(choices)}.", variable=name)
    return text


def _scheduler(values: Mapping[str, str], name: str) -> str:
    """The address of a cluster's scheduler, where the value is one; "" for anything else."""
    text = values.get(name, "").strip()
    if "://" not in text:
        return ""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"tcp", "tls"} and parts.hostname and parts.port
    except ValueError:  # a port that is no number
        whole = None
    if not whole or parts.username or parts.path.strip("/") or parts.query:
        raise SettingsError(
            f"{name} must be a whole number, or a scheduler's address such as tcp://scheduler:8786.",
            variable=name,
        )
    return text.rstrip("/")


def _address(values: Mapping[str, str], name: str) -> str:
    text = values.get(name, "").strip()
    if text and not urlsplit(text).scheme:
        raise SettingsError(
            f"{name} must be an address such as file:///shared or s3://bucket/klingo1.", variable=name
        )
    return text


def _file(values: Mapping[str, str], name: str) -> Path | None:
    text = values.get(name, "").strip()
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise SettingsError(f"{name} must name a file that is there.", variable=name)
    return path


def _folder(values: Mapping[str, str], name: str) -> Path | None:
    text = values.get(name, "").strip()
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    if not path.is_dir():
        raise SettingsError(f"{name} must name a folder that is there.", variable=name)
    return path


def _count(values: Mapping[str, str], name: str, *, default: int, least: int = 1, most: int = 64) -> int:
    text = values.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal()) or not least <= int(text[:9]) <= most:
        raise SettingsError(f"{name} must be a whole number from {least} to {most}.", variable=name)
    return int(text)
