"""VideoLLaMA 3 of tiny random weights, against transformers' own forward pass and processor."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    VideoLlama3Config,
    VideoLlama3ForConditionalGeneration,
)
from transformers.models.video_llama_3.image_processing_pil_video_llama_3 import (
    VideoLlama3ImageProcessorPil,
    smart_resize,
)

from fixtures.damages import DAMAGES, damaged
from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.chat.loading import load
from moviola.encode.qwen_vl.resizing import fit_size
from moviola.testing import check_encoder

WORDS = ["a", "red", "square", "blue", "circle", "moves", "left", "Time", "0", "1", "2", "s"]
WORDS += [":", ",", ".", "in", "one", "word"]
VIDEO, PATCH = 1, 4
LAYERS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("videollama3")
    unknown, end = "<unk>", "<|end|>"
    vocabulary = {unknown: 0, "<|video_pad|>": VIDEO, end: 2}
    vocabulary |= {word: i + 3 for i, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=unknown,
        eos_token=end,
        pad_token=end,
        additional_special_tokens=["<|video_pad|>"],
    ).save_pretrained(place)
    torch.manual_seed(0)
    config = VideoLlama3Config(
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(vocabulary),
            "hidden_size": 24,
            "intermediate_size": 32,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
            "initializer_range": 0.2,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 24,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "patch_size": PATCH,
            "initializer_range": 0.2,
        },
        video_token_id=VIDEO,
        image_token_id=0,
    )
    VideoLlama3ForConditionalGeneration(config).eval().save_pretrained(place)
    told = {
        "patch_size": PATCH,
        "merge_size": 2,
        "size": {"shortest_edge": 4 * 64, "longest_edge": 60 * 64},
        "image_mean": [0.5, 0.4, 0.3],
        "image_std": [0.5, 0.6, 0.5],
    }
    (place / "video_preprocessor_config.json").write_text(json.dumps(told))
    return place


def clip(frames=3, height=24, width=40, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), np.uint8)
    pixels[1:, :, : width // 2] = pixels[:1, :, : width // 2]  # half of it stands still
    return Frames(pixels, np.arange(frames, dtype=np.float64) + 5.0)


def vision(folder):
    return load(str(folder), template="none").backbone.vision


def seen(folder, pixels):
    """The patches of frames, their grid and which of them are seen."""
    eyes = vision(folder)
    values, grid = eyes._settings.patches(eyes.resize(pixels))
    return values, grid, eyes.kept(values, grid)


def test_videos_and_all_layers_are_those_of_transformers(folder):
    encoder = load(str(folder), layers="all", pooling="none", readout="one-word", template="none")
    given = clip()
    read = encoder.read_videos([given])[0]
    model = VideoLlama3ForConditionalGeneration.from_pretrained(folder).eval()
    values, grid, kept = seen(folder, given.pixels)
    words = "".join(
        f"{',' if i else ''}Time {i:.1f}s:" + "<|video_pad|>" * int(own.sum())
        for i, own in enumerate(kept)
    )
    ids = encoder.backbone.tokenizer(words + "\nSummarize above video in one word:").input_ids
    with torch.inference_mode():
        wanted = model.model(
            input_ids=torch.tensor([ids]),
            pixel_values_videos=values,
            video_grid_thw=torch.tensor([grid]),
            video_merge_sizes=torch.tensor([2]),
            video_compression_mask=kept.flatten(),
            output_hidden_states=True,
        ).hidden_states
    assert len(read) == LAYERS + 1
    for layer, (name, rows) in enumerate(read.items()):
        assert name == f"layer-{layer:02d}"
        np.testing.assert_allclose(rows[0], wanted[layer][0, -1], atol=1e-5)


def test_content_of_a_video_are_its_vectors_and_not_the_times(folder):
    given = clip()
    asked = {"readout": "content", "pooling": "none", "template": "none"}
    (rows,) = load(str(folder), **asked).encode_videos([given])
    assert len(rows) == int(seen(folder, given.pixels)[2].sum())
    (before,) = load(str(folder), layers=0, **asked).encode_videos([given])
    assert before.shape == rows.shape


@pytest.mark.parametrize("readout", ["content", "one-word", "vidvec", "echo", "bidirectional"])
def test_the_encoder_keeps_its_promises(folder, readout):
    check_encoder(load(str(folder), frames=4, template="none", readout=readout))


def test_patches_are_those_of_the_published_processor(folder):
    given = clip(frames=1)
    settings = vision(folder)._settings
    theirs = VideoLlama3ImageProcessorPil(
        patch_size=PATCH,
        merge_size=2,
        temporal_patch_size=1,
        image_mean=list(settings.mean),
        image_std=list(settings.std),
        do_resize=False,
    )(list(given.pixels), return_tensors="pt")
    values, grid = settings.patches(torch.from_numpy(given.pixels).permute(0, 3, 1, 2))
    assert [list(grid)] == theirs["image_grid_thw"].tolist()
    np.testing.assert_allclose(values, theirs["pixel_values"], atol=1e-5)


@pytest.mark.parametrize("size", [(240, 320), (31, 977), (28, 28), (5, 7), (2160, 3840)])
@pytest.mark.parametrize("limits", [(100352, 602112), (1000, 20000), (100352, 9408)])
def test_sizes_are_those_of_the_published_processor(size, limits):
    ours = fit_size(size, 28, *limits)
    theirs = smart_resize(*size, 28, *limits)
    assert ours == (max(theirs[0], 28), max(theirs[1], 28))


def test_what_stands_still_is_seen_once(folder):
    _, grid, kept = seen(folder, clip().pixels)
    rows, columns = grid[1] // 2, grid[2] // 2
    moving = kept.view(3, rows, columns)
    assert moving[0].all()
    assert not moving[1:, :, : columns // 2 - 1].any()
    assert moving[1:, :, columns // 2 + 1 :].all()
    _, _, still = seen(folder, np.repeat(clip().pixels[:1], 3, axis=0))
    assert still.sum(dim=1).tolist() == [rows * columns, 1, 1]


def test_a_folder_that_does_not_say_how_frames_are_prepared_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "some")
    told = tmp_path / "some" / "video_preprocessor_config.json"
    told.write_text('{"temporal_patch_size": 2}')
    with pytest.raises(ValueError, match="several frames"):
        vision(tmp_path / "some")
    told.unlink()
    with pytest.raises(WeightsUnavailableError, match="video_preprocessor_config"):
        vision(tmp_path / "some")


def test_a_checkpoint_without_a_chat_template_says_how_to_go_on(folder):
    with pytest.raises(WeightsUnavailableError, match="template=none"):
        load(str(folder))


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_is_refused(folder, damage, tmp_path):
    with pytest.raises(WeightsUnavailableError, match="some"):
        load(str(damaged(folder, damage, tmp_path / "some")), template="none")
