from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.runtime.preprocessing import Patches
from moviola.encode.two_tower.encoder import load
from moviola.encode.two_tower.kinds import KINDS
from moviola.testing import check_encoder

TEXTS = ["a red dog", "the blue square moves left", "", "a " * 300, "ein Bär \udcff"]


def clips(counts=(8, 8, 3), seed=0):
    rng = np.random.default_rng(seed)
    return [
        Frames(rng.integers(0, 256, (count, 40 + 9 * i, 64, 3), np.uint8), np.arange(count) / 4.0)
        for i, count in enumerate(counts)
    ]


@pytest.fixture(scope="module", params=sorted(KINDS))
def tiny(request, make_checkpoint):
    folder = make_checkpoint(request.param)
    model = getattr(transformers, KINDS[request.param].model).from_pretrained(folder).eval()
    return request.param, folder, model


def inputs_of(encoder, clip):
    """What transformers' own call takes; patches are cut and padded by its own processor."""
    pixels = encoder._preprocessing(clip.pixels)
    if not isinstance(encoder._preprocessing.resize, Patches):
        return {"pixel_values": pixels}
    cut = transformers.Siglip2ImageProcessorPil(
        do_resize=False, do_rescale=False, do_normalize=False, patch_size=16, max_num_patches=12
    )
    return cut(images=list(pixels.numpy()), return_tensors="pt")


def test_patches_are_as_many_and_as_large_as_transformers_makes_them(make_checkpoint):
    folder = make_checkpoint("siglip2")
    encoder = load(str(folder), frames=2)
    config = json.loads((folder / "preprocessor_config.json").read_text())
    theirs = transformers.Siglip2ImageProcessorPil(**config)
    for clip in clips((2, 2, 2)):
        wanted = theirs(images=list(clip.pixels), return_tensors="pt")
        ours = inputs_of(encoder, clip)
        assert torch.equal(ours["spatial_shapes"], wanted["spatial_shapes"])
        assert (ours["pixel_values"] - wanted["pixel_values"]).abs().max() <= 2.1 / 127.5


def test_the_kit_is_content(tiny):
    check_encoder(load(str(tiny[1])), tolerance=1e-4)
    check_encoder(load(str(tiny[1]), pooling="none", frames=4), tolerance=1e-4)


def test_frames_equal_those_of_transformers_call(tiny):
    _, folder, model = tiny
    encoder = load(str(folder), pooling="none")
    given = clips()
    for rows, clip in zip(encoder.encode_videos(given), given, strict=True):
        with torch.inference_mode():
            wanted = model.get_image_features(**inputs_of(encoder, clip)).pooler_output
        wanted = torch.nn.functional.normalize(wanted, dim=-1).numpy()
        assert np.abs(rows - wanted).max() < 1e-5


def test_texts_equal_those_of_transformers_call(tiny):
    kind, folder, model = tiny
    encoder = load(str(folder))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    padding = "max_length" if kind.startswith("siglip") else False
    for text, row in zip(TEXTS, encoder.encode_texts(TEXTS), strict=True):
        length = model.config.text_config.max_position_embeddings
        tokens = tokenizer(
            text.encode(errors="replace").decode(),
            padding=padding,
            truncation=True,
            max_length=length,
            return_tensors="pt",
        )
        with torch.inference_mode():
            wanted = model.get_text_features(**tokens).pooler_output
        wanted = torch.nn.functional.normalize(wanted, dim=-1).numpy()
        assert np.abs(row - wanted).max() < 1e-5


def test_a_clip_is_the_mean_of_its_frames(tiny):
    pooled, rows = load(str(tiny[1])), load(str(tiny[1]), pooling="none")
    for one, several in zip(
        pooled.encode_videos(clips()), rows.encode_videos(clips()), strict=True
    ):
        mean = several.mean(0)
        np.testing.assert_allclose(one[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert pooled.space == rows.space
    assert pooled.video_readout != rows.video_readout


def test_weights_that_do_not_fit_are_named(tiny, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(tiny[1], copy)
    weights = load_file(copy / "model.safetensors")
    name = next(iter(sorted(weights)))
    missing = {key: value for key, value in weights.items() if key != name}
    save_file(missing, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsUnavailableError, match=r"does not fit .*missing"):
        load(str(copy))
    save_file(
        {**weights, "left_over": torch.zeros(2)},
        copy / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(WeightsUnavailableError, match=r"does not fit .*unexpected left_over"):
        load(str(copy))


def test_another_kind_of_model_is_named(tmp_path, make_checkpoint):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match=r"type 'bert'; two-tower loads clip, siglip"):
        load(str(tmp_path))
    with pytest.raises(ValueError, match="pooling is one of"):
        load(str(make_checkpoint("clip")), pooling="max")  # pyright: ignore[reportArgumentType]
