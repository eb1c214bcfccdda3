"""Small films with known pictures, times and sound, and finished jobs around them."""

import struct
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import Colorspace

from klingo1.job import Job, Money, State
from klingo1.pricing import price_of
from klingo1.request import DraftOptions, Engine, VideoRequest

CREATED = 1_790_000_000.0


def film(path, *, size=(320, 180), seconds=1.0, fps=24, sound=False, codec="libx264", metadata=None):
    """A film whose grey value rises from picture to picture, with a red square; sound is a 440 Hz tone."""
    width, height = size
    count = round(seconds * fps)
    form = "matroska" if path.suffix == ".mkv" else "mp4"
    with av.open(str(path), "w", format=form) as out:
        out.metadata.update(metadata or {})
        stream = out.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "ultrafast"}
        track = out.add_stream("aac", rate=44_100, layout="mono") if sound else None
        for number in range(count):
            picture = np.full((height, width, 3), grey(number, count), np.uint8)
            picture[: height // 4, : width // 4] = (220, 30, 30)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU601
            )
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if track is not None:
            tone = (
                np.sin(np.arange(round(seconds * 44_100)) * 440 * 2 * np.pi / 44_100).astype(np.float32) / 2
            )
            for start in range(0, len(tone), 1024):
                block = av.AudioFrame.from_ndarray(
                    tone[None, start : start + 1024], format="fltp", layout="mono"
                )
                block.sample_rate, block.pts, block.time_base = 44_100, start, Fraction(1, 44_100)
                out.mux(track.encode(block))
            out.mux(track.encode(None))
    return path


def uneven_film(path, *, pix_fmt="yuv420p", size=(320, 180)):
    """24 pictures that are shown for 60 and 30 ms in turn, in another kind of pixels; no sound."""
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(24):
            picture = np.full((size[1], size[0], 3), grey(number, 24), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = number // 2 * 90 + number % 2 * 60, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def turned(video, to):
    """A copy whose header says: show it a quarter turn clockwise, as phones write it."""
    data = video.read_bytes()
    one = struct.pack(">i", 0x10000)
    upright = one + bytes(12) + one + bytes(12) + struct.pack(">i", 0x40000000)
    at = data.index(upright, data.index(b"tkhd"))
    matrix = bytes(4) + one + bytes(4) + struct.pack(">i", -0x10000) + bytes(4)
    to.write_bytes(data[:at] + matrix + data[at + 20 :])
    return to


def grey(number, count):
    """The grey value of a film's picture."""
    return 40 + round(170 * number / max(1, count - 1))


def finished(
    video, images, *, prompt="@Image1 walks", engine=Engine.KLING, duration=5, reference=None, **facts
):
    """A job that is done, whose request names these references."""
    request = VideoRequest(
        prompt=prompt,
        images=tuple(images),
        video=reference,
        duration=duration,
        aspect_ratio=facts.pop("aspect_ratio", "16:9"),
        draft=DraftOptions(roles=facts.pop("roles", ())),
    )
    price = price_of(request, engine)
    return Job(
        id="0123456789abcdef",
        owner="desk",
        engine=engine,
        state=facts.pop("state", State.DONE),
        request=request,
        price=price,
        money=Money.SPENT if price.micro else Money.FREE,
        created_at=CREATED,
        updated_at=CREATED,
        finished_at=CREATED + 60,
        video=video,
        **facts,
    )


def facts_of(path):
    """What a decoder finds: size, pictures, seconds, sound in seconds (0 when there is none), metadata."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(f.time, f.width, f.height) for f in container.decode(video=0)]
        found = {
            "form": container.format.name,
            "size": frames[0][1:],
            "codec": stream.codec_context.codec.canonical_name,
            "count": len(frames),
            "times": [time for time, *_ in frames],
            "metadata": {k.lower(): v for k, v in container.metadata.items()},
            "sound_codec": "",
            "sound": 0.0,
        }
    with av.open(str(path)) as container:
        found["seconds"] = container.duration / 1e6
        if container.streams.audio:
            found["sound_codec"] = container.streams.audio[0].codec_context.codec.canonical_name
            found["sound"] = sum(f.samples / f.sample_rate for f in container.decode(audio=0))
    return found


def loudness(path):
    """The root mean square of a film's sound, all channels."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=48_000)
        blocks = [r.to_ndarray() for f in container.decode(audio=0) for r in resampler.resample(f)]
    return float(np.sqrt(np.mean(np.concatenate(blocks, axis=1) ** 2)))
