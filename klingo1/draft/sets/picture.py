"""A photograph as the place: folded at its ground line into a far wall and a floor that people stand on.

A picture that cannot fill the frame (much too tall or wide, or tiny) hangs as a large print before its own
blurred colours instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from klingo1.draft.blocking import HORIZON, HORIZON_PORTRAIT
from klingo1.draft.cards import Card
from klingo1.draft.ground import Ground
from klingo1.draft.light import Light
from klingo1.draft.prints import framed
from klingo1.draft.sets import Limits, Set, SetSpec
from klingo1.draft.stage import Camera, Image, Rgb, premultiply
from klingo1.draft.tiles import plain

WALL = 9.0
"""Metres to the far wall: near enough that a step of the camera shows."""
EYE = 1.5
_OVERSCAN = 1.16
_ZOOM = {"wide": 1.0, "full": 1.06, "medium": 1.25, "close": 1.5, "insert": 1.35}
"""How much of the picture a framing shows: closer shots look past the lead at a part of it, out of focus."""
_SHIFT = {"wide": 0.5, "full": 0.44, "medium": 0.56, "close": 0.46, "insert": 0.5}
_BLUR = {"medium": 0.0016, "close": 0.0034, "insert": 0.003}
_SMALLEST, _LEAST_SHARE = 200, 0.42
_APART, _PRINTS = 7.3, 5
"""Metres from a print to the next on the way, as far as from where a shot begins to where the next one does,
and how many there are.
"""
_FLAT = 4.0
"""Levels of spread below which a picture shows no place at all, only a colour."""
_DIM, _STEEPEST = 58.0, 0.55
"""The mean level that a dark photograph is developed to, and the strongest gamma used for it."""


def build(spec: SetSpec) -> Set:
    """The set; `spec.picture` is the photograph (a plain grey one stands in when there is none)."""
    picture = spec.picture
    if picture is None or min(picture.shape[:2]) < 2:
        picture = np.full((90, 160, 3), 168, np.uint8)
    shape, wanted = picture.shape[1] / picture.shape[0], spec.width / spec.height
    share = min(shape, wanted) / max(shape, wanted)
    seen = exposed(picture)
    light, haze = _light(seen)
    if share < _LEAST_SHARE or min(picture.shape[:2]) < _SMALLEST or float(picture.std()) < _FLAT:
        return _gallery(spec, picture, light, haze)
    folded = _fold(spec, seen)
    return Set(
        sky=np.full((2, 2, 4), 255, np.uint8),
        horizon=1.0,
        grounds=[],
        light=light,
        haze=haze,
        mist=0.0,
        bloom=0.2,
        bloom_from=222,
        limits=Limits(side=0.8, rise=0.25, sink=0.2),
        backdrop=folded,
    )


def exposed(picture: Image) -> Image:
    """A photograph developed so that a film in it can be seen: a dark one gets a brighter tone curve, and
    what is black in one that stays dark is lifted. Any other is returned as it is.
    """
    mean = float(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).mean())
    if mean >= _DIM:
        return picture
    steep = max(_STEEPEST, float(np.log(_DIM / 255) / np.log(max(mean, 2.0) / 255)))
    curve = 255 * (np.arange(256, dtype=np.float32) / 255) ** steep
    lifted = curve[picture]
    black = max(0.0, _DIM - float(lifted.mean())) / 255
    return np.asarray(255 * black + lifted * (1 - black), np.uint8)


@dataclass(slots=True)
class Folded:
    """The photograph as wall and floor. `image` is BGRA, larger than the frame; `fold` is its ground line's
    row.

    `left` and `top` say which part of it a camera at rest shows.
    """

    image: Image
    left: float
    top: float
    fold: float
    eye: float

    def draw(self, frame: Image, camera: Camera) -> None:
        """Wall above the fold by one affine warp, floor below it by a row-wise lookup."""
        height, width = frame.shape[:2]
        focal0 = 0.86 * float(np.sqrt(width * height))
        still = (HORIZON_PORTRAIT if height > width else HORIZON) * height
        shift = camera.horizon - still
        # The row that the floor would vanish at: the fold is WALL metres away.
        vanish = self.fold - self.top - focal0 * self.eye / WALL
        away = max(1.5, WALL - camera.z)
        scale = WALL / away * camera.focal / focal0
        fold = vanish + shift + (self.fold - self.top - vanish) * scale
        column = camera.centre - camera.x * focal0 / WALL * scale
        matrix = np.array(
            [
                [scale, 0.0, column - scale * (self.left + width / 2)],
                [0.0, scale, fold - scale * self.fold],
            ]
        )
        cv2.warpAffine(
            self.image,
            matrix,
            (width, height),
            dst=frame,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        first = min(height, max(0, int(np.floor(fold))))
        if first >= height:
            return
        rows = np.arange(first, height, dtype=np.float32) + 0.5
        depth = camera.focal * self.eye / np.maximum(rows - vanish - shift, 1.0)
        world = np.maximum(depth + camera.z, 0.35)
        lines = self.top + vanish + focal0 * self.eye / world
        per_pixel = (depth / camera.focal * focal0 / world).astype(np.float32)
        centre = (self.left + width / 2 + focal0 * camera.x / world).astype(np.float32)
        columns = (np.arange(width, dtype=np.float32) - np.float32(camera.centre))[None] * per_pixel[:, None]
        columns += centre[:, None]
        table = np.repeat(lines.astype(np.float32)[:, None], width, axis=1)
        cv2.remap(
            self.image, columns, table, cv2.INTER_LINEAR, dst=frame[first:], borderMode=cv2.BORDER_REFLECT_101
        )


def _fold(spec: SetSpec, picture: Image) -> Folded:
    """Scale the photograph over the frame, find its ground line, and choose the part to show."""
    zoom = _ZOOM.get(spec.framing, 1.0)
    height, width = picture.shape[:2]
    scale = max(spec.width * _OVERSCAN / width, spec.height * _OVERSCAN / height) * zoom
    size = (round(width * scale), round(height * scale))
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    sized = cv2.resize(picture, size, interpolation=method)
    blur = _BLUR.get(spec.framing, 0.0) * sized.shape[0]
    if blur > 0.4:
        sized = cv2.GaussianBlur(sized, (0, 0), blur)
    image = cv2.cvtColor(sized, cv2.COLOR_BGR2BGRA)
    fold = ground_line(picture) * image.shape[0]
    spare = image.shape[0] - spec.height
    # Feet stand at four fifths of the frame: the ground line should lie well above them.
    top = min(max(fold - 0.62 * spec.height, 0.25 * spare), spare * 0.85)
    left = (image.shape[1] - spec.width) * _SHIFT.get(spec.framing, 0.5)
    fold = min(max(fold, top + 0.3 * spec.height), top + 0.74 * spec.height)
    return Folded(np.ascontiguousarray(image), left, top, fold, EYE)


def ground_line(picture: Image) -> float:
    """Where wall and ground meet, as a share of the height: the strongest change of row colour below the
    middle.
    """
    small = cv2.resize(picture, (160, 120), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2Lab)
    mean, spread = lab.mean(axis=1), lab.std(axis=1)
    best, at = -1.0, 0.66
    for row in range(50, 100):
        change = float(np.linalg.norm(mean[row - 6 : row].mean(axis=0) - mean[row : row + 6].mean(axis=0)))
        texture = float(
            np.linalg.norm(spread[row - 6 : row].mean(axis=0) - spread[row : row + 6].mean(axis=0))
        )
        score = change + 0.5 * texture + 0.018 * (row - 50)
        if score > best:
            best, at = score, row / 120
    return at


def _light(picture: Image) -> tuple[Light, Rgb]:
    """The light that a photograph suggests: its mean tints, its bright left and right parts catch the
    edges.
    """
    small = cv2.resize(picture, (160, 120), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2Lab)
    mean = lab.reshape(-1, 3).mean(axis=0)
    tint = _rgb([min(max(mean[0] * 0.55 + 45, 55), 92), mean[1] * 0.8, mean[2] * 0.8])
    level = min(max(0.58 + mean[0] / 190, 0.6), 1.0)
    ambient = tint / max(float(tint.mean()), 1e-3) * level
    left, right = lab[:, :60].reshape(-1, 3), lab[:, 100:].reshape(-1, 3)
    rims = [
        _rgb(side[np.argsort(side[:, 0])[-len(side) // 12 :]].mean(axis=0)) * 0.55 for side in (left, right)
    ]
    side = min(max(float(right[:, 0].mean() - left[:, 0].mean()) / 40, -0.35), 0.35)
    haze = _rgb(mean) * 255
    return (
        Light(_triple(ambient), _triple(rims[0]), _triple(rims[1]), side, 0.84, 0.55),
        _triple(haze),
    )


def _rgb(lab: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """One Lab colour as red-green-blue, 0 to 1."""
    pixel = np.asarray(lab, np.float32).reshape(1, 1, 3)
    colour = cv2.cvtColor(pixel, cv2.COLOR_Lab2RGB).reshape(3)
    return np.asarray(colour.clip(0, 1), np.float32)


def _triple(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _gallery(spec: SetSpec, picture: Image, light: Light, haze: Rgb) -> Set:
    """The print, large, on a floor of its colours, before a blurred enlargement of itself."""
    width, horizon = round(spec.width * 1.45), round(spec.height * 0.8)
    height = horizon + round(spec.height * 0.2)
    small = cv2.resize(picture, (48, 32), interpolation=cv2.INTER_AREA)
    wall = cv2.resize(cv2.GaussianBlur(small, (0, 0), 3), (width, height), interpolation=cv2.INTER_CUBIC)
    wall = cv2.addWeighted(exposed(wall), 0.75, np.full_like(wall, 60), 0.25, 0)
    board = premultiply(framed(picture))
    tall = 3.0 if board.shape[0] > board.shape[1] else 3.6 * board.shape[0] / board.shape[1]
    ppm = board.shape[0] / tall
    shade = board.copy()
    shade[..., :3] = 0
    soft = cv2.GaussianBlur(
        cv2.copyMakeBorder(shade, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)), (0, 0), 18
    )
    soft = cv2.convertScaleAbs(soft, alpha=0.6)
    x = 1.3
    repeat = 0.0 if spec.forward else 6.5
    return Set(
        sky=cv2.cvtColor(wall, cv2.COLOR_BGR2BGRA),
        horizon=horizon,
        grounds=[Ground(plain((haze[0] * 0.7 + 24, haze[1] * 0.7 + 24, haze[2] * 0.7 + 24)), 8.0)],
        light=light,
        haze=haze,
        haze_distance=5.0,
        cards=[
            card
            for z in (6.6 + _APART * number for number in range(_PRINTS if spec.forward else 1))
            for card in (
                Card(soft, ppm, x, 0.2, z + 0.2, (soft.shape[1] / 2, soft.shape[0] - 60.0), wrap_x=repeat),
                Card(board, ppm, x, 0.3, z, wrap_x=repeat),
            )
        ],
        gloss=0.25,
        bloom=0.15,
        bloom_from=230,
    )
