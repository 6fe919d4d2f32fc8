from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from moviola.encode.decoder.inputs import Kind, Piece, row_of_ids
from moviola.encode.video_llama.model import VideoLlama
from moviola.encode.video_llama.sound.mel_clips import mel_pictures
from moviola.encode.video_llama.weights.keys import renamed

CLOSE = 1e-5


def text_row(ids):
    return [Piece(Kind.BOS, tuple(ids[:1])), Piece(Kind.TEXT, tuple(ids[1:]))]


@pytest.fixture(scope="module")
def model(tiny_config):
    torch.manual_seed(3)
    made = VideoLlama.random(tiny_config)
    for name, tensor in made.named_parameters():
        # Queries and positions begin as zeros, which would hide mistakes.
        if tensor.ndim > 1 and not name.startswith("llama."):
            torch.nn.init.normal_(tensor, std=0.2)
    return made


@pytest.fixture(scope="module")
def video(tiny_config):
    side = tiny_config.vision.image_size
    generator = torch.Generator().manual_seed(7)
    return torch.randn(3, 3, tiny_config.frames, side, side, generator=generator)


def apart(one, other):
    return float((one - other).abs().max())


def test_batched_videos_are_those_alone(model, video):
    together = model.before_llama(video)
    assert together.shape == (3, 7, 40)
    for i in range(len(video)):
        assert apart(together[i], model.before_llama(video[i : i + 1])[0]) < CLOSE


@pytest.mark.parametrize(("dtype", "precision"), [("bfloat16", "high"), ("float32", "highest")])
def test_q_formers_round_products_no_more_than_the_transformer_did(
    tiny_config, video, dtype, precision
):
    visual = VideoLlama.random(tiny_config, ("visual",)).visual
    visual.vit.embeddings.to(getattr(torch, dtype))
    visual.vit.encoder.to(getattr(torch, dtype))
    seen = []
    for module in (visual.image_qformer, visual.video_qformer, visual.vit.encoder):
        module.register_forward_pre_hook(
            lambda *_: seen.append(torch.get_float32_matmul_precision())
        )
    with torch.inference_mode():
        visual(video)
    assert seen == ["highest", precision, precision]
    assert torch.get_float32_matmul_precision() == "highest"


def test_frames_have_positions(model, video):
    assert apart(model.before_llama(video), model.before_llama(video.flip(2))) > 1e-3


def test_more_frames_than_positions_are_refused(model, video):
    assert model.before_llama(video[:1, :, [0, 1, 2, 3, 0, 1]]).shape == (1, 7, 40)
    with pytest.raises(ValueError, match="7 frames a clip; this model has positions for 6"):
        model.before_llama(video[:1, :, [0, 1, 2, 3, 0, 1, 2]])


def test_batched_sound_is_that_alone(model, tiny_config):
    generator = torch.Generator().manual_seed(9)
    sounds = [torch.randn(2, length, generator=generator) / 9 for length in (90_000, 20_000)]
    mels = torch.stack([mel_pictures(sound, 16_000, tiny_config.audio) for sound in sounds])
    together = model.hear(mels)
    assert together.shape == (2, 3, 40)
    for i in range(2):
        assert apart(together[i], model.hear(mels[i : i + 1])[0]) < CLOSE
    with pytest.raises(ValueError, match="9 clips of sound; this model has positions for 8"):
        model.hear(mels[:1, [0] * 9])


def test_sound_of_each_clip_has_the_length_that_imagebind_gives_it(model, tiny_config):
    mel = torch.randn(4, 1, 128, 204)
    assert torch.allclose(model.audio.trunk(mel).norm(dim=-1), torch.tensor(20.0))


def last_hidden(model, inputs):
    return model.llama.model(
        inputs_embeds=inputs.embeds, attention_mask=inputs.mask, position_ids=inputs.positions
    ).last_hidden_state


@settings(max_examples=25)
@given(
    texts=st.lists(st.lists(st.integers(0, 59), min_size=1, max_size=12), min_size=1, max_size=4)
)
def test_the_side_of_the_padding_is_irrelevant(model, texts):
    rows = [text_row([1, *text]) for text in texts]
    right, left = (model.inputs(rows, padding=side) for side in ("right", "left"))
    assert right.mask.sum(1).tolist() == [len(text) + 1 for text in texts]
    after_right, after_left = last_hidden(model, right), last_hidden(model, left)
    for i, row in enumerate(rows):
        alone = last_hidden(model, model.inputs([row]))[0]
        assert apart(after_right[i][right.mask[i].bool()], alone) < CLOSE
        assert apart(after_left[i][left.mask[i].bool()], alone) < CLOSE


