"""What is read from an answer of the service holds no key, however its JSON spells it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klingo1.answer import Answer

KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=12, max_size=40)


def escaped(text):
    return "".join(f"\\u{ord(c):04x}" for c in text)


@given(key=KEYS, encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32"]), data=st.data())
def test_the_key_is_blotted_out_of_every_spelling(key, encoding, data):
    """Plain, escaped in part or whole, with a slash escaped, in any encoding that JSON may have."""
    told = json.dumps(
        {"data": {"error": f"no {key}!", f"<{key}>": [key]}}, ensure_ascii=data.draw(st.booleans())
    )
    if data.draw(st.booleans()) and f'"{key}"' in told:
        part = data.draw(st.integers(1, len(key)))
        told = told.replace(key, escaped(key[:part]) + key[part:])
    spelt = data.draw(st.sampled_from([str, lambda text: text.replace("/", "\\/")]))(told)
    envelope = Answer(200, {}, spelt.encode(encoding), key).envelope()
    assert envelope == {"data": {"error": "no [key]!", "<[key]>": ["[key]"]}}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b"nul"])
def test_what_is_no_object_is_no_envelope(body):
    """Nothing is made of it, and nothing raised."""
    assert Answer(200, {}, body, "wsk_key_0123456789").envelope() is None
