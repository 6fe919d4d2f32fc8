from __future__ import annotations

import json
import sys

import av
import numpy as np
import pytest
from safetensors.numpy import load_file

from moviola.core import LeftSampler, PictureSize, Span, UniformSampler
from moviola.video import GivenSegmenter
from moviola.video.decode.pixels.painting import Painter, Turn
from moviola.video.decode.pixels.scaling import Scaler

TURNS = [Turn(bool(i & 1), bool(i & 2), bool(i & 4)) for i in range(8)]


def picture(pix_fmt="yuv420p", size=(96, 72), seed=3):
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, "rgb24").reformat(format=pix_fmt)
    frame.pts = 0
    return frame


@pytest.mark.shared
def test_frames_are_those_of_the_original_reader(shared_data, tmp_path, read):
    folder = shared_data / "videollama_golden"
    tensors = load_file(folder / "tensors.safetensors")
    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    wanted = tensors["preprocess.frames_resized_uint8"]
    path = tmp_path / "golden.mp4"
    path.write_bytes(tensors["preprocess.mp4_bytes"].tobytes())
    count, height, width, _ = wanted.shape
    clips, _ = read(path, sampler=LeftSampler(count, PictureSize(width, height)))
    found = clips[0].frames
    assert np.array_equal(found.pixels, wanted)
    indices = np.array(facts["preprocess"]["frame_indices"])
    assert np.allclose(found.times, indices / facts["preprocess"]["fps"])


@pytest.mark.parametrize("turn", TURNS)
def test_upright_without_another_change(turn):
    frame = picture()
    plain = Scaler(PictureSize(96, 72), Turn()).paint(frame)
    size = PictureSize(72, 96) if turn.transpose else PictureSize(96, 72)
    assert np.array_equal(Scaler(size, turn).paint(frame), turn.apply(plain))


def test_the_filters_are_those_of_the_command_line():
    frame = picture()
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_buffer(width=96, height=72, format=frame.format, time_base=1),
        graph.add("scale", "40:30:flags=bilinear"),
        graph.add("format", "pix_fmts=rgb24"),
        graph.add("buffersink"),
    ).configure()
    graph.vpush(frame)
    wanted = graph.vpull().to_ndarray()
    found = Scaler(PictureSize(40, 30), Turn()).paint(frame)
    assert np.array_equal(found, wanted)
    # What other encoders get is another filter; the difference would go unnoticed.
    other = Painter(40, 30, Turn()).paint(frame)
    assert np.abs(found.astype(int) - other).max() > 8


def test_frames_of_another_kind_in_the_middle_of_a_video():
    scaler = Scaler(PictureSize(40, 30), Turn())
    kinds = [picture(), picture("yuv444p"), picture(size=(64, 48)), picture("gray"), picture()]
    found = [scaler.paint(frame) for frame in kinds]
    assert all(pixels.shape == (30, 40, 3) for pixels in found)
    assert np.array_equal(found[0], found[-1])
    alone = Scaler(PictureSize(40, 30), Turn()).paint(kinds[1])
    assert np.array_equal(found[1], alone)


def test_a_reader_scales_and_chooses(studio, tmp_path, read):
    path = studio.film(tmp_path / "numbers.mp4", 50)
    clips, _ = read(path, sampler=LeftSampler(8, PictureSize(64, 64)))
    frames = clips[0].frames
    assert frames.pixels.shape == (8, 64, 64, 3)
    assert [studio.number_of(pixels) for pixels in frames.pixels] == [
        0,
        6,
        12,
        18,
        25,
        31,
        37,
        43,
    ]
    few = studio.film(tmp_path / "few.mp4", 3)
    clips, _ = read(few, sampler=LeftSampler(8, PictureSize(64, 64)))
    assert [studio.number_of(pixels) for pixels in clips[0].frames.pixels] == [0, 1, 2]


def test_frames_of_unequal_length_are_chosen_by_their_number(studio, tmp_path, read):
    ticks = [0, 1, 2, 3, 40, 41, 42, 43]
    path = studio.film(tmp_path / "uneven.mp4", 8, ticks=ticks)
    clips, _ = read(path, sampler=LeftSampler(4))
    assert [studio.number_of(pixels) for pixels in clips[0].frames.pixels] == [0, 2, 4, 6]
    clips, _ = read(path, GivenSegmenter((Span(0.0, 0.12),)), LeftSampler(2))
    assert [studio.number_of(pixels) for pixels in clips[0].frames.pixels] == [0, 1]


def test_a_sampler_of_another_size_leaves_the_reader_its_choice(studio, tmp_path, read):
    path = studio.film(tmp_path / "numbers.mp4", 10)
    clips, _ = read(path, sampler=UniformSampler(2))
    assert clips[0].frames.pixels.shape[1:] == (96, 160, 3)


def test_the_sampler_brings_no_model_into_the_worker():
    module = sys.modules[LeftSampler.__module__]
    assert module.__name__.startswith("moviola.core.")
