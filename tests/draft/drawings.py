"""Drawn characters on studio backdrops, with their true masks: what the cut-out tests measure against."""

from __future__ import annotations

import cv2
import numpy as np

OVER = 2
"""Pictures are drawn twice as large and reduced, so that edges are soft as in real pictures."""


def figure(
    scale=1.0, *, coat=(40, 180, 240), trousers=(110, 60, 50), skin=(190, 210, 245), hair=(30, 40, 70),
    side=False, back=False,
):  # fmt: skip
    """A drawn person as BGR and mask, H×W = 460×240 times `scale`, transparent outside the mask."""
    s = scale * OVER
    size = (round(460 * s), round(240 * s))
    bgr, mask = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)

    def at(*points):
        return [(np.array(p) * s).round().astype(int) for p in points]

    def shape(points, colour):
        for canvas, fill in ((bgr, colour), (mask, 255)):
            cv2.fillPoly(canvas, [np.array(at(*points))], fill)

    def disc(x, y, across, along, colour):
        centre, axes = (round(x * s), round(y * s)), (round(across * s), round(along * s))
        for canvas, fill in ((bgr, colour), (mask, 255)):
            cv2.ellipse(canvas, centre, axes, 0, 0, 360, fill, -1)

    if side:
        shape([(92, 240), (140, 240), (136, 430), (98, 430)], trousers)
        shape([(92, 420), (136, 420), (172, 448), (172, 456), (92, 456)], hair)
        shape([(88, 120), (146, 120), (156, 270), (82, 270)], coat)
        disc(118, 76, 46, 52, skin)
        shape([(160, 72), (176, 88), (158, 94)], skin)
        disc(104, 62, 44, 46, hair)
        disc(148, 74, 5, 7, (20, 20, 20))
    else:
        shape([(78, 240), (116, 240), (112, 430), (80, 430)], trousers)
        shape([(124, 240), (162, 240), (160, 430), (128, 430)], trousers)
        disc(94, 440, 24, 16, hair)
        disc(146, 440, 24, 16, hair)
        shape([(72, 120), (168, 120), (206, 250), (182, 258), (170, 200), (174, 275), (66, 275), (70, 200),
               (58, 258), (34, 250)], coat)  # fmt: skip
        disc(120, 72, 50, 56, skin)
        shape([(70, 70), (72, 30), (120, 12), (168, 30), (170, 70), (150, 44), (90, 44)], hair)
        if back:
            disc(120, 70, 50, 54, hair)
        else:
            for x in (102, 138):
                disc(x, 78, 9, 12, (250, 250, 250))
                disc(x, 80, 5, 7, (90, 60, 20))
            disc(120, 108, 14, 5, (80, 80, 200))
            for y in (160, 190, 220):
                disc(120, y, 5, 5, (30, 30, 60))
    return bgr, mask


def backdrop(size, colour, slope=0.0, noise=0.0, seed=3):
    """A studio backdrop of H×W `size`: `colour` BGR, `slope` levels lighter above than below, with noise."""
    height, width = size
    down = np.linspace(0.5, -0.5, height)[:, None, None]
    across = np.linspace(0.3, -0.3, width)[None, :, None] ** 2
    picture = np.array(colour, np.float32) + slope * (down - across)
    if noise:
        picture = picture + np.random.default_rng(seed).normal(0, noise, (height, width, 1))
    return picture.clip(0, 255).astype(np.float32)


def staged(figures, colour=(235, 235, 240), slope=0.0, noise=0.0, shadow=0.0):
    """Figures side by side on a backdrop: BGR uint8 and the true mask. `shadow` 0..1 is its darkness."""
    height = max(f[0].shape[0] for f in figures)
    pad = round(0.12 * height)
    width = sum(f[0].shape[1] for f in figures) + pad * (len(figures) + 1)
    size = (height + 2 * pad, width)
    picture, truth = backdrop(size, colour, slope, 0.0), np.zeros(size, np.uint8)
    left = pad
    for bgr, mask in figures:
        h, w = mask.shape
        if shadow:
            dark = np.zeros(size, np.float32)
            centre, axes = (left + w // 2, pad + h - h // 40), (w // 2, h // 28)
            cv2.ellipse(dark, centre, axes, 0, 0, 360, 1, -1)
            dark = cv2.GaussianBlur(dark, (0, 0), h / 40)
            picture *= 1 - shadow * dark[..., None]
        rows, columns = slice(pad + height - h, pad + height), slice(left, left + w)
        inside = mask[..., None] > 0
        picture[rows, columns] = np.where(inside, bgr, picture[rows, columns])
        truth[rows, columns] |= mask
        left += w + pad
    half = (size[1] // OVER, size[0] // OVER)
    small = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    if noise:
        small = small + np.random.default_rng(3).normal(0, noise, (*small.shape[:2], 1))
    return small.clip(0, 255).astype(np.uint8), cv2.resize(truth, half, interpolation=cv2.INTER_AREA)
