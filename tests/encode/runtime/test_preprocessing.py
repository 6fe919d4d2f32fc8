from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from moviola.core import WeightsUnavailableError
from moviola.encode.runtime.preprocessing import Preprocessing
from moviola.video import read_frames_at

CLIP = {"size": {"shortest_edge": 224}, "crop_size": 224, "do_center_crop": True, "resample": 3,
        "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}  # fmt: skip
XCLIP = {**CLIP, "size": 224, "resample": 2}
SIGLIP = {"size": {"height": 224, "width": 224}, "resample": 3,
          "image_mean": [0.5] * 3, "image_std": [0.5] * 3}  # fmt: skip
KINDS = {"clip": (CLIP, "CLIP"), "xclip": (XCLIP, "VideoMAE"), "siglip": (SIGLIP, "Siglip")}


def picture(height, width, seed=0):
    """A smooth picture with edges and some noise, as films are."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = np.stack(
        [np.sin(columns / 31 + rows / 47), np.cos(rows / 23), np.sin((columns - rows) / 61)], -1
    )
    edges = 60 * ((columns // 97 + rows // 83) % 2)[..., None]
    noise = rng.normal(0, 3, (height, width, 3))
    return np.clip(95 + 60 * waves + edges + noise, 0, 255).astype(np.uint8)


def processed(kind, frames):
    import transformers

    config, name = KINDS[kind]
    processor = getattr(transformers, f"{name}ImageProcessorPil")(**config)
    return processor(images=list(frames), return_tensors="pt")["pixel_values"].reshape(
        len(frames), 3, 224, 224
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(720, 1280), (480, 640), (240, 320), (224, 224), (1080, 1080)])
def test_values_are_those_of_transformers_processors(kind, size):
    frames = np.stack([picture(*size, seed) for seed in range(2)])
    ours = Preprocessing.from_config(KINDS[kind][0])
    levels = torch.tensor(ours.std)[:, None, None] * 255
    steps = ((ours(frames) - processed(kind, frames)) * levels).abs()
    # Pillow takes the lighter pass first and torch always the rows: see below.
    if not _lighter_columns(kind, size):
        assert steps.max() < 1.01
        assert (steps > 0.5).float().mean() <= 0.004


def _lighter_columns(kind, size):
    """Whether Pillow resizes the columns first, and its result differs in the last bits."""
    config, _ = KINDS[kind]
    frame = Image.fromarray(picture(*size))
    height, width = Preprocessing.from_config(config)._target(*size)
    kernel = Image.Resampling(config["resample"])
    rows_first = frame.resize((width, size[0]), kernel).resize((width, height), kernel)
    return not np.array_equal(frame.resize((width, height), kernel), rows_first)


@pytest.mark.parametrize("size", [(1280, 720), (320, 240), (2000, 300)])
def test_rows_are_resized_before_columns_as_in_training(size):
    frame = picture(*size)
    rows = Image.fromarray(frame).resize((224, size[0]), Image.Resampling.BICUBIC)
    wanted = np.asarray(rows.resize((224, 224), Image.Resampling.BICUBIC)).astype(int)
    found = Preprocessing.from_config(SIGLIP).shrink(frame[None])[0].permute(1, 2, 0).numpy()
    assert np.abs(found.astype(int) - wanted).max() <= 1
    assert (found != wanted).mean() <= 0.004


@pytest.mark.shared
def test_real_frames_differ_from_transformers_processors_by_a_level_here_and_there(shared_data):
    """Torchvision's backend does what we do; this is Pillow's, where rows come first."""
    shares = {kind: [] for kind in KINDS}
    for path in sorted((shared_data / "videos" / "video_llama").glob("*.mp4")):
        frames = read_frames_at(path, [0.5, 1.5, 2.5]).pixels
        for kind, (config, _) in KINDS.items():
            if frames.shape[1] > frames.shape[2] and kind == "siglip":
                continue  # Pillow takes the columns first
            ours = Preprocessing.from_config(config)
            levels = torch.tensor(ours.std)[:, None, None] * 255
            steps = ((ours(frames) - processed(kind, frames)) * levels).abs()
            assert steps.max() < 1.01
            shares[kind].append(float((steps > 0.5).float().mean()))
    assert max(shares["xclip"]) < 0.001
    assert max(shares["clip"] + shares["siglip"]) < 0.003


def test_the_work_is_done_on_bytes():
    ours = Preprocessing.from_config(SIGLIP)
    small = ours.shrink(picture(100, 90)[None])
    assert (small.dtype, small.shape) == (torch.uint8, (1, 3, 224, 224))
    assert torch.equal(ours.normalise(small), ours(picture(100, 90)[None]))
    assert ours(picture(100, 90)[None]).min() >= -1


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (31, 77)])
def test_slivers_and_specks_become_whole_pictures(size):
    for config in (CLIP, XCLIP, SIGLIP):
        values = Preprocessing.from_config(config)(np.full((2, *size, 3), 200, np.uint8))
        assert values.shape == (2, 3, 224, 224)
        assert torch.isfinite(values).all()


def test_a_crop_larger_than_the_picture_gets_a_black_border():
    small = {**CLIP, "size": {"shortest_edge": 4}, "crop_size": {"height": 7, "width": 6}}
    ours = Preprocessing.from_config(small)
    found = ours.shrink(np.full((1, 4, 8, 3), 9, np.uint8))[0, 0]
    assert found.shape == (7, 6)
    assert found.sum(1).tolist() == [0, 0, 54, 54, 54, 54, 0]


def test_equal_steps_and_only_they_share_a_spec():
    changed = [
        {**CLIP, "resample": 2},
        {**CLIP, "size": {"shortest_edge": 225}},
        {**CLIP, "size": {"height": 224, "width": 224}},
        {**CLIP, "crop_size": 200},
        {**CLIP, "do_center_crop": False},
        {**CLIP, "image_mean": [0.48, 0.46, 0.4]},
        {**CLIP, "image_std": [0.27, 0.26, 0.281]},
    ]
    specs = [Preprocessing.from_config(config).spec for config in (CLIP, *changed)]
    assert len(set(specs)) == len(specs)
    assert Preprocessing.from_config(dict(CLIP)).spec == specs[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"do_rescale": False}, "without do_rescale"),
        ({"resample": 1}, "neither bilinear"),
        ({"rescale_factor": 1 / 127.5}, "rescale factor"),
        ({"size": {"longest_edge": 3}}, "size of"),
    ],
)
def test_steps_that_are_not_ours_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Preprocessing.from_config({**CLIP, **change})


def test_a_checkpoint_says_it_in_either_of_two_files(tmp_path):
    with pytest.raises(WeightsUnavailableError, match=r"no preprocessor_config\.json"):
        Preprocessing.from_folder(tmp_path, CLIP)
    nested = {"image_processor": {"size": {"height": 9, "width": 9}, "do_center_crop": False}}
    (tmp_path / "processor_config.json").write_text(json.dumps(nested))
    assert Preprocessing.from_folder(tmp_path, CLIP).resize == (9, 9)
    (tmp_path / "processor_config.json").unlink()
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 8}))
    assert Preprocessing.from_folder(tmp_path, CLIP).resize == 8