def test_positions_have_kinds(model, video):
    vectors = model.before_llama(video[:1])[0]
    row = row_of_ids([[1, 5, 6], [7, 8]], [Piece(Kind.VIDEO, vectors)])
    inputs = model.inputs([row, text_row([1, 9])])
    kinds = [Kind.BOS, *[Kind.PROMPT] * 2, *[Kind.VIDEO] * 7, *[Kind.PROMPT] * 2]
    assert inputs.kinds[0].tolist() == kinds
    assert inputs.kinds[1].tolist() == [Kind.BOS, Kind.TEXT, *[Kind.PADDING] * 10]
    assert torch.equal(inputs.embeds[0, 3:10], vectors)
    assert inputs.positions[1].tolist() == [0, 1, *[0] * 10]
    embedding = model.llama.get_input_embeddings()
    assert torch.equal(inputs.embeds[1, :2], embedding(torch.tensor([1, 9])))


def test_a_prompt_has_as_many_places_as_there_are_pieces():
    with pytest.raises(ValueError, match="a prompt with 1 places cannot hold 0 pieces"):
        row_of_ids([[1], [2]], [])


def test_markers_outside_the_vocabulary_are_refused(model):
    with pytest.raises(ValueError, match="token ids must lie in"):
        model.inputs([text_row([1, 60])])
    with pytest.raises(ValueError, match="at least one token"):
        model.inputs([[]])


def test_the_first_token_of_a_causal_decoder_is_the_same_for_all_texts(model):
    found = model.stages(
        input_ids=torch.tensor([[1, 8, 5, 40], [1, 30, 2, 0]]),
        attention_mask=torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
    )
    assert torch.equal(found["text.0.pool_first"], found["text.1.pool_first"])
    assert apart(found["text.0.pool_max"], found["text.1.pool_max"]) > 1e-3


def test_a_sum_is_a_mean_under_cosine(model):
    found = model.stages(input_ids=[1, 8, 5, 40])
    cosine = torch.nn.functional.cosine_similarity(
        found["text.0.pool_sum"], found["text.0.pool_mean_correct"], dim=0
    )
    assert float(cosine) == pytest.approx(1.0, abs=1e-6)


def test_stages_without_a_configured_prompt_end_before_the_llama(model, video):
    found = model.stages(video=video)
    assert not any(name.startswith("after_llama") for name in found)
    told = model.stages(video=video, segment_ids={"after_llama": [[1, 5], [7]]})
    assert told["after_llama.last_hidden_state"].shape == (1, 10, 40)
    assert torch.equal(told["after_llama.hidden_states.4"], told["after_llama.last_hidden_state"])


def test_one_video_and_one_sound_need_no_batch(model, video):
    alone, within = model.stages(video=video[0]), model.stages(video=video[:1])
    assert all(torch.equal(tensor, within[name]) for name, tensor in alone.items())
    mel = torch.randn(2, 1, 128, 204)
    found = model.stages(mel=mel)["audio.audio_llama_proj_output"]
    assert torch.equal(found, model.hear(mel[None]))


def test_hooks_leave_nothing_behind(model, video):
    model.stages(video=video)
    assert not any(
        module._forward_hooks or module._forward_pre_hooks for module in model.visual.modules()
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("visual_encoder.blocks.7.norm2.bias", "visual.vit.encoder.layers.7.layer_norm2.bias"),
        ("vision_model.post_layernorm.bias", "visual.vit.post_layernorm.bias"),
        ("qformer.layernorm.weight", "visual.image_qformer.layernorm.weight"),
        (
            "video_Qformer.bert.encoder.layer.1.crossattention.self.key.weight",
            "visual.video_qformer.encoder.layer.1.crossattention.attention.key.weight",
        ),
        ("llama_model.lm_head.weight", "llama.lm_head.weight"),
        ("something_else", "something_else"),
    ],
)
def test_names(theirs, ours):
    assert renamed(theirs) == ours
