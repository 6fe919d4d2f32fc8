"""The precision of a run is decided once, obeyed, and recorded where its vectors lie."""

from __future__ import annotations

import json

import pytest

import moviola
from moviola.core import Text
from moviola.library import Library
from moviola.pipeline.encode.encode import encode_captions, encode_videos
from moviola.store import StoreWriter, open_texts
from moviola.store.card import StoreCard
from moviola.testing import EchoEncoder

TEXTS = [Text(f"t{number}", f"a red word {number}") for number in range(3)]


class Precise(EchoEncoder):
    """Tells in which precision it was asked to compute."""

    def __init__(self, precision=None):
        self._precision = precision or "bfloat16"

    def precision(self, _):
        return self._precision


PRECISE, SILENT = f"{__name__}:Precise", "moviola.testing:EchoEncoder"


@pytest.fixture(scope="module")
def videos(tmp_path_factory, colour_video):
    folder = tmp_path_factory.mktemp("videos")
    colour_video(folder / "red.mp4", (220, 20, 20), seconds=1)
    return folder


@pytest.mark.parametrize(("asked", "told"), [(None, "bfloat16"), ("float32", "float32")])
def test_a_store_names_its_precision(videos, tmp_path, asked, told):
    encode_captions(TEXTS, out=tmp_path / "t", model=PRECISE, precision=asked)
    encode_videos([videos], out=tmp_path / "v", model=PRECISE, precision=asked)
    assert StoreCard.read(tmp_path / "t").precision == told
    assert StoreCard.read(tmp_path / "v").precision == told


def test_a_store_of_before_opens_and_is_unknown(tmp_path):
    encode_captions(TEXTS, out=tmp_path / "t", model=PRECISE)
    path = tmp_path / "t" / "card.json"
    card = json.loads(path.read_text())
    del card["precision"]
    path.write_text(json.dumps(card))
    assert StoreCard.read(tmp_path / "t").precision == ""
    assert len(open_texts(tmp_path / "t").items) == 3


def draft(folder, precision):
    tower = EchoEncoder()
    return StoreWriter(
        folder,
        kind="texts",
        space=tower.space,
        readout=tower.text_readout,
        precision=precision,
    )


def test_a_run_goes_on_in_its_own_precision_or_not_at_all(tmp_path):
    rows = EchoEncoder().encode_texts([text.text for text in TEXTS])
    writer = draft(tmp_path / "t", "bfloat16")
    writer.append(TEXTS[0], rows[0])
    writer.release()
    with pytest.raises(ValueError, match=r"in bfloat16, .* go on with --precision bfloat16"):
        draft(tmp_path / "t", "float32")
    with draft(tmp_path / "t", "bfloat16") as writer:
        writer.append(TEXTS[1], rows[1])
    assert StoreCard.read(tmp_path / "t").precision == "bfloat16"


def test_what_was_begun_in_an_unknown_precision_stays_unknown(tmp_path):
    draft(tmp_path / "t", "").release()
    with draft(tmp_path / "t", "float32") as writer:
        writer.append(TEXTS[0], EchoEncoder().encode_texts(["a"])[0])
    assert StoreCard.read(tmp_path / "t").precision == ""


def test_a_model_that_takes_no_precision_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"takes no precision; leave --precision float32 out"):
        encode_captions(TEXTS, out=tmp_path / "t", model=SILENT, precision="float32")
    encode_captions(TEXTS, out=tmp_path / "t", model=SILENT)
    assert StoreCard.read(tmp_path / "t").precision == ""


def test_a_library_names_every_precision_that_it_holds(videos, tmp_path, colour_video):
    place = tmp_path / "library"
    report = moviola.index([videos], library=place, model=PRECISE)
    assert Library.open(place).card.precision == "bfloat16"
    assert not report.warnings
    more = tmp_path / "more"
    more.mkdir()
    colour_video(more / "blue.mp4", (20, 20, 220), seconds=1)
    # Nothing is decoded, so nothing is recorded.
    moviola.index([videos], library=place, precision="float32")
    assert Library.open(place).card.precision == "bfloat16"
    report = moviola.index([more], library=place, precision="float32")
    assert Library.open(place).card.precision == "bfloat16, float32"
    assert "several precisions (bfloat16, float32)" in report.warnings[0]
    assert len(moviola.search("red", library=place)) == 2


def test_a_library_of_before_opens_and_stays_unknown(videos, tmp_path, colour_video):
    place = tmp_path / "library"
    moviola.index([videos], library=place, model=PRECISE)
    path = place / "library.json"
    card = json.loads(path.read_text())
    del card["precision"]
    path.write_text(json.dumps(card))
    assert Library.open(place).card.precision == ""
    assert moviola.index([videos], library=place).skipped == 1
    colour_video(tmp_path / "blue.mp4", (20, 20, 220), seconds=1)
    moviola.index([tmp_path / "blue.mp4"], library=place)
    assert Library.open(place).card.precision == "unknown, bfloat16"
