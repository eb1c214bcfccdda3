"""A tiny ONNX network, encoded by hand, runs in place of the big one that a machine's owner may have."""

import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from klingo1.draft.cutout import cut_out
from klingo1.draft.network import NetworkUnusable, network_matte


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """One protobuf field: a whole number, or bytes (text, a message) with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor_type(name, shape):
    sizes = b"".join(field(1, field(1, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))


def redness():
    """An ONNX model: one 1x1 convolution, red less green and blue, then a sigmoid."""
    weights = struct.pack("<3f", 2.0, -1.0, -1.0)
    kernel = b"".join(field(1, n) for n in (1, 3, 1, 1)) + field(2, 1) + field(8, "w") + field(9, weights)
    convolution = field(1, "x") + field(1, "w") + field(2, "c") + field(4, "Conv")
    sigmoid = field(1, "c") + field(2, "y") + field(4, "Sigmoid")
    graph = field(1, convolution) + field(1, sigmoid) + field(2, "redness") + field(5, kernel)
    graph += field(11, tensor_type("x", (1, 3, 320, 320))) + field(12, tensor_type("y", (1, 1, 320, 320)))
    return field(1, 7) + field(8, field(1, "") + field(2, 13)) + field(7, graph)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(redness())
    return path


def ball():
    """A red ball on mottled blue, BGR, and where it is."""
    rng = np.random.default_rng(4)
    picture = cv2.GaussianBlur(rng.integers(0, 120, (240, 300, 3), np.uint8), (0, 0), 2)
    picture[..., 0] += 100
    rows, columns = np.mgrid[0:240, 0:300]
    inside = (rows - 120) ** 2 + (columns - 150) ** 2 < 60**2
    picture[inside] = (20, 20, 230)
    return picture, inside


def test_the_networks_map_is_the_matte(model):
    """The answer comes back in the picture's size, high on what the network looks for."""
    picture, inside = ball()
    matte = network_matte(picture, model)
    assert matte.shape == inside.shape
    assert matte.dtype == np.uint8
    assert ((matte > 127) == inside).mean() > 0.98


def test_a_cut_uses_the_network(model, tmp_path):
    """With a model a photograph is cut by it, as a sticker."""
    picture, _ = ball()
    path = tmp_path / "ball.png"
    Image.fromarray(picture[..., ::-1]).save(path)
    cutout = cut_out(path, model=model)
    assert cutout.method == "sticker"
    assert abs(cutout.views[0].pixels.shape[0] - 128) < 12


@pytest.mark.parametrize("content", [b"", b"no network"])
def test_a_file_that_is_no_network_is_left_alone(content, tmp_path):
    """A broken model is told as such, and the cut falls back to the votes."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(content)
    picture, _ = ball()
    with pytest.raises(NetworkUnusable):
        network_matte(picture, broken)
    path = tmp_path / "ball.png"
    Image.fromarray(picture[..., ::-1]).save(path)
    assert cut_out(path, model=broken).method == cut_out(path).method
