"""Chat models of tiny random weights, against what transformers' models and processors give."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from moviola.analysis.layer_stores import clip_layers, text_layers
from moviola.analysis.layer_sweep import sweep_layers
from moviola.core import Clip, Frames, Span, Text
from moviola.encode.decoder.inputs import Piece
from moviola.store import StoreWriter
from moviola.testing import check_encoder

pytestmark = pytest.mark.shared
CLOSE = 2e-4


def ids_of(backbone, row):
    pad = backbone.tokenizer.convert_tokens_to_ids(backbone.vision.pad)
    return [
        number
        for piece in row
        for number in (piece.content if isinstance(piece.content, tuple) else [pad] * len(piece))
    ]


def readouts_of(name):
    """Options of the encoder that reads a case of this name."""
    return {
        "readout": "vidvec" if "prefix" in name else "one-word",
        "template": "none" if name.endswith("plain") else "chat",
        **({"layout": "per-frame"} if "per_frame" in name else {}),
    }


def test_ids_positions_and_states_are_those_of_transformers(chat_golden):
    cases = [name for name in chat_golden.cases if "one_word" in name]
    assert len(cases) >= 12
    encoders = {}
    for name in cases:
        asked = readouts_of(name)
        key = tuple(asked.values())
        if key not in encoders:
            encoders[key] = chat_golden.load(layers="all", **asked)
        encoder = encoders[key]
        backbone = encoder.backbone
        subject = name.split("_")[0]
        if name.startswith("text"):
            text = chat_golden.texts[int(subject[4:])]
            (read,), content = encoder.read_texts([text]), backbone.caption(text, 8192)
            prompt = encoder.text_readout.prompt
        else:
            clip = chat_golden.clip(subject)
            (read,), (content,) = encoder.read_videos([clip]), backbone.pieces([clip])
            prompt = encoder.video_readout.prompt
        row = backbone.row(prompt, content)
        assert ids_of(backbone, row) == chat_golden[f"{name}.input_ids"].tolist(), name
        if f"{name}.position_ids" in chat_golden.tensors:
            positions = backbone.inputs([row]).positions[:, 0]
            assert torch.equal(positions, chat_golden[f"{name}.position_ids"]), name
        wanted = chat_golden[f"{name}.hidden_last_token"].numpy()
        found = np.concatenate(list(read.values()))
        np.testing.assert_allclose(found, wanted, atol=CLOSE, rtol=0, err_msg=name)


def test_frames_and_bytes_and_vectors_are_those_of_the_processor(chat_golden):
    backbone = chat_golden.load().backbone
    for video in chat_golden.media:
        case = chat_golden.cases[f"{video}_one_word"]
        assert chat_golden.chosen(backbone.sampler, video) == case["frames_indices"]
        clip = chat_golden.clip(video)
        resized = backbone.vision.resize(clip.pixels).contiguous()
        assert list(resized.shape) == case["resized_shape_TCHW"]
        digest = hashlib.sha256(resized.numpy().tobytes()).hexdigest()
        assert digest == case["resized_sha256"], video
        (content,) = backbone.pieces([clip])
        vectors = torch.cat([each.content for each in content if isinstance(each, Piece)])
        wanted = chat_golden[f"{video}_one_word.vision_features"]
        torch.testing.assert_close(vectors, wanted, atol=CLOSE, rtol=0)


def test_legacy_positions_are_those_of_older_transformers(chat_golden):
    if chat_golden.family != "qwen2_5_vl":
        pytest.skip("only Qwen2.5-VL was changed")
    encoder = chat_golden.load(layers="all", positions="legacy")
    for video in chat_golden.media:
        clip = chat_golden.clip(video)
        (content,) = encoder.backbone.pieces([clip])
        row = encoder.backbone.row(encoder.video_readout.prompt, content)
        positions = encoder.backbone.inputs([row]).positions[:, 0]
        wanted = chat_golden[f"legacy.{video}_one_word.position_ids"]
        assert torch.equal(positions, wanted)
        (read,) = encoder.read_videos([clip])
        found = np.concatenate(list(read.values()))
        states = chat_golden[f"legacy.{video}_one_word.hidden_last_token"].numpy()
        np.testing.assert_allclose(found, states, atol=CLOSE, rtol=0)


def test_a_batch_gives_what_single_items_give(chat_golden):
    encoder = chat_golden.load()
    texts = chat_golden.texts[:4]
    clips = [chat_golden.clip(video) for video in chat_golden.media]
    for items, encode in ((texts, encoder.encode_texts), (clips, encoder.encode_videos)):
        alone = np.concatenate([encode([item])[0] for item in items])
        np.testing.assert_allclose(np.concatenate(encode(items)), alone, atol=1e-5, rtol=0)


def test_odd_inputs_have_vectors(chat_golden):
    encoder = chat_golden.load()
    clip = chat_golden.clip("video1")
    for count in (1, 3):
        few = Frames(clip.pixels[:count], clip.times[:count])
        (rows,) = encoder.encode_videos([few])
        assert rows.shape == (1, encoder.space.dimension)
        assert np.isfinite(rows).all()
    empty, mark, long = encoder.encode_texts(["", "a <|video_pad|> b", "dog runs " * 5000])
    for rows in (empty, mark, long):
        assert np.isfinite(rows).all()
    (cut,) = encoder.encode_texts(["dog runs " * 6000])
    np.testing.assert_allclose(long, cut, atol=1e-5)
    with pytest.raises(ValueError, match="without frames"):
        encoder.encode_videos([Frames(clip.pixels[:0], clip.times[:0])])


@pytest.mark.slow
def test_the_encoders_keep_their_promises(chat_golden):
    check_encoder(chat_golden.load())


def test_options_that_are_none_are_refused(chat_golden):
    for wrong, match in (
        ({"template": "prose"}, "template"),
        ({"frames": "many"}, "frames"),
        ({"layout": "oblique"}, "layout"),
        ({"positions": "oblique"}, "positions"),
    ):
        with pytest.raises(ValueError, match=match):
            chat_golden.load(**wrong)


def test_rows_are_pooled_by_attention_and_layers_swept(chat_golden, tmp_path):
    """Every family gives few rows, and stores of all its layers that a sweep can rank."""
    few = chat_golden.load(readout="content", pooling="attention-5")
    every = chat_golden.load(readout="content", pooling="none")
    texts = [chat_golden.texts[0], f"{chat_golden.texts[0]} and a man talks about it"]
    for own, rows in zip(few.encode_texts(texts), every.encode_texts(texts), strict=True):
        assert len(own) == min(5, len(rows))
        np.testing.assert_allclose(np.linalg.norm(own, axis=1), 1, atol=1e-5)
    assert few.text_readout.pooling == "attention-5"
    (own,) = few.encode_videos([chat_golden.clip("video0")])
    assert len(own) == 5

    layered = chat_golden.load(layers="all")
    clips = [chat_golden.clip("video0"), chat_golden.clip("video1")]
    sides = {
        "clips": (layered.read_videos(clips * 6), layered.video_readouts, "clips"),
        "texts": (layered.read_texts(texts * 6), layered.text_readouts, "texts"),
    }
    for side, (read, readouts, kind) in sides.items():
        for name, readout in readouts.items():
            with StoreWriter(
                tmp_path / side / name, kind=kind, space=layered.space, readout=readout
            ) as writer:
                for i, rows in enumerate(read):
                    item = Clip(f"v{i}", tmp_path, Span(0, 1))
                    writer.append(Text(f"v{i}-0", "") if kind == "texts" else item, rows[name])
    sweep = sweep_layers(
        text_layers(tmp_path / "texts", None), clip_layers(tmp_path / "clips", None), k=3
    )
    first, *later = sweep.scores
    # Before the first layer, the prompt's last token is the same for all.
    assert np.isnan(first.overlap)
    assert not any(np.isnan(score.overlap) for score in later)
    assert sweep.best("overlap") in later
