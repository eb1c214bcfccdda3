"""Films of fewer pixels, for tests that do not look at the picture. Importing this loads no renderer."""

from klingo1.draft.worker import render_film


def small_film(order):
    """The engine's film, of a ninth of the pixels; what a rendering process runs."""
    from klingo1.draft.frames import SIZES

    whole = dict(SIZES)
    SIZES.update({key: (width // 3 & ~1, height // 3 & ~1) for key, (width, height) in whole.items()})
    try:
        return render_film(order)
    finally:
        SIZES.update(whole)
