from __future__ import annotations

import numpy as np
import pytest
import torch

from moviola.core import MissingExtraError, Space, UniformSampler
from moviola.encode.sentence_transformer.encoder import SentenceTransformerEncoder, load
from moviola.testing import check_encoder

sentence_transformers = pytest.importorskip("sentence_transformers")

FRAMES = 4
SPACE = Space("tiny", "1", "0", 32)


@pytest.fixture(scope="module")
def module(videoprism_folder, video_module):
    return video_module.VideoModule(videoprism_folder)


@pytest.fixture
def make_encoder(module):
    module.calls.clear()

    def make(**prompts):
        model = sentence_transformers.SentenceTransformer(modules=[module], prompts=prompts)
        return SentenceTransformerEncoder(
            model, SPACE, sampler=UniformSampler(FRAMES), settings="0"
        )

    return make


def test_the_kit(make_encoder):
    check_encoder(make_encoder(), tolerance=1e-5)


def test_vectors_are_those_of_the_model(make_encoder, module, make_clips):
    encoder = make_encoder()
    clips = make_clips(encoder.sampler)
    for clip, row in zip(clips, encoder.encode_videos(clips), strict=True):
        frames = torch.from_numpy(clip.pixels).permute(0, 3, 1, 2).float()
        small = torch.nn.functional.interpolate(frames, (36, 36))[None] / 255
        with torch.inference_mode():
            wanted = module.model.get_video_features(small).pooler_output[:, 0]
        assert np.abs(row - wanted.numpy()).max() < 1e-5


def test_frames_come_with_their_times_and_are_not_sampled_again(make_encoder, module, make_clips):
    encoder = make_encoder()
    (clip, *_) = make_clips(encoder.sampler)
    encoder.encode_videos([clip])
    ((inputs, _, settings),) = module.calls
    facts = inputs[0]["video"]["video_metadata"]
    assert settings == {"video": {"do_sample_frames": False}}
    assert (facts["total_num_frames"], facts["frames_indices"]) == (4, [0, 1, 2, 3])
    assert facts["fps"] == pytest.approx(2.0)  # four frames of two seconds
    assert facts["duration"] == pytest.approx(2.0)
    assert np.array_equal(inputs[0]["video"]["array"], clip.pixels.transpose(0, 3, 1, 2))


def test_a_lone_frame_is_shown_twice(make_encoder, module, make_clips):
    encoder = make_encoder()
    (clip, *_) = make_clips(UniformSampler(1))
    encoder.encode_videos([clip])
    assert len(module.calls[0][0][0]["video"]["array"]) == 2


def test_prompts_are_the_models_and_part_of_the_readout(make_encoder, module, make_clips):
    plain = make_encoder()
    encoder = make_encoder(query="a red ", passage="the ")
    assert encoder.text_readout.prompt == "a red "
    assert encoder.video_readout.prompt == "the "
    assert (plain.text_readout.prompt, plain.video_readout.prompt) == ("", "")
    (row,), (wanted,) = encoder.encode_texts(["square"]), plain.encode_texts(["a red square"])
    assert np.abs(row - wanted).max() < 1e-6
    encoder.encode_videos(make_clips(encoder.sampler)[:1])
    assert [prompt for _, prompt, _ in module.calls] == ["a red ", "", "the "]


def test_a_text_that_names_a_video_stays_a_text(make_encoder, module, tmp_path):
    file = tmp_path / "dog.mp4"
    file.write_bytes(b"not opened")
    encoder = make_encoder()
    rows = encoder.encode_texts([str(file), "https://youtube.com/watch?v=1"])
    assert [row.shape for row in rows] == [(1, 32)] * 2


@pytest.fixture(scope="session")
def text_model_folder(tmp_path_factory):
    """A model of sentence-transformers, as it saves them, that takes text alone."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    BertModel(BertConfig(vocab_size=8, num_attention_heads=2, **sizes)).save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "a", "dog"])}
    words = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=words, **named).save_pretrained(folder)
    modules = sentence_transformers.sentence_transformer.modules
    transformer = modules.Transformer(str(folder))
    pooling = modules.Pooling(16)
    saved = tmp_path_factory.mktemp("saved")
    sentence_transformers.SentenceTransformer(modules=[transformer, pooling]).save(str(saved))
    return saved


def test_a_model_without_video_is_refused(text_model_folder):
    with pytest.raises(ValueError, match="takes text, but no video"):
        load(str(text_model_folder))


def test_code_that_a_checkpoint_brings_is_not_run(text_model_folder, tmp_path):
    for file in text_model_folder.rglob("*"):
        target = tmp_path / file.relative_to(text_model_folder)
        target.mkdir(parents=True) if file.is_dir() else target.write_bytes(file.read_bytes())
    place = tmp_path / "modules.json"
    place.write_text(place.read_text().replace("sentence_transformers.", "evil.", 1))
    (tmp_path / "evil.py").write_text("raise SystemExit('was run')")
    with pytest.raises(ValueError, match="brings code of its own, which is never run"):
        load(str(tmp_path))


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    import importlib.util

    monkeypatch.setattr(
        "moviola.encode.sentence_transformer.encoder.find_spec",
        lambda name: None if name == "sentence_transformers" else importlib.util.find_spec(name),
    )
    with pytest.raises(MissingExtraError, match=r"moviola\[sentence-transformers\]"):
        load("any/model")
