import numpy as np
import pytest

from klingo1.draft import paint, skies, tiles


def rng(seed=4):
    return np.random.default_rng(seed)


def test_tileable_noise_has_no_seam():
    """The step across the edge is no larger than any step inside."""
    field = paint.noise(rng(), 128, 128, 4, tile=True)
    inside = np.abs(np.diff(field, axis=1)).max()
    assert np.abs(field[:, 0] - field[:, -1]).max() <= 1.5 * inside
    assert field.std() == pytest.approx(1, abs=0.01)


def test_a_profile_is_seamless():
    """A ridge line ends where it began."""
    line = paint.profile(rng(), 600, 3)
    assert abs(line[0] - line[-1]) <= 2 * np.abs(np.diff(line)).max()


def test_colours_from_prompts_are_read_strictly():
    """#rrggbb and nothing else."""
    assert paint.parse_hex("#ff8000") == (255, 128, 0)
    assert [paint.parse_hex(c) for c in ("", "#ff80", "red", "#zzzzzz")] == [None] * 4


def test_cut_out_is_premultiplied():
    """Where nothing is, no colour is."""
    colour = np.full((2, 2, 3), 200, np.float32)
    done = paint.cut_out(colour, np.array([[0, 1], [0.5, 1]], np.float32))
    assert done[0, 0].tolist() == [0, 0, 0, 0]
    assert done[1, 0].tolist() == [100, 100, 100, 127]


@pytest.mark.parametrize("name", ["grass", "sand", "snow", "soil", "asphalt", "paving", "water", "planks"])
def test_ground_tiles_are_seamless_and_repeatable(name):
    """Opposite edges fit, the same generator paints the same tile, and it has texture."""
    tile = getattr(tiles, name)(rng()).astype(int)
    assert tile.shape == (tiles.SIDE, tiles.SIDE, 4)
    assert (tile == getattr(tiles, name)(rng())).all()
    across = np.abs(np.diff(tile[..., :3], axis=1)).mean(axis=(0, 2))
    assert np.abs(tile[:, 0, :3] - tile[:, -1, :3]).mean() <= max(
        1.5 * np.percentile(across, 99), across.max()
    )
    assert tile[..., :3].std() > 1


@pytest.mark.parametrize("time", skies.DAYLIGHT)
def test_skies_are_neither_black_nor_flat(time):
    """At every hour a sky with hills is bright enough to see and has a gradient."""
    picture = skies.sky(rng(), 320, 200, 160, time)
    skies.ridge(picture, rng(), 160, 30, 8, (90, 100, 110), (120, 130, 140), trees=4, snow=(230, 235, 240))
    done = paint.finish(picture)
    assert done[..., :3].mean() > 30
    assert done[..., :3].std() > 12
    assert done[..., 3].min() == 255


def test_an_unknown_hour_is_day():
    """A time that the table does not know does not fail a film."""
    assert skies.daylight("teatime") is skies.DAYLIGHT["day"]
