"""VideoLLaMA 3 of tiny random weights, against transformers' own forward pass and processor."""

from __future__ import annotations

import json

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
from moviola.encode.video_llama3.encoder import load
from moviola.encode.video_llama3.patches import PatchProcessor, fitting_size
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
        tokenizer_object=tokenizer, unk_token=unknown, eos_token=end, pad_token=end
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


def test_videos_and_all_layers_are_those_of_transformers(folder):
    encoder = load(str(folder), layers="all", pooling="none", readout="one-word")
    given = clip()
    read = encoder.read_videos([given])[0]
    model = VideoLlama3ForConditionalGeneration.from_pretrained(folder).eval()
    seen = PatchProcessor.from_folder(folder)(given.pixels)
    tokenizer = encoder.backbone.tokenizer
    words = "".join(
        f"{',' if i else ''}Time {i:.1f}s:" + "<|video_pad|>" * int(kept.sum())
        for i, kept in enumerate(seen.kept)
    )
    # The placeholder is a special token for the real tokenizer; here it is split off by hand.
    ids = []
    for part in (words + "\nSummarize above video in one word:").split("<|video_pad|>"):
        ids += [*tokenizer(part, add_special_tokens=False).input_ids, VIDEO]
    ids.pop()
    with torch.inference_mode():
        wanted = model.model(
            input_ids=torch.tensor([ids]),
            pixel_values_videos=seen.values,
            video_grid_thw=torch.tensor([seen.grid]),
            video_merge_sizes=torch.tensor([2]),
            video_compression_mask=seen.kept.flatten(),
            output_hidden_states=True,
        ).hidden_states
    assert len(read) == LAYERS + 1
    for layer, (name, rows) in enumerate(read.items()):
        assert name == f"layer-{layer:02d}"
        np.testing.assert_allclose(rows[0], wanted[layer][0, -1], atol=1e-5)


def test_content_of_a_video_are_its_vectors_and_not_the_times(folder):
    given = clip()
    (rows,) = load(str(folder), pooling="none").encode_videos([given])
    assert len(rows) == int(PatchProcessor.from_folder(folder)(given.pixels).kept.sum())
    (before,) = load(str(folder), pooling="none", layers=0).encode_videos([given])
    assert before.shape == rows.shape


def test_the_encoder_keeps_its_promises(folder):
    check_encoder(load(str(folder), frames=4))


def test_patches_are_those_of_the_published_processor(folder):
    given = clip(frames=1)
    processor = PatchProcessor.from_folder(folder)
    theirs = VideoLlama3ImageProcessorPil(
        patch_size=PATCH,
        merge_size=2,
        temporal_patch_size=1,
        image_mean=list(processor.mean),
        image_std=list(processor.std),
        do_resize=False,
    )(list(given.pixels), return_tensors="pt")
    ours = PatchProcessor(
        patch=PATCH, merge=2, least=1, most=1 << 30, mean=processor.mean, std=processor.std
    )(given.pixels)
    assert [list(ours.grid)] == theirs["image_grid_thw"].tolist()
    np.testing.assert_allclose(ours.values, theirs["pixel_values"], atol=1e-5)


@pytest.mark.parametrize("size", [(240, 320), (31, 977), (28, 28), (5, 7), (2160, 3840)])
@pytest.mark.parametrize("limits", [(100352, 602112), (1000, 20000), (100352, 9408)])
def test_sizes_are_those_of_the_published_processor(size, limits):
    ours = fitting_size(*size, 28, *limits)
    theirs = smart_resize(*size, 28, *limits)
    assert ours == (max(theirs[0], 28), max(theirs[1], 28))


def test_what_stands_still_is_seen_once(folder):
    processor = PatchProcessor.from_folder(folder)
    moving = processor(clip().pixels)
    rows, columns = moving.grid[1] // 2, moving.grid[2] // 2
    kept = moving.kept.view(3, rows, columns)
    assert kept[0].all()
    assert not kept[1:, :, : columns // 2 - 1].any()
    assert kept[1:, :, columns // 2 + 1 :].all()
    still = processor(np.repeat(clip().pixels[:1], 3, axis=0))
    assert still.kept.sum(dim=1).tolist() == [rows * columns, 1, 1]


def test_a_folder_that_does_not_say_how_frames_are_prepared_is_refused(tmp_path):
    with pytest.raises(WeightsUnavailableError, match="video_preprocessor_config"):
        PatchProcessor.from_folder(tmp_path)
    (tmp_path / "video_preprocessor_config.json").write_text('{"temporal_patch_size": 2}')
    with pytest.raises(ValueError, match="several frames"):
        PatchProcessor.from_folder(tmp_path)
    with pytest.raises(ValueError, match="too narrow"):
        fitting_size(1, 300, 28, 1, 1000)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_whole_is_refused(folder, damage, tmp_path):
    with pytest.raises(WeightsUnavailableError, match="some"):
        load(str(damaged(folder, damage, tmp_path / "some")))
