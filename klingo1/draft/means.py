"""What an installation brings to every look at a picture; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from klingo1.settings import Settings


@dataclass(frozen=True, slots=True)
class Means:
    """What looking may use: a folder that keeps cut-outs, the folder of what people said about pictures
    (None where nothing is remembered), and an ONNX network that cuts photographs.
    """

    cache: Path | None = None
    corrections: Path | None = None
    model: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> Means:
        """Those of this installation's drafts; strangers' words are not remembered for other strangers."""
        drafts = settings.home / "drafts"
        corrections = None if settings.hosted else drafts / "corrections"
        return cls(drafts / "cache", corrections, settings.cutout_model)
