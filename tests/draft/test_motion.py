from fractions import Fraction

import av
import numpy as np
import pytest
from filming import turned

from klingo1.draft.encode import SOUND_RATE
from klingo1.draft.motion import Clip
from klingo1.draft.sound import sound_of
from klingo1.draft.stage import planes_of


def texture():
    import cv2

    rng = np.random.default_rng(1)
    rough = rng.integers(0, 255, (60, 100, 3), dtype=np.uint8)
    return cv2.resize(rough, (800, 480), interpolation=cv2.INTER_CUBIC)


def film(path, *, seconds=2.0, fps=24, step=4, times=None, sound=0.0, size=(320, 180)):
    """A window that slides over a texture, `step` pixels to the right a frame."""
    big = texture()
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio = container.add_stream("aac", rate=44_100, layout="mono") if sound else None
        for n in range(round(seconds * fps)):
            left = min(n * step, 800 - size[0])
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(big[: size[1], left : left + size[0]]), "bgr24"
            )
            frame.pts, frame.time_base = round(1000 * (times[n] if times else n / fps)), Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio is not None:
            wave = (0.3 * np.sin(np.arange(round(sound * 44_100)) * 0.05)).astype(np.float32)[None]
            for start in range(0, wave.shape[1], 1024):
                block = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(wave[:, start : start + 1024]), "fltp", "mono"
                )
                block.sample_rate, block.pts, block.time_base = 44_100, start, Fraction(1, 44_100)
                container.mux(audio.encode(block))
            container.mux(audio.encode())
    return path


def test_a_pan_becomes_a_pan(tmp_path):
    """The window slides right, so the picture slides left: the path follows at the right speed."""
    path = Clip(film(tmp_path / "pan.mp4"), 72).camera_path()
    pan, tilt, zoom = path.between(8, 12)
    assert pan == pytest.approx(-4 * 4 / 320, abs=0.015)
    assert abs(tilt) < 0.02
    assert abs(zoom) < 0.03


def test_the_path_is_limited_and_ends_with_the_clip(tmp_path):
    """However far the clip goes, the camera stays on the set; afterwards it rests."""
    path = Clip(film(tmp_path / "pan.mp4"), 240).camera_path()
    assert abs(path.between(0, 40)[0]) <= 0.16
    assert path.between(0, 100) == path.between(0, 200)


def test_a_variable_frame_rate_keeps_time(tmp_path):
    """Half the frames in the first half second: the path at one second is the same."""
    times = [n / 12 for n in range(6)] + [0.5 + n / 36 for n in range(42)]
    clip = Clip(film(tmp_path / "vfr.mp4", times=times), 48)
    assert len(clip.camera_path().steps) == pytest.approx(40, abs=3)


def test_the_inset_plays_and_starts_over(tmp_path):
    """A clip shorter than the film plays again; the inset is in the upper right corner only."""
    clip = Clip(film(tmp_path / "short.mp4", seconds=0.5), 60)
    shown = []
    for number in range(60):
        planes = np.zeros((540, 640), np.uint8)
        clip.show(planes, number)
        frame = planes[:360]
        shown.append(frame.astype(int))
        assert not any(part[:, :160].any() or part[90:].any() for part in planes_of(planes)[1:])
        assert frame[:, :320].max() == 0
        assert frame[180:].max() == 0
    assert np.abs(shown[2] - shown[8]).mean() > 0.3
    assert shown[40].max() > 0
    assert np.abs(shown[59] - shown[53]).mean() > 0.1


def test_a_turned_clip_stands_upright(tmp_path):
    """A phone's clip whose header turns it a quarter is shown and followed as it is meant to be seen."""
    clip = Clip(turned(film(tmp_path / "flat.mp4"), tmp_path / "turned.mp4"), 48)
    planes = np.zeros((540, 640), np.uint8)
    clip.show(planes, 0)
    rows, columns = np.nonzero(planes[:360])
    assert np.ptp(rows) > 1.4 * np.ptp(columns)
    pan, tilt, _ = clip.camera_path().between(8, 12)
    assert abs(tilt) > 3 * abs(pan)


def test_ten_seconds_cost_no_more_memory_than_two(tmp_path):
    """The path has a step for each frame of the film, and only one picture is held at a time."""
    clip = Clip(film(tmp_path / "long.mp4", seconds=10, fps=12, step=2), 240)
    assert len(clip.camera_path().steps) == pytest.approx(240, abs=4)
    held = []
    for number in range(0, 240, 40):
        clip.show(np.zeros((138, 160), np.uint8), number)
        held.append(clip._shown.nbytes)
    assert max(held) == min(held)


def test_a_clip_that_breaks_off_plays_as_far_as_it_goes(tmp_path):
    """Damage in the middle: what can be decoded moves the camera and is heard; nothing fails."""
    whole = film(tmp_path / "whole.mkv", seconds=3, sound=3.0).read_bytes()
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(whole[: len(whole) // 2])
    clip = Clip(broken, 72)
    assert 5 < len(clip.camera_path().steps) <= 72
    for number in range(72):
        clip.show(np.zeros((138, 160), np.uint8), number)
    sound = sound_of(broken, 3)
    assert sound is None or sound.shape == (2, 3 * SOUND_RATE)


def test_rubbish_plays_nothing(tmp_path):
    """A file that is no video neither fails nor shows."""
    path = tmp_path / "rubbish.mp4"
    path.write_bytes(b"no video" * 100)
    clip = Clip(path, 48)
    frame = np.zeros((138, 160), np.uint8)
    clip.show(frame, 0)
    assert frame.max() == 0
    assert clip.camera_path().between(0, 20) == (0, 0, 0)
    assert sound_of(path, 3) is None


def test_sound_keeps_its_place_under_the_pictures(tmp_path):
    """A clip whose pictures start half a second after its sound: the film starts with the pictures."""
    times = [0.5 + n / 24 for n in range(48)]
    late = sound_of(film(tmp_path / "late.mp4", times=times, sound=2.0), 3)
    whole = sound_of(film(tmp_path / "even.mp4", sound=2.0), 3)
    half = SOUND_RATE // 2
    assert late.shape == whole.shape
    assert np.abs(late[:, half : 2 * half] - whole[:, 2 * half : 3 * half]).max() < 0.02
    assert np.abs(late[:, 3 * half + 2000 :]).max() < 0.01


def test_sound_is_trimmed_and_padded_to_the_sample(tmp_path):
    """Too long is cut, too short is followed by silence, none is none."""
    path = film(tmp_path / "sound.mp4", sound=2.0)
    cut, padded = sound_of(path, 1.5), sound_of(path, 3)
    assert cut.shape == (2, round(1.5 * SOUND_RATE))
    assert padded.shape == (2, 3 * SOUND_RATE)
    assert np.abs(cut[:, -2000:]).max() > 0.1
    assert np.abs(padded[:, :SOUND_RATE]).max() > 0.1
    assert np.abs(padded[:, -SOUND_RATE // 2 :]).max() == 0
    assert sound_of(film(tmp_path / "mute.mp4"), 3) is None
