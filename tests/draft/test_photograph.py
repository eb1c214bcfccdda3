"""The votes on photographs: what is measured, and that quarrels, textures and time stay in bounds."""

import time

import cv2
import numpy as np

from klingo1.draft import photograph
from klingo1.draft.salience import barrier_salience, difference, reduced


def scene(subject=True):
    """A soft, mottled ground with a striped, warm ball before it."""
    rng = np.random.default_rng(8)
    ground = cv2.GaussianBlur(rng.normal(0, 60, (300, 400, 3)), (0, 0), 9) * 3 + (120, 110, 60)
    if subject:
        rows, columns = np.mgrid[0:300, 0:400]
        inside = (rows - 160) ** 2 + (columns - 200) ** 2 < 80**2
        ground[inside] = np.where((rows[inside] // 9 % 2 == 0)[:, None], (40, 120, 235), (30, 60, 150))
    return ground.clip(0, 255).astype(np.uint8)


def test_a_thing_before_a_soft_ground_is_found():
    """Starts that know different things agree on a ball, and keep all of it."""
    vote = photograph.vote(scene())
    rows, columns = np.mgrid[0 : vote.mask.shape[0], 0 : vote.mask.shape[1]]
    height = vote.mask.shape[0]
    ball = (rows / height * 300 - 160) ** 2 + (columns / height * 300 - 200) ** 2 < 78**2
    assert vote.confidence > 0.8
    assert vote.mask[ball].mean() > 0.98
    assert vote.mask[~ball].mean() < 0.1


def test_a_ground_without_a_subject_is_not_cut():
    """Where nothing stands out no cut is worth showing."""
    assert photograph.vote(scene(subject=False)).confidence < 0.5


def test_a_piece_of_something_larger_is_no_subject():
    """Where the rest of the picture is fuller of detail than what was cut, the cut is a piece of it."""
    picture = scene()
    rows, columns = np.mgrid[0:300, 0:400]
    around = (rows - 160) ** 2 + (columns - 200) ** 2 > 84**2
    weave = np.where((rows // 3 + columns // 3) % 2 == 0, 60, 0)[..., None]
    picture = np.where(around[..., None], (picture // 2 + weave).astype(np.uint8), (40, 120, 235))
    vote = photograph.vote(picture.astype(np.uint8))
    assert vote.busy > 0.9
    assert vote.confidence < 0.1


def test_noise_is_given_up_at_once():
    """A texture is recognised before GrabCut spends seconds on it."""
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1600, 3), np.uint8)
    start = time.process_time()
    vote = photograph.vote(noise)
    assert time.process_time() - start < 1.5
    assert vote.cover == 0
    assert vote.confidence == 0
    assert vote.place


def test_salience_is_high_inside_and_low_at_the_border():
    """What no path from the border reaches without a step stands out."""
    lab = cv2.cvtColor(scene().astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
    salience = barrier_salience(lab)
    assert salience.shape == lab.shape[:2]
    assert salience[140:180, 180:220].mean() > 3 * salience[:, :20].mean()
    assert salience.min() >= 0
    assert salience.max() <= 1


def test_difference_of_colours():
    """Equal lists differ by 0, disjoint ones by 1."""
    one, two = np.full((50, 3), 20.0, np.float32), np.full((70, 3), 80.0, np.float32)
    assert difference(one, one) == 0
    assert difference(one, two) == 1


def test_reduced_never_enlarges():
    """Small pictures stay as they are."""
    small = np.zeros((20, 30, 3), np.uint8)
    assert reduced(small, 100) is small
    assert reduced(np.zeros((200, 400, 3), np.uint8), 100).shape == (50, 100, 3)
