"""Recipes inside videos: written for any prompt, read from anybody's file."""

import json

import av
import pytest
from filming import CREATED, facts_of, film, finished
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klingo1.recipe import Recipe, metadata_of, parse_recipe, read_recipe, stamp
from klingo1.request import Engine
from klingo1.version import VERSION

PROMPTS = [
    "a walk",
    'quotes " and \\ backslashes \\" and {"json": [1, 2]}',
    "line\nbreak\ttab\rreturn",
    "nul \x00 and \x1b[31m escape",
    "中文提示 😀 é עברית \u202e turned",
    "<img src=x onerror=alert(1)> {{7*7}} %s =cmd() ;FFMETADATA1\n[CHAPTER]",
    "x" * 2500,
    "😀" * 2500,
]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return film(
        tmp_path_factory.mktemp("films") / "v.mp4",
        seconds=0.5,
        sound=True,
        metadata={"title": "theirs", "comment": "theirs", "artist": "somebody", "location": "+48.1+011.5/"},
    )


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_stamped_video_carries_any_prompt_as_valid_json(tmp_path, video, prompt):
    """What was asked is read back exactly."""
    job = finished(video, ["https://e.com/a.png"] * 2, prompt=prompt, duration=7, aspect_ratio="9:16")
    to = stamp(video, tmp_path / "out.mp4", job)
    raw = json.loads(facts_of(to)["metadata"]["comment"])
    assert raw["prompt"] == prompt
    recipe = read_recipe(to)
    assert recipe == Recipe(
        prompt=prompt,
        aspect_ratio="9:16",
        duration=7,
        keep_original_sound=True,
        engine=Engine.KLING,
        version=VERSION,
        created="2026-09-21T14:13:20+00:00",
        images=2,
        with_video=False,
    )
    assert CREATED == 1_790_000_000.0


def test_stamping_encodes_nothing_again_and_keeps_nothing_of_the_old_metadata(tmp_path, video):
    """Pictures and sound are the same packets; title, artist and place of the old file are gone."""
    to = stamp(video, tmp_path / "out.mp4", finished(video, ["https://e.com/a.png"]))

    def packets(path):
        with av.open(str(path)) as container:
            return sorted((p.stream.type, p.pts * p.time_base, bytes(p)) for p in container.demux() if p.size)

    assert packets(to) == packets(video)
    assert b"somebody" not in to.read_bytes()
    assert b"+48.1" not in to.read_bytes()
    assert facts_of(to)["metadata"]["title"] == "@Image1 walks"


def test_a_recipe_names_no_address_path_or_key(tmp_path, video):
    """References are counted, not named."""
    signed = "https://e.com/a.png?signature=canary"
    job = finished(video, [tmp_path / "canary.jpg", signed], details={"data": {"key": "canary"}})
    stamp(video, tmp_path / "out.mp4", job)
    assert b"canary" not in (tmp_path / "out.mp4").read_bytes()


def test_the_metadata_of_a_draft_says_so(video):
    """In the title, for people, and in the recipe, for programs."""
    metadata = metadata_of(finished(video, ["https://e.com/a.png"], engine=Engine.DRAFT))
    assert metadata["title"].startswith("DRAFT")
    assert json.loads(metadata["comment"])["draft"] is True
    assert parse_recipe(metadata["comment"]).engine is Engine.DRAFT


def test_a_draft_of_the_encoder_is_read():
    """Its own form has more in it, and another name for the engine."""
    text = json.dumps({
        "draft": True,
        "engine": "klingo1 draft, no AI model used",
        "prompt": "a walk",
        "duration": 3,
        "aspect_ratio": "1:1",
        "keep_original_sound": False,
        "images": 3,
        "video": True,
        "plan": {"shots": [{}]},
    })  # fmt: skip
    assert parse_recipe(text) == Recipe("a walk", "1:1", 3, False, Engine.DRAFT, "", "", 3, True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"duration": 99}, {"duration": 5}),
        ({"duration": "7"}, {"duration": 5}),
        ({"duration": True}, {"duration": 5}),
        ({"duration": 7.0}, {"duration": 7}),
        ({"duration": float("nan")}, {"duration": 5}),
        ({"aspect_ratio": "4:3"}, {"aspect_ratio": "16:9"}),
        ({"aspect_ratio": ["16:9"]}, {"aspect_ratio": "16:9"}),
        ({"keep_original_sound": "false"}, {"keep_original_sound": True}),
        ({"engine": 7}, {"engine": Engine.KLING}),
        ({"images": 10**30}, {"images": 7}),
        ({"images": ["/etc/passwd"]}, {"images": 0}),
        ({"video": "/etc/passwd"}, {"with_video": False}),
        ({"prompt": "y" * 9000}, {"prompt": "y" * 2500}),
        ({"prompt": "half \ud800"}, {"prompt": "half ?"}),
        ({"version": {"a": 1}}, {"version": ""}),
    ],
)
def test_a_field_that_cannot_be_used_is_left_at_its_default(fields, expected):
    """Every field is judged alone."""
    recipe = parse_recipe(json.dumps({"prompt": "a walk"} | fields))
    assert {name: getattr(recipe, name) for name in expected} == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "made with love",
        "[]",
        '"text"',
        "{",
        "{}",
        '{"prompt": ""}',
        '{"prompt": {"3": {"class_type": "KSampler"}}}',
        '{"a":' * 30_000,
        '{"prompt": "x", "n": ' + "9" * 6000 + "}",
        '{"prompt": "' + "x" * 300_000 + '"}',
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_recipe_is_none(text):
    """Other programs' comments, nonsense, and what is built to hurt a parser."""
    assert parse_recipe(text) is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(
            ["prompt", "duration", "aspect_ratio", "images", "video", "engine", "draft", "created"]
        ),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
    )
)
def test_no_object_makes_the_reader_fail(raw):
    """A recipe that comes out can always be made into a request."""
    recipe = parse_recipe(json.dumps(raw))
    if recipe is not None:
        assert recipe.prompt.strip()
        assert 3 <= recipe.duration <= 10
        recipe.prompt.encode()


@pytest.mark.parametrize("kind", ["missing", "text", "folder", "picture", "no comment"])
def test_a_file_without_a_recipe_is_none(tmp_path, kind):
    """Whatever was dropped, nothing is raised."""
    path = tmp_path / "v.mp4"
    if kind == "text":
        path.write_text("hello")
    elif kind == "folder":
        path.mkdir()
    elif kind == "picture":
        path.write_bytes(b"\xff\xd8\xff\xe0 no video")
    elif kind == "no comment":
        film(path, seconds=0.2)
    assert read_recipe(path) is None
