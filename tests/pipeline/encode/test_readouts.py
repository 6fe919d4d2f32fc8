"""Many readouts, layers and poolings of one model into one store each."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from importlib.machinery import ModuleSpec

import numpy as np
import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.core import Frames, Readout, Space, SpaceMismatchError, Text, UniformSampler
from moviola.core.pooling import POOLINGS
from moviola.core.token_pooling import pool_by_ward
from moviola.pipeline.encode.encode import encode_captions, encode_videos
from moviola.pipeline.index.index import index
from moviola.pipeline.search.aligned_encoder import AlignedEncoder
from moviola.pipeline.search.search import search
from moviola.plugins import load_encoder
from moviola.store import StoreWriter, open_clips, open_embeddings, open_texts

MODEL = "moviola_layered_toy:Layered"
DEPTH, WIDTH = 2, 8
CAPTIONS = [Text(f"video{i}-1", f"a {word} square") for i, word in enumerate(["red", "green"])]
COLOURS = {"video0": (220, 20, 20), "video1": (20, 220, 20)}


class Layered:
    """A toy of `ManyReadouts`: row i of layer n is the word's or frame's numbers, times n + 1."""

    calls = 0

    def __init__(self, readout=("plain",), layers="", pooling=("mean",)):
        names = [readout] if isinstance(readout, str) else readout
        if unknown := set(names) - {"plain", "loud"}:
            raise ValueError(f"no readout is called {min(unknown)!r}")
        found = range(DEPTH + 1) if layers == "all" else [int(layers or DEPTH)]
        poolings = [pooling] if isinstance(pooling, str) else pooling
        self.ways = {}
        for name in names:
            for layer in found:
                for pooled in poolings:
                    parts = [name] * (len(names) > 1) + [f"layer-{layer:02d}"] * (len(found) > 1)
                    parts += [pooled] * (len(poolings) > 1)
                    self.ways["/".join(parts)] = (name, layer, pooled)
        self.space = Space("layered", "1", "none", WIDTH)
        self.sampler = UniformSampler(2)

    def _readouts(self):
        return {
            key: Readout("numbers", prompt=name, layer=str(layer), pooling=pooled)
            for key, (name, layer, pooled) in self.ways.items()
        }

    text_readouts = video_readouts = property(_readouts)
    text_readout = video_readout = property(lambda self: next(iter(self._readouts().values())))

    def _read(self, numbers):
        type(self).calls += 1
        found = []
        for rows in numbers:
            own = {}
            for key, (name, layer, pooled) in self.ways.items():
                made = np.float32(rows * (layer + 1) + (name == "loud"))
                own[key] = made if pooled == "none" else POOLINGS[pooled](made)[None]
            found.append(own)
        return found

    def read_texts(self, texts):
        return self._read(
            [
                np.stack([np.bincount([ord(c) % WIDTH for c in w], minlength=WIDTH) for w in words])
                for words in (text.split() for text in texts)
            ]
        )

    def read_videos(self, clips):
        means = [clip.pixels.mean(axis=(1, 2)) for clip in clips]
        return self._read([np.pad(mean, ((0, 0), (0, WIDTH - 3))) / 100 for mean in means])

    def _first(self, read):
        rows = [next(iter(own.values())) for own in read]
        return [each / np.linalg.norm(each, axis=1, keepdims=True) for each in rows]

    def encode_texts(self, texts):
        return self._first(self.read_texts(texts))

    def encode_videos(self, clips):
        return self._first(self.read_videos(clips))


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    module = types.ModuleType("moviola_layered_toy")
    module.__spec__ = ModuleSpec(module.__name__, None)
    module.Layered = Layered
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(Layered, "calls", 0)


@pytest.fixture
def folder(tmp_path, colour_video):
    videos = tmp_path / "videos"
    videos.mkdir()
    for name, colour in COLOURS.items():
        colour_video(videos / f"{name}.mp4", colour)
    return videos


def test_one_pass_fills_a_store_for_every_way_of_reading(folder, tmp_path):
    report = encode_videos(
        [folder],
        out=tmp_path / "out",
        model=MODEL,
        readouts=("plain", "loud"),
        layers="all",
        poolings=("none", "max"),
    )
    assert Layered.calls == 1
    assert len(report.written) == 2 * (DEPTH + 1) * 2
    stores = {
        path.relative_to(tmp_path / "out").as_posix(): open_clips(path) for path in report.written
    }
    assert {len(store.items) for store in stores.values()} == {2}
    assert len({tuple(store.items) for store in stores.values()}) == 1
    assert len({store.readout for store in stores.values()}) == len(stores)
    one, two = stores["plain/layer-00/none"], stores["loud/layer-02/none"]
    np.testing.assert_allclose(
        two.vectors.astype(np.float32), one.vectors.astype(np.float32) * 3 + 1, rtol=2e-3
    )
    pooled = stores["plain/layer-01/max"]
    assert pooled.is_pooled
    np.testing.assert_allclose(
        pooled.rows(0)[0], stores["plain/layer-01/none"].rows(0).max(0), rtol=2e-3
    )


def test_one_way_of_reading_is_written_to_the_folder_itself(tmp_path):
    report = encode_captions(
        CAPTIONS, out=tmp_path / "out", model=MODEL, layers="1", dtype="float32"
    )
    assert report.written == (tmp_path / "out",)
    store = open_texts(tmp_path / "out")
    assert store.readout.layer == "1"
    assert store.vectors.dtype == np.float32


def test_what_was_cut_short_goes_on_in_every_store(tmp_path, monkeypatch):
    options = {"out": tmp_path / "out", "model": MODEL, "layers": "all"}
    append = StoreWriter.append
    monkeypatch.setattr("moviola.pipeline.encode.encode._texts_at_once", lambda _: 1)

    def die(self, item, rows):
        if item is CAPTIONS[1] and self._folder.name == "layer-01":
            raise KeyboardInterrupt
        append(self, item, rows)

    monkeypatch.setattr(StoreWriter, "append", die)
    with pytest.raises(KeyboardInterrupt):
        encode_captions(CAPTIONS, **options)
    monkeypatch.setattr(StoreWriter, "append", append)
    Layered.calls = 0
    report = encode_captions(CAPTIONS, **options)
    assert Layered.calls == 1  # the second caption alone
    for path in report.written:
        assert [item.id for item in open_texts(path).items] == [text.id for text in CAPTIONS]


def test_readouts_are_not_mixed_in_one_store(tmp_path, monkeypatch):
    def stop(self, order):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StoreWriter, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            encode_captions(CAPTIONS, out=tmp_path / "out", model=MODEL)
    with pytest.raises(SpaceMismatchError, match="prompt 'plain' is not 'loud'"):
        encode_captions(CAPTIONS, out=tmp_path / "out", model=MODEL, readouts=("loud",))
    assert encode_captions(CAPTIONS, out=tmp_path / "out", model=MODEL).items == 2
    with pytest.raises(FileExistsError, match="--out"):
        encode_captions(CAPTIONS, out=tmp_path / "out", model=MODEL, layers="all")


def test_models_that_are_read_in_one_way_say_so(tmp_path):
    echo = "moviola.testing:EchoEncoder"
    for options in ({"readouts": ("content",)}, {"layers": "all"}):
        with pytest.raises(ValueError, match="leave --readout and --layers out"):
            encode_captions(CAPTIONS, out=tmp_path / "out", model=echo, **options)
    with pytest.raises(ValueError, match="no readout is called 'quiet'"):
        encode_captions(CAPTIONS, out=tmp_path / "out", model=MODEL, readouts=("quiet",))
    assert not (tmp_path / "out").exists()


def test_the_command_writes_one_npy_an_item(tmp_path):
    table = tmp_path / "captions.csv"
    table.write_text("id,caption\n" + "".join(f"{t.id},{t.text}\n" for t in CAPTIONS))
    words = ["encode", str(table), "--out", str(tmp_path / "out"), "--model", MODEL]
    words += ["--layers", "all", "--pool", "none", "--layout", "npy", "--readout", "loud"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    files = sorted((tmp_path / "out" / "layer-02").glob("*.npy"))
    assert [np.load(file).shape for file in files] == [(3, WIDTH), (3, WIDTH)]


def test_a_library_remembers_how_its_model_is_read(folder, tmp_path):
    place = tmp_path / "library"
    index([folder], library=place, model=f"{MODEL},readout=loud,layers=1", segment="whole")
    assert search("red", library=place, top=2)
    with pytest.raises(SpaceMismatchError, match="prompt"):
        index([folder], library=place, model=MODEL, segment="whole")


def test_poolings_of_a_plain_model_come_from_its_rows(folder, tmp_path):
    report = encode_videos([folder], out=tmp_path / "out", model="shapes", poolings=("none", "max"))
    rows, largest = map(open_embeddings, report.written)
    np.testing.assert_allclose(largest.rows(0)[0], rows.rows(0).max(axis=0), atol=2e-3)


class Shift:
    """What a fitted head is to `AlignedEncoder`, which hands it rows; remembers their lengths."""

    def __init__(self):
        self.texts = self.clips = self
        self.space = Space("shifted", "1", "none", WIDTH)
        self.seen = []

    def require_like(self, *_args, **_named):
        """Anything goes."""

    def align_texts(self, rows):
        self.seen += [float(np.linalg.norm(rows.rows(i))) for i in range(len(rows))]
        return rows

    align_clips = align_texts


def test_a_head_sees_the_rows_that_stores_hold(tmp_path, folder):
    encoder = load_encoder(MODEL, pooling="sum")
    head = Shift()
    aligned = AlignedEncoder(encoder, head)
    options = {"model": MODEL, "poolings": ("sum",), "dtype": "float32"}
    encode_captions(CAPTIONS, out=tmp_path / "texts", **options)
    encode_videos([folder], out=tmp_path / "clips", **options)
    aligned.encode_texts([text.text for text in CAPTIONS])
    stored = open_texts(tmp_path / "texts").vectors
    np.testing.assert_allclose(head.seen, np.linalg.norm(stored, axis=1), rtol=1e-5)
    assert min(head.seen) > 2  # not of unit length
    head.seen.clear()
    clip = Frames(np.full((2, 4, 4, 3), 90, np.uint8), np.array([0.0, 0.5]))
    aligned.encode_videos([clip])
    expected = np.linalg.norm(encoder.read_videos([clip])[0][""])
    assert head.seen == pytest.approx([float(expected)])


def test_rows_are_pooled_to_a_few_beside_other_poolings_from_one_pass(tmp_path):
    out = tmp_path / "out"
    encode_captions(
        [Text("a", "one two three four five")],
        out=out,
        model="moviola_layered_toy:Layered",
        readouts=["plain", "loud"],
        poolings=["mean", "hierarchical-2", "none"],
    )
    assert Layered.calls == 1
    for name in ("plain", "loud"):
        rows = open_texts(out / name / "none")
        few = open_texts(out / name / "hierarchical-2")
        assert few.readout == replace(rows.readout, pooling="hierarchical-2")
        assert [len(rows.rows(0)), len(few.rows(0))] == [5, 2]
        np.testing.assert_allclose(few.rows(0), pool_by_ward(rows.rows(0), 2), atol=2e-3)
        assert len(open_texts(out / name / "mean").rows(0)) == 1


def test_a_model_without_attention_says_so(tmp_path):
    with pytest.raises(ValueError, match="'shapes' tells no attention among its rows"):
        encode_captions([Text("a", "b")], out=tmp_path, model="shapes", poolings=["attention-5"])


def test_a_model_read_in_one_way_pools_its_rows_to_a_few(tmp_path):
    text = Text("a", "a red circle moves left then a blue square moves up then it stops")
    encode_captions([text], out=tmp_path / "o", model="shapes", poolings=["hierarchical-2", "none"])
    few = open_texts(tmp_path / "o" / "hierarchical-2")
    rows = open_texts(tmp_path / "o" / "none").rows(0)
    assert len(rows) > 2
    np.testing.assert_allclose(few.rows(0), pool_by_ward(rows, 2), atol=2e-3)
    assert few.readout.pooling == "hierarchical-2"
