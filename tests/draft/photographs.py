"""Real photographs for tests: found inside installed packages, with outlines drawn by hand."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

OUTLINES = tomllib.loads((Path(__file__).parent / "masks" / "outlines.toml").read_text())


def photograph(name, folder):
    """A test photograph as a file, or None when the package that carries it is not installed."""
    source = OUTLINES[name]
    if source["from"] == "skimage":
        return bundled(name, folder)
    spec = importlib.util.find_spec(source["from"])
    path = Path(spec.origin).parent / source["file"] if spec and spec.origin else None
    if path is None or not path.exists():
        return None
    return _frame(path, source["frame"], folder / f"{name}.png") if "frame" in source else path


def bundled(name, folder):
    """One of scikit-image's pictures as a file, or None without that package."""
    if importlib.util.find_spec("skimage") is None:
        return None
    from skimage import data  # perhaps absent

    path = folder / f"{name}.png"
    loaded = {"motorcycle_left": lambda: data.stereo_motorcycle()[0]}.get(name) or getattr(data, name)
    Image.fromarray(loaded()).save(path)
    return path


def _frame(video, number, path):
    with av.open(video) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                frame.to_image().save(path)
                return path
    return None


def outline(name, shape):
    """The subject as drawn by hand: H×W bool."""
    height, width = shape
    points = np.array(OUTLINES[name]["outline"]).reshape(-1, 2) * [width / 100, height / 100]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [points.round().astype(int)], 255)
    return mask > 0


def placed(cutout, side=480):
    """Where the cut-out's view lies in the plate, found by matching both at a small size: the kept pixels as
    H×W bool, `side` pixels at most.
    """
    scale = min(1.0, side / max(cutout.plate.shape[:2]))
    view, plate = (
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for picture in (cutout.views[0].pixels[2:-2, 2:-2], cutout.plate)
    )
    pad = 24
    plate = cv2.copyMakeBorder(plate, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    # The middle of the alpha is the subject itself; the rim is the sticker's white outline.
    width = max(2, round(0.018 * max(view.shape[:2])))
    solid = cv2.erode(
        (view[..., 3] > 200).astype(np.uint8), np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    )
    score = cv2.matchTemplate(plate, view[..., :3].copy(), cv2.TM_SQDIFF, mask=cv2.merge([solid] * 3))
    x, y = cv2.minMaxLoc(score)[2]
    white = (view[..., :3].min(axis=2) > 245) & (solid == 0)
    kept = np.zeros(plate.shape[:2], bool)
    kept[y : y + view.shape[0], x : x + view.shape[1]] = (view[..., 3] > 127) & ~white
    return kept[pad:-pad, pad:-pad]
