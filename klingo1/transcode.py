"""Videos for the places they go to: MP4, WebM or GIF, at original size, 720p or 480p.

One frame is held at a time. An MP4 that already has the wanted size is not encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klingo1.decoding import clockwise, moving, opened, unreadable
from klingo1.filters import Steps, deadline, encode_all, pipe_of, rate_of, scale
from klingo1.gif import write_gif
from klingo1.recipe import rewrap
from klingo1.whole import whole

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

SECONDS_MAX = 120.0
"""Longest film that is transcoded; results have at most ten seconds."""
GIF_SHORT_SIDE_MAX = 720
"""A GIF at original size is made no larger than this: ten seconds of 1080p would have some 200 MB."""
_SOUND_RATE = 48_000
_OPUS_FRAME = 960
_TURNS = {90: ["clock"], 180: ["clock", "clock"], 270: ["cclock"]}
_KEPT = ("title", "comment")


class Form(StrEnum):
    """What a video is written as."""

    MP4 = "mp4"
    WEBM = "webm"
    GIF = "gif"


class Size(StrEnum):
    """The length of the short side; a video is never made larger than it is."""

    ORIGINAL = "original"
    P720 = "720p"
    P480 = "480p"


def target_size(width: int, height: int, size: Size, *, form: Form = Form.MP4) -> tuple[int, int]:
    """Width and height in pixels, both even, of a video of `width` x `height` at `size`."""
    short = min(width, height)
    wanted = short if size is Size.ORIGINAL else int(size.value.removesuffix("p"))
    if form is Form.GIF:
        wanted = min(wanted, GIF_SHORT_SIDE_MAX)
    scale = min(1.0, wanted / short)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def transcode(
    video: Path,
    to: Path,
    *,
    form: Form,
    size: Size = Size.ORIGINAL,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write `video` to `to` in another form and size, with its sound where the form has any.

    `metadata` replaces the title and comment that the video carries; what it does not name is kept, a draft's
    mark and recipe with it. A GIF has none. Raises InvalidRequest when the video cannot be read or
    lasts more than 120 s, OSError when `to` cannot be written.
    """
    with opened(video) as source:
        stream = moving(source)
        turn = clockwise(next(source.decode(stream)))
        width, height = stream.codec_context.width, stream.codec_context.height
        if turn in {90, 270}:
            width, height = height, width
        target = target_size(width, height, size, form=form)
        # Other kinds of pixels (10 bits, 4:4:4) are H.264 as well, but most players show nothing of them.
        context = stream.codec_context
        plays = context.codec.canonical_name == "h264" and context.pix_fmt in {"yuv420p", "yuvj420p"}
        same = plays and target == (width, height)
        carried = {k.lower(): v for k, v in source.metadata.items() if k.lower() in _KEPT}
        if source.duration and source.duration > SECONDS_MAX * 1e6:
            raise unreadable(f"The video lasts more than {SECONDS_MAX:g} s.")
    kept = carried | dict(metadata or {})
    if form is Form.MP4 and same:
        rewrap(video, to, kept)
        return
    steps = [("transpose", way) for way in _TURNS.get(turn, [])]
    if form is Form.GIF:
        write_gif(video, to, steps=steps, size=target)
    else:
        _write_film(video, to, form=form, steps=steps, size=target, metadata=kept)


def _write_film(
    video: Path, to: Path, *, form: Form, steps: Steps, size: tuple[int, int], metadata: Mapping[str, str]
) -> None:
    import av  # noqa: PLC0415 - `import klingo1` leaves the decoders unloaded

    check = deadline()
    options = {"movflags": "+faststart"} if form is Form.MP4 else {}
    with (
        opened(video) as source,
        whole(to) as part,
        av.open(str(part), "w", format=form.value, container_options=options) as target,
    ):
        target.metadata.update(metadata)
        stream = moving(source)
        pipe = pipe_of(stream, [*steps, scale(stream, size), ("format", "yuv420p")])
        picture = _picture_stream(target, form, stream, size)
        sound = next(iter(source.streams.audio), None)
        write_sound = _sound_writer(target, form, sound) if sound is not None else None
        for packet in source.demux([s for s in (stream, sound) if s is not None]):
            check()
            if sound is not None and write_sound is not None and packet.stream.index == sound.index:
                write_sound(packet)
                continue
            for frame in packet.decode():
                encode_all(target, picture, pipe.through(frame))
        encode_all(target, picture, pipe.through(None))
        target.mux(picture.encode(None))


def _picture_stream(target: Any, form: Form, source: VideoStream, size: tuple[int, int]) -> VideoStream:
    codec = "libx264" if form is Form.MP4 else "libvpx-vp9"
    stream: VideoStream = target.add_stream(codec, rate=rate_of(source))
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    # Ticks as fine as the source's: pictures that follow each other unevenly keep their times.
    stream.codec_context.time_base = source.time_base or 1 / rate_of(source)
    if form is Form.MP4:
        stream.options = {"preset": "veryfast", "crf": "20"}
    else:
        # A person waits for this: the settings for live encoding, with the rate left to the quality.
        stream.options = {"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "crf": "30", "b": "0"}
    given, context = source.codec_context, stream.codec_context
    context.thread_count = 2
    # The numbers are not converted, so what they mean has to go with them.
    context.color_range, context.colorspace = given.color_range, given.colorspace
    context.color_primaries, context.color_trc = given.color_primaries, given.color_trc
    return stream


def _sound_writer(target: Any, form: Form, sound: AudioStream) -> Callable[[Any], None]:
    """Takes the packets of a sound track: AAC goes into an MP4 as it is, all else is encoded."""
    import av  # noqa: PLC0415 - as above

    if form is Form.MP4 and sound.codec_context.codec.canonical_name == "aac":
        copied = target.add_stream_from_template(sound, opaque=True)

        def copy(packet: Any) -> None:
            if packet.dts is not None and packet.size:
                packet.stream = copied
                target.mux(packet)

        return copy
    codec, block = ("aac", 1024) if form is Form.MP4 else ("libopus", _OPUS_FRAME)
    stream = target.add_stream(codec, rate=_SOUND_RATE, layout="stereo")
    stream.bit_rate = 160_000
    resampler = av.AudioResampler(
        format="fltp" if form is Form.MP4 else "flt", layout="stereo", rate=_SOUND_RATE, frame_size=block
    )

    def encode(packet: Any) -> None:
        for frame in packet.decode():
            for ready in resampler.resample(frame):
                target.mux(stream.encode(ready))
        if packet.dts is None:  # the empty packet at the end
            for ready in resampler.resample(None):
                target.mux(stream.encode(ready))
            target.mux(stream.encode(None))

    return encode
