"""The bars of the design: pictures, identity, and odd requests. The long forms are marked `soak`."""

import multiprocessing
from pathlib import Path

import cv2
import numpy as np
import pytest
from faults.tables import say
from shooting import FOX, PROMPTS, SHAPES, cutout_of, luma, small, take, turned, watch

from klingo1.draft.film import RenderTask, render
from klingo1.draft.light import picture_of
from klingo1.draft.plan import ACTIONS, PLACES
from klingo1.request import DraftOptions, VideoRequest

SHORT = [(place, SHAPES[at % 3], FOX[at % 2 : at % 2 + 1]) for at, place in enumerate(PROMPTS)]
ALL = [(place, shape) for place in PROMPTS for shape in SHAPES]
DOING = {
    "run": "running", "dance": "dancing", "sit": "sitting", "drive": "driving", "fly": "flying",
    "jump": "jumping", "fall": "falling",
}  # fmt: skip


def keeps_the_bars(found):
    assert found.luma >= 30
    assert found.contrast >= 20
    assert np.median(found.inside) >= 0.3
    assert np.percentile(found.inside, 5) >= 0.1
    assert found.inside.max() <= 8
    assert all(cut >= 10 for cut in found.cuts)


@pytest.mark.parametrize(("place", "shape", "images"), SHORT)
def test_every_place_keeps_the_bars(place, shape, images):
    """Each place, in one shape, from one view: bright, varied, moving but never wild, every cut is seen."""
    assert set(PROMPTS) == {*PLACES, ""}
    film = take(PROMPTS[place], images, aspect_ratio=shape)
    assert film.plan.place == place
    keeps_the_bars(watch(film, runs=1))


@pytest.mark.soak
@pytest.mark.parametrize(("place", "shape"), ALL)
def test_every_place_in_every_shape_keeps_the_bars(place, shape):
    """All frames of a film of each place in each shape."""
    keeps_the_bars(watch(take(PROMPTS[place], aspect_ratio=shape)))


@pytest.mark.soak
@pytest.mark.parametrize("action", DOING)
@pytest.mark.parametrize("place", PLACES)
def test_lively_actions_keep_the_bars_everywhere(place, action):
    """What moves most, in every place, in shapes that take turns; one view, so that the framing changes."""
    shape = SHAPES[(PLACES.index(place) + ACTIONS.index(action)) % 3]
    film = take(f"{DOING[action]}, {place}", FOX[:1], aspect_ratio=shape, duration=4)
    found = watch(film)
    assert found.inside.max() <= 8
    assert np.median(found.inside) >= 0.3


