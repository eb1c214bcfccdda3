"""Trees and bushes, painted leaf by leaf: premultiplied BGRA pictures that stand on their lower edge.

Every painter takes a generator, pixels per metre, sizes in metres and colours as they look in the light of
the hour. `light` is where the light comes from: -1 left, 1 right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from klingo1.draft.paint import blend, noise, profile, scaled, smoothstep
from klingo1.draft.scenery_strokes import inside_disc, leaves, ribbon, sheet, spikes, tones
from klingo1.draft.stage import Image, Rgb, bgr, over

if TYPE_CHECKING:
    from numpy.random import Generator

MOSS: Rgb = (84, 104, 48)


def trunk(
    rng: Generator, ppm: float, tall: float, radius: float, bark: Rgb, *,
    moss: Rgb = MOSS, mossy: float = 0.6, light: float = 1.0,
) -> Image:  # fmt: skip
    """The stem of a tall tree: bark in long plates, roots that spread on the ground, a lit edge."""
    height, width = round(tall * ppm), round(radius * 5.6 * ppm)
    row = np.arange(height, dtype=np.float32)[:, None]
    column = np.arange(width, dtype=np.float32)[None]
    above = (height - 1 - row) / ppm
    middle = width / 2 + profile(rng, height, 3, octaves=4)[:, None] * radius * ppm * 0.16
    flare = (
        1.25 * np.exp(-above / 0.26) * (1 + 0.25 * np.sin(column / (0.33 * radius * ppm) + rng.uniform(0, 6)))
    )
    reach = radius * ppm * (0.84 + 0.16 * row / height + flare)
    across = (column - middle) / reach
    cover = np.clip((1 - np.abs(across)) * reach + 0.5, 0, 1)
    plates = noise(rng, max(8, height // 9), width, 16, octaves=3, gain=0.6)
    plates = cv2.resize(plates, (width, height), interpolation=cv2.INTER_CUBIC)
    cracks = smoothstep(-0.2, 0.5, np.abs(plates)) * 0.42 + 0.58
    fine = noise(rng, height, width, 22, octaves=2)
    round_ = 0.52 + 0.36 * np.clip(across * light, -1, 1) + 0.24 * np.clip(1 - np.abs(across), 0, 1)
    rim = smoothstep(0.62, 0.95, across * light) * 0.35
    low = np.clip(1 - above / 3.0, 0, 1)
    green = (smoothstep(0.2, 1.3, fine * 0.5 + plates * 0.6 + 1.1 * low - 0.35 * across * light) * mossy)[
        ..., None
    ]
    colour = np.array(bgr(bark), np.float32) * (1 - green) + np.array(bgr(moss), np.float32) * green
    shade = (round_ * cracks * (1 + 0.09 * fine) + rim) * (0.72 + 0.28 * smoothstep(0.0, 0.5, above))
    picture = np.dstack([colour * shade.clip(0.15, 1.7)[..., None] * cover[..., None], cover * 255])
    return np.ascontiguousarray(np.minimum(picture.clip(0, 255), cover[..., None] * 255).astype(np.uint8))


def crown(
    rng: Generator, ppm: float, wide: float, tall: float, green: Rgb, *,
    leaf: float = 0.13, clumps: int = 16, dense: int = 60, light: float = 1.0,
) -> Image:  # fmt: skip
    """A mass of leaves in clumps, bright towards the light and the sky; also a bush, a hanging bough."""
    height, width = tall * ppm, wide * ppm
    picture = sheet(height, width)
    spot = inside_disc(rng, clumps)
    spot = spot[np.argsort(0.8 * spot[:, 1] + 0.3 * np.abs(spot[:, 0]))[::-1]]
    size = min(height, width) * rng.uniform(0.2, 0.3, clumps)
    reach_x, reach_y = width / 2 - size - 2, height / 2 - size - 2
    at = np.stack([width / 2 + spot[:, 0] * reach_x, height / 2 + spot[:, 1] * reach_y], axis=-1)
    for k in range(clumps):
        around = inside_disc(rng, dense)
        facing = -0.75 * around[:, 1] + 0.55 * light * around[:, 0]
        around = around[np.argsort(facing)]
        facing = np.sort(facing)
        whole = -0.5 * spot[k, 1] + 0.35 * light * spot[k, 0]
        bright = 0.82 + 0.34 * facing + 0.3 * whole + rng.normal(0, 0.09, dense)
        core = tones(green, np.array([0.46 + 0.16 * whole]))[0]
        cv2.circle(
            picture, tuple((at[k] * 8).astype(int).tolist()), round(size[k] * 0.72 * 8),
            (*bgr((core[0], core[1], core[2])), 255.0), -1, cv2.LINE_AA, 3,
        )  # fmt: skip
        long = leaf * ppm * rng.uniform(0.7, 1.35, dense)
        leaves(
            picture, at[k] + around * size[k] * 1.02, long, long * rng.uniform(0.4, 0.62, dense),
            rng.uniform(-0.9, 0.9, dense) + (rng.random(dense) < 0.5) * np.pi,
            tones(green, np.clip(bright, 0.3, 1.6)),
        )  # fmt: skip
    return picture


def tree(rng: Generator, ppm: float, tall: float, green: Rgb, bark: Rgb, *, light: float = 1.0) -> Image:
    """A broad-leaved tree with boughs and a rounded crown."""
    height, width = tall * ppm, 0.86 * tall * ppm
    picture = sheet(height, width)
    foot = np.array([width / 2, height])
    stem = height * rng.uniform(0.5, 0.58)
    thick = 0.055 * height
    lean = rng.normal(0, 0.03) * width
    t = np.linspace(0, 1, 12)
    path = np.stack([foot[0] + lean * t**2, foot[1] - stem * t], axis=-1)
    flare = thick * (0.6 + 0.4 * (1 - t) + 0.9 * np.exp(-t * 12))
    ribbon(picture, path, flare, scaled(bark, 0.7))
    ribbon(picture, path + np.array([light * thick * 0.14, 0]), flare * 0.42, scaled(bark, 1.05))
    for angle in np.linspace(-0.9, 0.9, 5) + rng.normal(0, 0.1, 5):
        long = height * rng.uniform(0.2, 0.3)
        start = path[int(rng.integers(7, 12))]
        end = start + np.array([np.sin(angle), -np.cos(angle)]) * long
        bough = start + (end - start) * t[:, None] + np.stack([0 * t, -0.1 * long * np.sin(t * 3)], axis=-1)
        ribbon(picture, bough, thick * 0.4 * (1 - 0.7 * t) + 1, scaled(bark, 0.75))
    head = crown(
        rng, ppm, 0.84 * tall, 0.64 * tall, green, leaf=0.02 * tall + 0.045, clumps=24, dense=58, light=light
    )
    over(picture[: head.shape[0], 2 : 2 + head.shape[1]], head[:, : picture.shape[1] - 2])
    return picture


def conifer(
    rng: Generator, ppm: float, tall: float, green: Rgb, bark: Rgb, *,
    snow: Rgb | None = None, light: float = 1.0, slim: float = 0.46,
) -> Image:  # fmt: skip
    """A spruce, tier over tier of hanging needles; `snow` lies on its branches."""
    height, width = tall * ppm, slim * tall * ppm
    picture = sheet(height, width)
    foot, peak = np.array([width / 2, height]), 0.02 * height
    t = np.linspace(0, 1, 6)
    ribbon(
        picture, np.stack([np.full(6, foot[0]), height - 0.95 * height * t], axis=-1),
        height * (0.034 * (1 - t) + 0.004 + 0.03 * np.exp(-t * 30)), scaled(bark, 0.7),
    )  # fmt: skip
    tiers = 13
    bare = rng.uniform(0.07, 0.12)
    for k in range(tiers):
        up = k / (tiers - 1)
        y = height * (1 - bare) - (height * (1 - bare) - peak) * up**0.92
        reach = 0.5 * width * (1 - up) ** 0.85 * rng.uniform(0.88, 1.04) + 0.012 * height
        drop = height * (0.075 - 0.035 * up)
        count = int(30 - 14 * up)
        for turn, (bright, short) in enumerate(((0.5, 1.0), (0.85, 0.92))):
            x = np.sort(rng.uniform(-1, 1, count))
            x = x[np.argsort(-np.abs(x))]
            root = np.stack(
                [foot[0] + x * reach * 0.3, np.full(count, y - drop * (1.2 - 0.4 * turn))], axis=-1
            )
            tip = np.stack(
                [
                    foot[0] + x * reach * short * rng.uniform(0.86, 1.05, count),
                    y + drop * (0.45 - 0.5 * np.abs(x)) * rng.uniform(0.6, 1.4, count) - turn * 0.35 * drop,
                ],
                axis=-1,
            )
            side = bright + 0.26 * light * x + 0.12 * up + rng.normal(0, 0.07, count)
            wide = np.full(count, height * (0.03 - 0.012 * up))
            spikes(picture, root, tip, wide, tones(green, np.clip(side, 0.25, 1.5)))
        if snow is not None:
            _snow_on_tier(rng, picture, (foot[0], y), (reach, drop), snow, light)
    return picture


def _snow_on_tier(  # noqa: PLR0917 - what, where and its colours: a painter's natural order
    rng: Generator,
    picture: Image,
    at: tuple[float, float],
    size: tuple[float, float],
    snow: Rgb,
    light: float,
) -> None:
    count = 18
    x = rng.uniform(-1, 1, count)
    reach, drop = size
    where = np.stack(
        [at[0] + x * reach * 0.82, at[1] - drop * (0.42 + 0.32 * np.abs(x)) * rng.uniform(0.5, 1.1, count)],
        axis=-1,
    )
    long = np.maximum(1.0, reach * rng.uniform(0.12, 0.24, count))
    leaves(
        picture, where, long, np.maximum(0.8, drop * rng.uniform(0.16, 0.3, count)), x * 0.5,
        np.minimum(tones(snow, 0.9 + 0.13 * light * x + rng.normal(0, 0.03, count)), 255),
    )  # fmt: skip


def treeline(
    rng: Generator, height: int, width: int, green: Rgb, *, sharp: float = 1.0, conifers: bool = True
) -> Image:
    """A seamless strip of distant woods, solid below, `height` x `width` pixels."""
    line = (0.42 + 0.12 * profile(rng, width, 3, octaves=3)) * height
    picture = sheet(height, width)
    rows = np.arange(height, dtype=np.float32)[:, None]
    cover = np.clip(rows - line[None] - 0.12 * height, 0, 1)[..., None] * 255
    picture[:] = np.concatenate(
        [cover * np.array(bgr(scaled(green, 0.82)), np.float32) / 255, cover], axis=-1
    )
    count = max(12, round(width / max(3.0, 0.1 * height)))
    x = (np.arange(count) + rng.uniform(0, 0.8, count)) / count * width
    stock = [_distant(rng, height, green, conifers=conifers) for _ in range(4)]
    for k in rng.permutation(count):
        top = float(line[int(x[k]) % width])
        tall = max(3, round(height * rng.uniform(0.26, 0.56) * sharp))
        tree_ = stock[int(rng.integers(len(stock)))]
        size = (max(2, round(tree_.shape[1] * tall / tree_.shape[0])), tall)
        small = cv2.resize(tree_, size, interpolation=cv2.INTER_AREA)
        for shift in (-width, 0, width):
            _plant(picture, small, round(x[k]) + shift - size[0] // 2, round(top + 0.22 * height) - tall // 2)
    return picture


def _distant(rng: Generator, height: int, green: Rgb, *, conifers: bool) -> Image:
    """One tree of a far wood, simple and a little lighter or darker than its neighbours."""
    tone = scaled(green, float(rng.uniform(0.85, 1.2)))
    ppm = max(4.0, height * 0.5 / 6)
    if conifers:
        return conifer(rng, ppm, 6.0, tone, scaled(tone, 0.8), slim=0.42)
    return crown(rng, ppm, 6.6, 6.0, tone, leaf=0.3, clumps=9, dense=22)


def _plant(picture: Image, tree_: Image, left: int, top: int) -> None:
    x0, y0 = max(left, 0), max(top, 0)
    x1 = min(left + tree_.shape[1], picture.shape[1])
    y1 = min(top + tree_.shape[0], picture.shape[0])
    if x1 > x0 and y1 > y0:
        over(picture[y0:y1, x0:x1], tree_[y0 - top : y1 - top, x0 - left : x1 - left])


def autumnal(rng: Generator, green: Rgb, share: float = 0.85) -> Rgb:
    """The colour a tree takes in autumn: each its own."""
    turned: Rgb = ((206, 110, 36), (190, 74, 34), (214, 158, 52), (160, 120, 46))[int(rng.integers(4))]
    return blend(green, scaled(turned, sum(green) / 270), share)
