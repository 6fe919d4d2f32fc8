"""Frames are reduced early and encoded once, and the vectors stay the same."""

from __future__ import annotations

import numpy as np
import pytest

import moviola
from moviola.align import Aligner, LinearMaps, Side
from moviola.core import (
    Clip,
    Embeddings,
    Frames,
    GridSampler,
    SpaceMismatchError,
    Span,
    Text,
    own_frame_tower,
)
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.encode.two_tower.encoder import load
from moviola.library import Library
from moviola.pipeline.encode.readouts import ReadoutRequest, read_tower
from moviola.pipeline.encode.streaming import encode_stream
from moviola.pipeline.search.aligned_encoder import AlignedEncoder
from moviola.video import DecodePool, ReadRequest, WindowSegmenter

KINDS = ("clip", "siglip", "siglip2", "metaclip_2")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(40, 64), (300, 200), (32, 32), (33, 500), (10, 8)])
def test_frames_reduced_before_give_the_same_vectors(make_checkpoint, kind, shape):
    encoder = load(str(make_checkpoint(kind)), frames=2)
    pixels = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    small = encoder.shrink(pixels)
    assert small.shape[1] * small.shape[2] <= 64 * 64 or small is pixels
    assert np.array_equal(encoder.shrink(small), small)
    times = np.array([0.0, 0.5])
    whole, reduced = encoder.encode_videos([Frames(pixels, times), Frames(small, times)])
    assert np.array_equal(whole, reduced)


def test_a_crop_smaller_than_the_size_before_it_is_left_to_the_model():
    steps = Preprocessing(48, (32, 32), "bicubic", (0.0,) * 3, (1.0,) * 3)
    pixels = np.zeros((1, 100, 120, 3), np.uint8)
    assert steps.shrink_frames(pixels) is pixels


class WindowByWindow:
    """The same encoder without its tower of single frames."""

    def __init__(self, encoder) -> None:
        self._encoder = encoder

    def encode_videos(self, clips):
        return self._encoder.encode_videos(clips)


@pytest.mark.parametrize("options", [{"recipe": "grid"}, {"recipe": "grid", "rate": "0.5"}, {}])
def test_shared_frames_give_the_vectors_of_window_by_window(
    make_checkpoint, colour_video, tmp_path, options
):
    colours = [(220, 20, 20), (20, 200, 20), (20, 20, 220), (90, 90, 10)]
    path = colour_video(tmp_path / "v.mp4", *colours, seconds=3)
    encoder = load(str(make_checkpoint("clip")), **options)
    seen = []
    original = encoder._encode
    encoder._encode = lambda frames: seen.append(len(frames)) or original(frames)

    def run(tower):
        seen.clear()
        request = ReadRequest(1, path, WindowSegmenter(6, 3), encoder.sampler)
        with DecodePool(1) as pool:
            (video,) = encode_stream(pool, [request], tower)
        return video.spans, np.concatenate(video.rows), sum(seen)

    spans, rows, few = run(encoder)
    spans_by_window, rows_by_window, many = run(WindowByWindow(encoder))
    assert spans == spans_by_window
    assert (rows * rows_by_window).sum(axis=1).min() >= 0.9999
    assert few < many


def rows_of(tower, path, sampler):
    request = ReadRequest(1, path, WindowSegmenter(6, 3), sampler)
    with DecodePool(1) as pool:
        (video,) = encode_stream(pool, [request], tower)
    return video.rows


@pytest.fixture
def film(tmp_path, colour_video):
    colours = [(220, 20, 20), (20, 200, 20), (20, 20, 220), (90, 90, 10)]
    return colour_video(tmp_path / "film.mp4", *colours, seconds=3)


def test_a_head_maps_what_it_maps_window_by_window(make_checkpoint, film):
    encoder = load(str(make_checkpoint("clip")), recipe="grid")
    rng, size = np.random.default_rng(0), encoder.space.dimension
    rows = rng.normal(size=(50, size)).astype(np.float32)
    texts = Embeddings(
        [Text(str(n), "") for n in range(50)], np.arange(51), [rows], encoder.space,
        encoder.text_readout,
    )  # fmt: skip
    clips = Embeddings(
        [Clip(str(n), film, Span(0, 1)) for n in range(50)], np.arange(51), [rows], encoder.space,
        encoder.video_readout,
    )  # fmt: skip
    turned = np.linalg.qr(rng.normal(size=(size, size)))[0].astype(np.float32)
    head = Aligner(Side.of(texts), Side.of(clips), LinearMaps(turned, turned))
    aligned = AlignedEncoder(encoder, head)
    assert own_frame_tower(aligned) is not None
    found = np.concatenate(rows_of(aligned, film, encoder.sampler))
    wanted = np.concatenate(rows_of(WindowByWindow(aligned), film, encoder.sampler))
    assert found.shape == wanted.shape == (3, size)
    assert np.abs(found - wanted).max() < 1e-5


def test_all_poolings_of_a_store_come_from_frames_encoded_once(make_checkpoint, film):
    name = f"two-tower:{make_checkpoint('clip')},recipe=grid"
    tower = read_tower(ReadoutRequest(name, poolings=("none", "max")), "clips")
    found = rows_of(tower, film, tower.sampler)
    wanted = rows_of(WindowByWindow(tower), film, tower.sampler)
    assert [len(rows) for rows in found[0]] == [12, 1]
    for own, other in zip(found, wanted, strict=True):
        for one, two in zip(own, other, strict=True):
            assert np.abs(one - two).max() < 1e-5


def test_a_library_remembers_the_grid(make_checkpoint, colour_video, tmp_path):
    (tmp_path / "videos").mkdir()
    colour_video(tmp_path / "videos" / "red.mp4", (220, 20, 20), seconds=4)
    model = f"two-tower:{make_checkpoint('clip')}"
    assert moviola.index(
        [tmp_path / "videos"], library=tmp_path / "lib", model=f"{model},recipe=grid"
    ).ok == 1  # fmt: skip
    assert Library.open(tmp_path / "lib").card.video_readout.sampling == "grid:2"
    assert moviola.search("red", library=tmp_path / "lib")
    with pytest.raises(SpaceMismatchError, match="sampling"):
        moviola.index([tmp_path / "videos"], library=tmp_path / "lib", model=model)


def test_options_of_the_name(make_checkpoint):
    folder = str(make_checkpoint("clip"))
    assert load(folder, recipe="grid", rate=1).sampler == GridSampler(1.0)
    assert load(folder).sampler.times(Span(0, 8)).tolist() == [0.5 + k for k in range(8)]
    with pytest.raises(ValueError, match="recipe is one of"):
        load(folder, recipe="random")