@pytest.mark.parametrize(
    ("prompt", "shape"),
    [
        ("walking through a city at night", "16:9"),
        ("dancing in a meadow", "9:16"),
        ("waving on the beach", "1:1"),
    ],
)
def test_only_the_subject_changes_with_the_reference(prompt, shape):
    """With the reference's hue turned, the inside of its box changes clearly, and nothing else does."""
    cutouts = [cutout_of(image) for image in FOX]
    first = take(prompt, aspect_ratio=shape, cutouts=cutouts)
    other = take(prompt, aspect_ratio=shape, cutouts=[turned(cutout) for cutout in cutouts])
    object.__setattr__(other, "plan", first.plan)
    with first.open() as one, other.open() as two:
        for shot in first.plan.shots:
            number = (shot.start + shot.stop) // 2
            planes, box = one.frame(number)
            swapped, again = two.frame(number)
            assert box == again
            change = np.abs(picture_of(planes).astype(int) - picture_of(swapped)).mean(axis=2)
            height, width = change.shape
            left, top, right, bottom = (round(v) for v in box)
            pad = round(0.3 * (bottom - top))
            inside = change[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
            assert inside.mean() >= 15
            # The mirror image lies under the box, on wet ground as far down as the picture goes.
            change[max(0, top - pad) :, max(0, left - pad) : max(0, right + pad)] = 0
            assert change.mean() < 0.2
            assert change.max() <= 12


def resemblance(frame, box, view):
    """How well a cut-out matches what stands in the box, at several sizes: -1 to 1."""
    height, width = frame.shape[:2]
    left, top, right, bottom = box
    tall = bottom - top
    share = 130 / tall
    pad = 0.12 * tall
    rows = slice(int(max(0, top - pad)), int(min(height, bottom + pad)))
    columns = slice(int(max(0, left - pad)), int(min(width, right + pad)))
    scene = cv2.resize(frame[rows, columns], None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    best = -1.0
    for size in (0.94, 0.98, 1.02):
        scale = 130 * size / view.pixels.shape[0]
        template = cv2.resize(view.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        # A medium shot cuts off the legs: compare what can be in the picture.
        template = template[: min(len(template), int((height - top) * share) - 4)]
        if template.shape[1] >= scene.shape[1] or template.shape[0] >= scene.shape[0]:
            scene = cv2.copyMakeBorder(
                scene, 0, max(0, template.shape[0] - scene.shape[0] + 1),
                0, max(0, template.shape[1] - scene.shape[1] + 1), cv2.BORDER_REPLICATE,
            )  # fmt: skip
        mask = np.repeat((template[..., 3:] > 128).astype(np.uint8), 3, axis=2)
        score = cv2.matchTemplate(
            scene, np.ascontiguousarray(template[..., :3]), cv2.TM_CCOEFF_NORMED, mask=mask
        )
        best = max(best, float(score[np.isfinite(score)].max(initial=-1)))
    return best


def test_the_subject_can_be_recognised_in_wide_full_and_medium_shots():
    """The view that was cast matches what is on screen; another subject does not."""
    stranger = cutout_of(FOX[0].with_name("prop_airship.jpg")).views[0]
    film = take("walking through a forest, clear day", duration=5)
    views = {view.name: view for cutout in film.cutouts for view in cutout.views}
    names = [name for m in film.plan.cast for name in m.views]
    views = dict(zip(names, (v for c in film.cutouts for v in c.views), strict=True))
    assert [shot.framing for shot in film.plan.shots] == ["wide", "full", "medium"]
    with film.open() as made:
        for shot in film.plan.shots:
            scores, wrong = [], []
            for number in (shot.start + 6, (shot.start + shot.stop) // 2):
                planes, box = made.frame(number)
                frame = picture_of(planes)
                scores.append(resemblance(frame, box, views[shot.parts[0].view]))
                wrong.append(resemblance(frame, box, stranger))
            assert max(scores) >= 0.55, shot.framing
            assert max(wrong) <= 0.47, shot.framing


def decent(film):
    """Never black, never flat, and every frame is a picture."""
    with film.open() as made:
        for shot in film.plan.shots:
            for number in (shot.start, shot.stop - 1):
                picture = luma(small(made.frame(number)[0]))
                assert picture.mean() >= 30
                assert picture.std() >= 10


@pytest.mark.parametrize("shape", SHAPES)
def test_odd_pictures_and_prompts_make_decent_films(tmp_path, shape):
    """Transparent, needles, one colour, one pixel, seven of a kind; words of no script that it knows."""
    odd = {
        "clear": np.zeros((64, 64, 4), np.uint8), "needle": np.full((3000, 8, 3), 120, np.uint8),
        "plank": np.full((8, 3000, 3), 180, np.uint8), "red": np.full((90, 120, 3), (0, 0, 255), np.uint8),
        "black": np.zeros((300, 300, 3), np.uint8), "dot": np.full((1, 1, 3), 255, np.uint8),
    }  # fmt: skip
    paths = {}
    for name, picture in odd.items():
        paths[name] = tmp_path / f"{name}.png"
        cv2.imwrite(str(paths[name]), picture)
    decent(take("ქალაქში ცეკვავს 🎬", list(paths.values()), aspect_ratio=shape))
    decent(take("flumps the quixotic gronk", [FOX[0]] * 7, aspect_ratio=shape))


def test_a_black_place_and_a_night_photograph_can_be_seen(tmp_path):
    """A black picture as the place, and a photograph of the night, still give a film, no dark screen."""
    rng = np.random.default_rng(5)
    night = np.full((540, 960, 3), (14, 9, 6), np.uint8)
    for x, y in rng.integers((0, 0), (960, 400), (60, 2)):
        cv2.circle(night, (int(x), int(y)), 3, (60, 140, 190), -1)
    night[400:] = night[400:] // 2
    for name, picture in (("black", np.zeros((540, 960, 3), np.uint8)), ("night", night)):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), picture)
        decent(take("walking", [FOX[0], path], roles=("character", "scene")))


def peak_of(request, path):
    """MB at most in a process that makes one film."""
    render(RenderTask(request, path))
    mark = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(mark.split()[1]) / 1024


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the mark is read from /proc")
@pytest.mark.parametrize(("size", "most"), [("720p", 650), ("1080p", 1000)])
def test_memory_is_bounded_and_flat_in_duration(tmp_path, size, most):
    """A film of 10 s takes at most a sixth more than one of 3 s, and neither more than its bar."""
    peaks = []
    for seconds in (3, 10):
        asked = VideoRequest(PROMPTS["city"], FOX, duration=seconds, draft=DraftOptions(size))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peaks.append(pool.apply(peak_of, (asked, tmp_path / f"{seconds}.mp4")))
    say(f"{size}: {peaks[0]:.0f} MB for 3 s, {peaks[1]:.0f} MB for 10 s")
    assert max(peaks) < most
    assert peaks[1] < 1.17 * peaks[0]


@pytest.mark.soak
@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("size", [(40, 30), (600, 800)])
def test_each_odd_picture_in_each_role_is_decent(tmp_path, value, size):
    """Black, grey and white, small and large: alone, as a character, a thing, a place and a style."""
    path = tmp_path / "flat.png"
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))
    for role in ("character", "prop", "scene", "style"):
        decent(take("walks", [path], roles=(role,)))
