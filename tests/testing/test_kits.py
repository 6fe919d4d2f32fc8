"""The kits let good plug-ins pass and say in one sentence what is wrong with bad ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from moviola.core import (
    Clip,
    DatasetError,
    Frames,
    PictureSize,
    Qrels,
    Readout,
    RetrievalDataset,
    SoundSpec,
    Space,
    Span,
    Text,
    UniformSampler,
)
from moviola.score import cosine
from moviola.testing import EchoEncoder, check_dataset, check_encoder, check_unpooled


def test_the_toy_passes_its_own_kit():
    check_encoder(EchoEncoder())


def test_the_toy_finds_red_where_it_is_red():
    toy = EchoEncoder()
    clips = [
        Frames(np.full((2, 8, 8, 3), colour, np.uint8), np.arange(2.0))
        for colour in ((250, 3, 3), (9, 9, 240), (255, 255, 0))
    ]
    videos = np.concatenate(toy.encode_videos(clips))
    asked = np.concatenate(toy.encode_texts(["a red square", "the sea is blue", "Yellow"]))
    assert (asked @ videos.T).argmax(axis=1).tolist() == [0, 1, 2]


class Shouting(UniformSampler):
    __slots__ = ()

    def times(self, span):
        return super().times(span) + 1.0


def changed(**attributes):
    return type("Changed", (EchoEncoder,), attributes)()


def texts_by(change):
    return {"encode_texts": lambda _, texts: change(EchoEncoder().encode_texts(texts), texts)}


def videos_by(change):
    return {"encode_videos": lambda _, clips: change(EchoEncoder().encode_videos(clips), clips)}


NOISE = np.random.default_rng(0)


def spoil(rows, clips):
    for frames in clips:
        frames.pixels[:] = 0
    return rows


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        (texts_by(lambda rows, _: rows[1:]), r"encode_texts gave \d arrays for 9 inputs"),
        (texts_by(lambda rows, _: [2 * row for row in rows]), "length 2; rows must have length 1"),
        (texts_by(lambda rows, _: [row.astype(float) for row in rows]), "must be float32, got"),
        (texts_by(lambda rows, _: [row[0] for row in rows]), r"must be \(n, 32\), got \(32,\)"),
        (texts_by(lambda rows, _: [row[:, :9] for row in rows]), r"must be \(n, 32\)"),
        (texts_by(lambda rows, _: [row * np.nan for row in rows]), "holds NaN or infinity"),
        (texts_by(lambda rows, _: [row.repeat(2, 0) for row in rows]), "its readout says"),
        (texts_by(lambda rows, _: [np.eye(1, 32, dtype=np.float32)] * len(rows)), "same vector"),
        (texts_by(lambda rows, _: rows[::-1]), "depends on the o"),
        (
            texts_by(lambda rows, _: [np.roll(row, NOISE.integers(1, 9)) for row in rows]),
            "not deterministic",
        ),
        (
            texts_by(lambda rows, texts: [np.roll(row, len(texts)) for row in rows]),
            "encode_texts depends on the other inputs of a batch: 'a red",
        ),
        (videos_by(lambda rows, _: rows[:1] * len(rows)), "depends on the other"),
        (videos_by(spoil), "encode_videos is not det|changes the pixels"),
        ({"sampler": Shouting(4)}, r"sampler.times for \[0.0, 0.04\) leave the span"),
        ({"space": Space.anonymous(32)}, "space must name its model"),
        ({"space": "echo"}, "space is a str, not a Space"),
        ({"space": replace(EchoEncoder.space, dimension=8)}, r"must be \(n, 8\)"),
        ({"text_readout": None}, "text_readout is a NoneType, not a Readout"),
        (
            {"video_readout": property(lambda _: Readout(str(NOISE.integers(10**9))))},
            "video_readout differs each time",
        ),
        ({"sampler": type("Local", (UniformSampler,), {})(4)}, "sampler does not pickle"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_one_sentence(attributes, sentence):
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_encoder(changed(**attributes))
    assert "\n" not in str(caught.value)


class Listening(EchoEncoder):
    """Adds how loud a clip is to the last coordinate."""

    sound = SoundSpec(100, 1)
    video_readout = replace(EchoEncoder.video_readout, sampling=f"uniform:4 {sound.spec}")

    def encode_videos(self, clips):
        rows = []
        for row, frames in zip(super().encode_videos(clips), clips, strict=True):
            loud = np.abs(frames.sound.samples).mean() if frames.sound.samples.size else 0.0
            row[:, 31] += loud
            rows.append(row / np.linalg.norm(row))
        return rows


def test_an_encoder_that_hears_passes():
    check_encoder(Listening())


def spoil_sound(self, clips):
    rows = Listening.encode_videos(self, clips)
    for frames in clips:
        frames.sound.samples[:] = np.roll(frames.sound.samples, 1)
    return rows


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"sound": (100, 1)}, "sound is a tuple, neither a SoundSpec nor None"),
        ({"sound": SoundSpec(200, 1)}, "does not tell of the sound that is heard .sound:200/1"),
        ({"encode_videos": EchoEncoder.encode_videos}, "need not ask for sound"),
        ({"encode_videos": spoil_sound}, "changes the pixels or the sound"),
    ],
)
def test_a_broken_promise_about_sound(attributes, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_encoder(type("Changed", (Listening,), attributes)())


class Rows(EchoEncoder):
    """A row for each frame and for each word."""

    video_readout = replace(EchoEncoder.video_readout, pooling="none")
    text_readout = replace(EchoEncoder.text_readout, pooling="none")

    def encode_texts(self, texts):
        one = super().encode_texts
        return [np.concatenate(one(text.split() or [""])) for text in texts]

    def encode_videos(self, clips):
        one = super().encode_videos
        return [
            np.concatenate(one([Frames(p[None], t[None]) for p, t in zip(*each, strict=True)]))
            for each in ((clip.pixels, clip.times) for clip in clips)
        ]


class Mean(EchoEncoder):
    """The mean of those rows, of unit length."""

    def encode_texts(self, texts):
        return [self._unit(rows.mean(axis=0)) for rows in Rows().encode_texts(texts)]

    def encode_videos(self, clips):
        return [self._unit(rows.mean(axis=0)) for rows in Rows().encode_videos(clips)]


def test_rows_and_their_mean_pass():
    check_unpooled(Rows(), Mean())


@pytest.mark.parametrize(
    ("rows", "pooled", "sentence"),
    [
        ({"space": replace(EchoEncoder.space, revision="2")}, {}, "different spaces"),
        ({"sampler": UniformSampler(5)}, {}, "of other frames or another sound"),
        ({"text_readout": replace(Rows.text_readout, prompt="a ")}, {}, "text_readout differs in"),
        ({}, {"encode_videos": lambda self, clips: self._last(clips)}, "says that it pools by"),
        (
            {"encode_texts": Mean.encode_texts, "encode_videos": Mean.encode_videos},
            {},
            "gives one an item",
        ),
    ],
)
def test_readings_that_do_not_belong_together(rows, pooled, sentence):
    last = {"_last": lambda _, clips: [own[-1:] for own in Rows().encode_videos(clips)]}
    with pytest.raises(AssertionError, match=sentence):
        check_unpooled(type("A", (Rows,), rows)(), type("B", (Mean,), {**last, **pooled})())


def test_what_is_no_encoder_is_told():
    with pytest.raises(AssertionError, match="an encoder has space, sampler"):
        check_encoder(object())


def loader(**changes):
    def load(root, split):
        if split != "test" or not root.is_dir():
            raise DatasetError(f"no {split} in {root}")
        path = root / "a.mp4"
        path.touch()
        base = RetrievalDataset(
            "toy",
            [Clip("a", path, Span(0, 1))],
            [Text("a-1", "words")],
            Qrels({"a-1": frozenset("a")}),
        )
        return replace(base, **changes)

    return load


def test_a_good_loader_passes(tmp_path):
    assert check_dataset(loader(), tmp_path, "test").name == "toy"


CLIP = Clip("a", Path("/nowhere/a.mp4"), Span(0, 1))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "has no name"),
        ({"clips": [CLIP]}, "points to .*nowhere.*list it as missing"),
        ({"texts": [Text("a-1", "x"), Text("a-1", "y")]}, "two texts share the id 'a-1'"),
        ({"texts": [Text("", "x")]}, "empty id"),
        ({"texts": [Text("a-1", " ")]}, "text 'a-1' is empty"),
        ({"qrels": Qrels({"b": frozenset("a")})}, "relevance names 'b', which is no text"),
        ({"qrels": Qrels({"a-1": frozenset("z")})}, "'a-1' is relevant to .*'z'.*no clip"),
        ({"moments": {"b": (Span(0, 1),)}}, "moments name 'b'"),
        ({"moments": {"a-1": ()}}, "empty list of moments"),
        ({"groups": {"odd": frozenset("b")}}, "group 'odd' names"),
        ({"missing": ("a",)}, "missing"),
    ],
)
def test_a_bad_data_set_is_one_sentence(tmp_path, changes, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_dataset(loader(**changes), tmp_path, "test")


def test_a_loader_that_differs_or_guesses_is_told(tmp_path):
    calls = iter(range(99))

    def fickle(root, split):
        return replace(loader()(root, split), texts=[Text("a-1", f"words {next(calls)}")])

    with pytest.raises(AssertionError, match="loading twice gives different"):
        check_dataset(fickle, tmp_path, "test")
    with pytest.raises(AssertionError, match=r"'no such split' .* does not raise a DatasetError"):
        check_dataset(lambda root, _: loader()(root, "test"), tmp_path, "test")
    with pytest.raises(AssertionError, match="gave a int instead of a RetrievalDataset"):
        check_dataset(lambda *_: 3, tmp_path, "test")


class Able(EchoEncoder):
    """Has every ability of an encoder of one readout."""

    calibration = SimpleNamespace(slope=9.0, intercept=-4.0)
    sharpness = 15.0

    def __init__(self, scorer=cosine):
        self.scorer = scorer

    def precision(self, _):
        return "float32"


class Choosing(UniformSampler):
    """Takes the first frame that is shown."""

    __slots__ = ()

    size = None

    def choose(self, _, shown):
        return shown[:1]


class Inventing(Choosing):
    __slots__ = ()

    def choose(self, _, shown):
        return shown[:1] + 0.01


class Misnamed(Choosing):
    __slots__ = ()
    size = PictureSize(8, 8)


def test_abilities_that_are_whole_pass():
    check_encoder(Able())
    check_encoder(changed(sampler=Choosing(4)))


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"calibration": 5}, "calibration is a int without slope and intercept"),
        ({"calibration": SimpleNamespace(slope=-1.0, intercept=0.0)}, "slope -1.0 .* more likely"),
        ({"sharpness": -1.0}, "sharpness is -1.0: it must be finite and at least 0"),
        ({"sharpness": float("inf")}, "sharpness is inf"),
        ({"precision": lambda *_: "half"}, "is 'half', which is none of float32, bfloat16"),
        ({"scorer": lambda *_: 5}, "scorer gives a int, not Scores"),
        ({"sampler": Inventing(4)}, "must give some of the seconds it is shown"),
        ({"sampler": Misnamed(4)}, "does not name the size that is wanted"),
    ],
)
def test_a_broken_ability_is_one_sentence(attributes, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_encoder(changed(**attributes))
