"""Masks on their way from a person to the draft engine."""

import asyncio
import json
from dataclasses import replace

import pytest
from PIL import Image

from klingo1.arrivals import check_references, copy_references, digest_of
from klingo1.errors import InvalidRequest
from klingo1.intake_process import Apart
from klingo1.job import Job, Money, State
from klingo1.masks import normalise_mask
from klingo1.pricing import Price
from klingo1.records import decode_request, encode_request
from klingo1.request import GUESS, DraftOptions, Engine, VideoRequest
from klingo1.uploads import Uploads, sent_references


@pytest.fixture
def request_with_mask(picture, tmp_path):
    drawn = tmp_path / "drawn by hand.png"
    Image.new("L", (2000, 900), 255).save(drawn)
    wishes = DraftOptions(roles=("", "prop"), views=("left",), masks=(None, drawn), groups=(1, 1))
    return VideoRequest(prompt="a walk", images=(picture, picture), draft=wishes)


class Storage:
    """Takes uploads and tells where they are."""

    def __init__(self):
        self.files = {}

    async def upload(self, file, *, filename, content_type):
        self.files[filename] = (file.read_bytes(), content_type)
        return f"https://files.test/{filename}"


def test_a_job_has_its_own_copy_of_a_mask(request_with_mask, tmp_path):
    """The copy has our name, the ledger gives the same request back, and what is sent is a small PNG."""
    home = tmp_path / "home"
    own = copy_references(request_with_mask, home / "jobs" / "1")
    none, mask = own.draft.masks
    assert none is None
    assert mask == home / "jobs" / "1" / "references" / "mask2.png"
    assert decode_request(encode_request(own, home), home) == own
    with Image.open(normalise_mask(mask, tmp_path / "clean.png", field="masks[1]")) as written:
        assert written.format == "PNG"
        assert max(written.size) <= 1600


def test_masks_are_decoded_where_pictures_are(request_with_mask, tmp_path):
    """A stranger's mask is opened in the decoding process, and refused there when it is none."""
    apart = Apart()
    try:
        check_references(request_with_mask, Engine.DRAFT, apart)
        _, mask = request_with_mask.draft.masks
        assert apart.normalise_mask(mask, tmp_path / "clean.png", field="masks[1]").stat().st_size
        mask.write_bytes(b"nothing")
        with pytest.raises(InvalidRequest) as caught:
            check_references(request_with_mask, Engine.DRAFT, apart)
        assert caught.value.field == "masks[1]"
    finally:
        apart.close()


def test_a_mask_that_is_no_picture_is_refused(request_with_mask, tmp_path):
    """It is named before anything is copied or recorded."""
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    wishes = request_with_mask.draft
    for wrong in (broken, tmp_path / "missing.png"):
        request = replace(request_with_mask, draft=wishes.with_masks((None, wrong)))
        with pytest.raises(InvalidRequest) as caught:
            check_references(request, Engine.DRAFT)
        assert caught.value.field == "masks[1]"


def test_a_quote_is_bound_to_the_mask(request_with_mask):
    """Another mask makes another request."""
    free = Price(0)
    first = digest_of(request_with_mask, Engine.DRAFT, free)
    _, mask = request_with_mask.draft.masks
    Image.new("L", (10, 10), 9).save(mask)
    assert digest_of(request_with_mask, Engine.DRAFT, free) != first


def test_a_word_in_place_of_a_mask_goes_all_the_way(request_with_mask, tmp_path):
    """GUESS, which forgets a mask, is checked, copied, recorded and sent as it is."""
    home = tmp_path / "home"
    wishes = replace(request_with_mask.draft, masks=(GUESS, None))
    asked = replace(request_with_mask, draft=wishes)
    check_references(asked, Engine.DRAFT)
    own = decode_request(encode_request(copy_references(asked, home / "jobs" / "1"), home), home)
    assert own.draft.masks == (GUESS, None)
    assert DraftOptions.from_wire(own.draft.to_wire()).masks == (GUESS, None)


@pytest.mark.parametrize("engine", list(Engine))
def test_masks_are_uploaded_for_drafts_only(engine, request_with_mask, tmp_path):
    """A draft's submit names masks by address; the paid service never hears of them."""
    own = copy_references(request_with_mask, tmp_path / "jobs" / "1")
    job = Job(
        id="1", owner="", engine=engine, state=State.UPLOADING, request=own, price=Price(0), money=Money.FREE,
        created_at=0.0, updated_at=0.0,
    )  # fmt: skip
    storage, uploads = Storage(), Uploads({})

    class Clock:
        def time(self):
            return 1.0

    sent = asyncio.run(uploads.complete(job, storage, folder=tmp_path, clock=Clock()))
    masks = [name for name in storage.files if "mask" in name]
    if engine is Engine.DRAFT:
        assert sent.draft.to_wire() == {
            "size": "720p",
            "roles": ["", "prop"],
            "views": ["left"],
            "masks": [None, "https://files.test/reference-masks-1.png"],
            "groups": [1, 1],
        }
        assert storage.files[masks[0]][1] == "image/png"
    else:
        assert not masks

    column = json.dumps(uploads.rows())
    assert len(sent_references(job, column)) == 2
    assert DraftOptions.from_wire(sent.draft.to_wire()).views == ("left",)


def test_a_local_mask_is_never_put_on_the_wire(request_with_mask):
    """A path of this computer does not leave it."""
    with pytest.raises(ValueError, match="uploaded"):
        request_with_mask.draft.to_wire()
