"""Draw the pictures of docs/draft-engine.md and the sheet in README: python docs/draw_pictures.py

Frames of drafts, 320 and 480 pixels wide, from the example character in assets/.
"""  # noqa: INP001 - a program, not a package

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from klingo1.draft.cutout import cast_of, cut_out
from klingo1.draft.director import direct
from klingo1.draft.frames import Film
from klingo1.draft.stage import Image
from klingo1.request import VideoRequest

HERE = Path(__file__).parent
CHARACTER = tuple(HERE.parent / "assets" / f"character_{view}.jpg" for view in ("front", "side", "back"))
AIRSHIP = HERE.parent / "assets" / "prop_airship.jpg"
BOARDS: dict[str, tuple[tuple[str, tuple[Path, ...], int], ...]] = {
    "places": (
        ("walking through a city at night, neon lights reflecting on wet streets", CHARACTER, 0),
        ("walking through a forest at dawn, mist between the trees", CHARACTER, 1),
        ("walking along a beach at sunset", CHARACTER, 2),
        ("walking through falling snow", CHARACTER, 1),
        ("floating underwater among corals", CHARACTER, 0),
        ("walking through a street market in the evening", CHARACTER, 2),
        ("walking through a city street in autumn at noon", CHARACTER, 1),
        ("walking across a meadow in heavy rain", CHARACTER, 0),
        ("standing in the mountains in falling snow", CHARACTER, 2),
    ),
    "actions": (
        ("sitting in a meadow", CHARACTER, 2),
        ("waving on the beach", CHARACTER, 0),
        ("jumping in the mountains", CHARACTER, 1),
        ("falling in the desert", CHARACTER, 0),
        ("flying over a meadow", CHARACTER, 1),
        ("riding the airship across a desert", (*CHARACTER, AIRSHIP), 1),
        ("the fox walks along the beach while the airship flies over", (*CHARACTER, AIRSHIP), 2),
        ("an airship flies above a lake", (AIRSHIP,), 0),
        ("the fox sits in a forest while the airship flies by", (*CHARACTER, AIRSHIP), 0),
    ),
}
"""For each picture: prompt, references, and the number of the shot that is shown."""


SHEET = "walking through a futuristic city at night in the rain, neon lights reflecting on wet streets"
"""The film of which README shows frames."""


def frames(
    prompt: str, images: tuple[Path, ...], shots: tuple[int, ...], shares: tuple[float, ...], width: int
) -> list[Image]:
    """Of each of these shots the frames at these shares of its length, `width` pixels wide."""
    cutouts = [cut_out(image) for image in images]
    plan = direct(prompt, cast_of(cutouts), duration=3, aspect_ratio="16:9")
    size, seen = (width, width * 9 // 16), []
    with Film(VideoRequest(prompt, images, duration=3), plan, cutouts) as film:
        for shot in (plan.shots[number] for number in shots):
            for share in shares:
                planes, _ = film.frame(round(shot.start + share * (shot.stop - 1 - shot.start)))
                frame = cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)
                seen.append(np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8))
    return seen


def write(name: str, cells: list[Image]) -> None:
    """Lay cells out three in a row."""
    board = np.vstack([np.hstack(cells[at : at + 3]) for at in range(0, len(cells), 3)])
    cv2.imwrite(str(HERE / "pictures" / f"{name}.jpg"), board, [cv2.IMWRITE_JPEG_QUALITY, 82])


def main() -> None:
    """Write docs/pictures/places.jpg, actions.jpg and sheet.jpg."""
    (HERE / "pictures").mkdir(exist_ok=True)
    for name, shown in BOARDS.items():
        write(name, [frames(prompt, images, (number,), (0.5,), 320)[0] for prompt, images, number in shown])
    write("sheet", frames(SHEET, CHARACTER, (0, 1, 2), (0.25, 0.8), 480))


if __name__ == "__main__":
    main()
