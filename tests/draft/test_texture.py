import numpy as np

from klingo1.draft.texture import Texture


def picture(height=200, width=400):
    return np.random.default_rng(1).integers(0, 255, (height, width, 4), dtype=np.uint8)


def test_a_texture_is_sampled_at_about_its_own_size():
    """Each size is half the one before, until it is small; a tiny picture has one size."""
    texture = Texture(picture())
    levels = [texture.level(scale) for scale in (2.0, 0.6, 0.5, 0.2, 0.1, 0.01, 0.0001)]
    assert levels == [0, 0, 1, 2, 3, 4, 4]
    assert [texture.hazed(level, 0, (0, 0, 0)).shape[0] for level in range(5)] == [200, 100, 50, 25, 13]
    assert Texture(picture(3, 3)).level(0.01) == 0


def test_haze_keeps_alpha_and_moves_colour():
    """In full haze a thing has the haze's colour, weighted by alpha; without any it is untouched."""
    image = np.array([[[10, 20, 30, 255], [0, 0, 0, 0], [5, 5, 5, 102]]], np.uint8)
    done = Texture(image).hazed(0, 1.0, (250, 0, 100))
    assert done[0].tolist() == [[100, 0, 250, 255], [0, 0, 0, 0], [40, 0, 100, 102]]
    assert (Texture(image).hazed(0, 0.0, (250, 0, 100)) == image).all()


def test_cards_of_one_picture_share_a_texture():
    """The same array has one texture while it is in use; another array, even an equal one, has its own."""
    one, two = picture(), picture()
    texture = Texture.of(one)
    assert Texture.of(one) is texture
    assert Texture.of(two) is not texture
    assert texture.mirrored is texture.mirrored
    assert (texture.mirrored[:, ::-1] == one).all()


def test_a_texture_goes_with_its_picture():
    """A picture that came to lie where a forgotten one lay is not mistaken for it."""
    for shade in range(40):
        image = np.full((30, 30, 4), shade, np.uint8)
        assert Texture.of(image).hazed(0, 0, (0, 0, 0))[0, 0, 0] == shade
        del image  # whatever holds it no longer counts: it goes at once
