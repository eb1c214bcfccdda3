"""A person's wishes on their way through the draft service into the film."""

import asyncio
from dataclasses import replace

import cv2
import numpy as np
from drawings import figure, staged
from PIL import Image
from serving import ended, film, picture, serving, submitted, uploaded
from test_network import ball, redness

from klingo1.draft.cutout import cast_of
from klingo1.draft.director import direct
from klingo1.draft.film import RenderTask, references_of
from klingo1.request import DraftOptions, VideoRequest


async def orders_of(tmp_path, wishes, **options):
    """The order that a submit with these wishes becomes, and how it ended."""
    seen = []

    def look(order):
        seen.append((order, [m and m.read_bytes() for m in order.request.draft.masks]))
        return film(order)

    async with serving(tmp_path, render=look, **options) as client:
        url = await uploaded(client, picture())
        wishes = {k: [url if v == "MASK" else v for v in vs] for k, vs in wishes.items()}
        made = await submitted(client, images=[url, url], klingo1=wishes)
        return seen, await ended(client, made["id"])


def test_wishes_reach_the_renderer(tmp_path):
    """Roles, views, grouping and masks arrive; masks as local files, the network and the memory with them."""
    net = tmp_path / "net.onnx"
    wishes = {"roles": ["prop", "guess"], "views": ["", "left"], "masks": [None, "MASK"], "groups": [2, 2]}
    ((order, masks),), end = asyncio.run(orders_of(tmp_path, wishes, model=net))
    assert end["status"] == "completed"
    draft = order.request.draft
    assert (draft.roles, draft.views, draft.groups) == (("prop", "guess"), ("", "left"), (2, 2))
    assert masks[0] is None
    assert masks[1].startswith(b"\x89PNG")
    assert order.model == net
    assert order.corrections.parent == order.cache.parent


def test_nothing_is_remembered_among_strangers(tmp_path):
    """A shared service gives the renderer no memory."""
    ((order, _),), _ = asyncio.run(orders_of(tmp_path, {}, remember=False))
    assert order.corrections is None


def test_an_unreachable_mask_is_a_clear_failure(tmp_path):
    """It is named; the film is not made without it in silence."""
    seen, end = asyncio.run(orders_of(tmp_path, {"masks": ["https://elsewhere.test/mask.png"]}))
    assert not seen
    assert end["status"] == "failed"
    assert end["error"].startswith("Mask 1")


def order(folder, images, **wishes):
    request = VideoRequest("it walks", tuple(images), duration=3, draft=DraftOptions(**wishes))
    return RenderTask(
        request, folder / "video.mp4", cache=folder / "cache", corrections=folder / "corrections"
    )


def saved(path, pixels):
    cv2.imwrite(str(path), pixels)
    return path


def test_a_correction_holds_in_the_next_film(tmp_path):
    """Role, view and mask of the first film cut the picture again in the second, which says nothing."""
    scene, _ = staged([figure(0.6)])
    path = saved(tmp_path / "a.png", scene)
    guessed, _ = references_of(order(tmp_path, [path]))
    half = np.zeros(scene.shape[:2], np.uint8)
    half[: len(half) // 2] = 255
    mask = saved(tmp_path / "mask.png", half)
    first, roles = references_of(order(tmp_path, [path], roles=("prop",), views=("back",), masks=(mask,)))
    mask.unlink()
    second, again = references_of(order(tmp_path, [path]))
    assert roles == again == ["prop"]
    assert guessed[0].method != "sticker"
    for cutouts in (first, second):
        (view,) = cutouts[0].views
        assert (cutouts[0].role, cutouts[0].method, view.name) == ("prop", "sticker", "back")
    assert np.array_equal(first[0].views[0].pixels, second[0].views[0].pixels)


def test_odd_pictures_are_directed(tmp_path):
    """A clear, a very long, a one-coloured and a tiny picture together make a cast and a plan."""
    noise = np.random.default_rng(4).integers(0, 256, (3000, 8, 3), np.uint8)
    images = [
        saved(tmp_path / "clear.png", np.zeros((200, 200, 4), np.uint8)),
        saved(tmp_path / "long.png", noise),
        saved(tmp_path / "wide.png", noise.transpose(1, 0, 2).copy()),
        saved(tmp_path / "flat.png", np.full((300, 400, 3), (200, 40, 90), np.uint8)),
        saved(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8)),
    ]
    for views in ((), ("side",) * 5):
        cutouts, roles = references_of(order(tmp_path, images, views=views))
        cast = cast_of(cutouts, roles=roles, groups=(1, 1, 1, 1, 1))
        plan = direct("they dance", cast, duration=5, aspect_ratio="16:9")
        assert {number for member in plan.cast for number in member.images} == {1, 2, 3, 4, 5}
        assert plan.shots


def test_the_owners_network_cuts_the_film(tmp_path):
    """The network that the environment names is asked; a file that is none changes nothing."""
    ours, broken = tmp_path / "net.onnx", tmp_path / "broken.onnx"
    ours.write_bytes(redness())
    broken.write_bytes(b"no network")
    path = tmp_path / "ball.png"
    Image.fromarray(ball()[0][..., ::-1]).save(path)
    task = order(tmp_path, [path])
    heights = {}
    for model in (ours, broken, None):
        (cutout,), _ = references_of(replace(task, model=model))
        heights[model] = cutout.views[0].pixels.shape[0] if cutout.method == "sticker" else 0
    assert abs(heights[ours] - 128) < 12
    assert heights[broken] == heights[None]
