"""Qwen3-VL of tiny random weights, against transformers' own forward pass and positions."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import moviola
from fixtures.damages import DAMAGES, damaged
from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.qwen_vl.encoder import load
from moviola.encode.qwen_vl.positions import count_positions
from moviola.encode.qwen_vl.prompts import Item, embedding_prompt, settle_instruction
from moviola.encode.qwen_vl.reranker import load as load_reranker
from moviola.encode.runtime.parts import TensorIndex
from moviola.testing import check_encoder, check_scorer

NO_PREPROCESSOR = ("no preprocessor", "half a preprocessor")


def noise(frames, height=24, width=40, seed=0):
    """A clip of noise, four frames a second."""
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), np.uint8)
    return Frames(pixels, np.arange(frames, dtype=np.float64) / 4)


@pytest.fixture(scope="module")
def encoder(stock):
    return load(str(stock[1]))


@pytest.fixture(scope="module")
def scorer(stock):
    return load_reranker(str(stock[1]))


@pytest.fixture
def reads(monkeypatch):
    """The names of all tensors that are read."""
    names = []
    read = TensorIndex.tensor

    def note(self, name, rows=None):
        names.append(name)
        return read(self, name, rows)

    monkeypatch.setattr(TensorIndex, "tensor", note)
    return names


def copied(stock, place, change):
    """A copy of the checkpoint whose tensors were changed."""
    shutil.copytree(stock[1], place)
    tensors = load_file(place / "model.safetensors")
    change(tensors)
    save_file(tensors, place / "model.safetensors", metadata={"format": "pt"})
    return str(place)


def test_it_keeps_what_encoders_promise(encoder):
    check_encoder(encoder)


def test_it_keeps_what_scorers_promise(scorer):
    check_scorer(scorer)


@pytest.mark.parametrize("layout", ["per-frame", "wrapped"])
def test_states_and_positions_are_those_of_the_whole_stock_model(stock, layout):
    model, place = stock
    encoder = load(str(place), layout=layout)
    network = encoder._network
    item = Item("a red square", (noise(5),), (noise(1, 40, 24, 3).pixels[0],))
    seen = encoder._reading.see_item(network, item)
    patches = [
        network.patches.clip(item.videos[0].pixels, item.videos[0].times, "file"),
        network.patches.picture(item.pictures[0]),
    ]
    prompt = encoder.prompt(item, seen, instruction="Represent")
    grids = [torch.tensor([each.grid]) for each in patches]
    ids = prompt.ids[None]
    kinds = torch.zeros_like(ids)
    kinds[ids == model.config.image_token_id] = 1
    kinds[ids == model.config.video_token_id] = 2
    positions, _ = model.model.get_rope_index(
        ids, mm_token_type_ids=kinds, image_grid_thw=grids[1], video_grid_thw=grids[0]
    )
    assert torch.equal(prompt.positions, positions[:, 0])
    with torch.inference_mode():
        wanted = model.model(
            input_ids=ids,
            position_ids=positions,
            pixel_values_videos=patches[0].values,
            pixel_values=patches[1].values,
            video_grid_thw=grids[0],
            image_grid_thw=grids[1],
            mm_token_type_ids=kinds,
        ).last_hidden_state[0, -1]
    assert torch.allclose(network.last_states([prompt])[0], wanted, atol=1e-5)


def test_the_reranker_is_the_difference_of_two_logits_of_the_stock_model(stock, scorer):
    model = stock[0]
    prompt = scorer.prompt(Item("a red square"), (), Item("moves left"), ())
    yes, no = (scorer._network.tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    with torch.inference_mode():
        logits = model(input_ids=prompt.ids[None]).logits[0, -1]
    wanted = torch.sigmoid(logits[yes] - logits[no])
    found = scorer.score_items([Item("a red square")], [Item("moves left")])
    assert found == pytest.approx([float(wanted)], abs=1e-6)


def test_texts_read_no_weight_of_the_vision_tower(stock, reads):
    encoder = moviola.load_encoder(f"qwen3-vl-embedding:{stock[1]}")
    encoder.encode_texts(["a red square"])
    assert encoder.space.digest
    assert encoder.text_readout.digest
    assert reads
    assert not [name for name in reads if "visual" in name]
    encoder.encode_videos([noise(2)])
    assert [name for name in reads if "visual" in name]


def test_texts_are_encoded_where_the_vision_tower_is_damaged(stock, tmp_path):
    def spoil(tensors):
        for name in tensors:
            if "visual" in name:
                tensors[name] = torch.full_like(tensors[name], torch.nan)

    spoiled, whole = load(copied(stock, tmp_path / "spoiled", spoil)), load(str(stock[1]))
    texts = ["a red square", ""]
    assert np.array_equal(spoiled.encode_texts(texts), whole.encode_texts(texts))
    assert spoiled.text_readout == whole.text_readout


def test_a_batch_is_its_single_items(encoder, scorer):
    clips = [noise(4), noise(7, 40, 24, 1), noise(1, seed=2)]
    texts = ["a", "", "a red square moves left " * 20]
    for single, several in ((encoder.encode_videos, clips), (encoder.encode_texts, texts)):
        for row, each in zip(single(several), several, strict=True):
            assert np.abs(row - single([each])[0]).max() < 1e-5
    pairs = scorer.score_pairs(texts, clips)
    assert np.abs(scorer.score(texts, clips).diagonal() - pairs).max() < 1e-5


def test_one_frame_is_shown_twice_and_an_odd_one_again(encoder):
    one = noise(1)
    twice = Frames(np.repeat(one.pixels, 2, 0), np.zeros(2))
    assert np.array_equal(encoder.encode_videos([one]), encoder.encode_videos([twice]))
    assert not np.allclose(encoder.encode_videos([one]), encoder.encode_texts([""]))
    three = noise(3)
    four = Frames(three.pixels[[0, 1, 2, 2]], three.times[[0, 1, 2, 2]])
    assert np.array_equal(encoder.encode_videos([three]), encoder.encode_videos([four]))


def test_a_clip_without_frames_is_refused_and_never_a_text(encoder, scorer):
    empty = Frames(np.zeros((0, 4, 4, 3), np.uint8), np.zeros(0))
    with pytest.raises(ValueError, match="without frames"):
        encoder.encode_videos([noise(2), empty])
    with pytest.raises(ValueError, match="without frames"):
        scorer.score(["a"], [empty])


def test_texts_of_ten_thousand_words_end_after_8192_tokens(encoder):
    prompt = encoder.prompt(Item("square " * 10_000), (), instruction="a")
    assert len(prompt.ids) == 8192
    # What the tokenizer adds behind a text stays.
    assert prompt.ids[-1] == encoder._network.tokenizer.convert_tokens_to_ids("<|endoftext|>")


def test_a_clip_of_more_vectors_than_a_text_may_have_tokens_is_whole(encoder):
    clip = noise(64, 400, 700)
    seen = encoder._reading.see_clip(encoder._network, clip)
    prompt = encoder.prompt(Item(), [seen], instruction="a")
    assert len(prompt.ids) > 8192
    assert len(seen.merged) == seen.patches.vectors * 32


def test_marks_of_pictures_in_a_text_are_words_alone_and_refused_beside_a_clip(encoder):
    (row,) = encoder.encode_texts(["a <|video_pad|> red"])
    assert np.isfinite(row).all()
    with pytest.raises(ValueError, match="leave them out"):
        encoder.encode_items([Item("a <|video_pad|> red", (noise(2),))])


def test_prefixes_are_of_unit_length_and_their_lengths_are_checked(stock, encoder):
    whole = encoder.encode_texts(["a red square"])[0][0]
    short = load(str(stock[1]), dimension=8)
    assert short.space.dimension == 8
    wanted = whole[:8] / np.linalg.norm(whole[:8])
    assert np.allclose(short.encode_texts(["a red square"])[0][0], wanted, atol=1e-6)
    assert np.allclose(encoder.encode_texts(["a red square"], dimension=8)[0][0], wanted, atol=1e-6)
    for wrong in (0, 33, "8x"):
        with pytest.raises(ValueError, match="dimension is 1 to 32"):
            load(str(stock[1]), dimension=wrong)


def test_every_setting_is_in_the_readouts(stock):
    made = [
        load(str(stock[1]), **options)
        for options in (
            {},
            {"layout": "wrapped"},
            {"frames": "list"},
            {"fps": "0.5"},
            {"max_frames": 8},
            {"document_instruction": "Find it"},
        )
    ]
    assert len({each.video_readout for each in made}) == len(made)
    assert len({each.text_readout for each in made}) == 1
    asked = load(str(stock[1]), query_instruction="Find it")
    assert asked.text_readout != made[0].text_readout
    assert asked.video_readout == made[0].video_readout


def test_instructions_end_with_punctuation():
    assert settle_instruction(" Find it ") == "Find it."
    assert settle_instruction("请检索。") == "请检索。"
    assert settle_instruction("  ") == "Represent the user's input."
    assert "user\nNULL<" in embedding_prompt("a", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layout": "round"}, "layout"),
        ({"frames": "tape"}, "frames"),
        ({"fps": "many"}, "fps"),
        ({"fps": 0}, "fps"),
        ({"max_frames": 1}, "max_frames"),
        ({"frames": "list", "max_frames": 65}, "1 to 64"),
        ({"precision": "int8"}, "precision"),
    ],
)
def test_options_without_meaning_are_refused(stock, options, said):
    with pytest.raises(ValueError, match=said):
        load(str(stock[1]), **options)


def test_pads_and_groups_must_agree():
    with pytest.raises(ValueError, match="leave them out"):
        count_positions([1, 9, 9], {9}, [(1, 3)])
    with pytest.raises(ValueError, match="no place for 1"):
        count_positions([1, 2], {9}, [(1, 1)])


def test_the_output_head_may_be_there_or_tied_but_nothing_else_left_over(stock, tmp_path):
    def untie(tensors):
        tensors["lm_head.weight"] = torch.zeros(2, 32)

    head = copied(stock, tmp_path / "head", untie)
    text = ["a red square"]
    assert np.array_equal(load(head).encode_texts(text), load(str(stock[1])).encode_texts(text))
    more = copied(stock, tmp_path / "more", lambda t: t.update({"extra.weight": torch.zeros(1)}))
    with pytest.raises(WeightsUnavailableError, match=r"unexpected extra\.weight"):
        load(more)
    name = "model.language_model.layers.1.mlp.up_proj.weight"
    less = copied(stock, tmp_path / "less", lambda tensors: tensors.pop(name))
    with pytest.raises(WeightsUnavailableError, match=rf"missing {name}"):
        load(less)


def test_an_untied_head_gives_the_scores(stock, tmp_path):
    table = stock[0].get_input_embeddings().weight.detach()
    same = copied(stock, tmp_path / "same", lambda t: t.update({"lm_head.weight": table.clone()}))
    turned = copied(stock, tmp_path / "turned", lambda t: t.update({"lm_head.weight": -table}))
    pair = [Item("a red square")], [Item("moves left")]
    tied = load_reranker(str(stock[1])).score_items(*pair)
    assert np.array_equal(load_reranker(same).score_items(*pair), tied)
    assert load_reranker(turned).score_items(*pair) == pytest.approx(1 - tied, abs=1e-6)


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name not in NO_PREPROCESSOR])
def test_what_is_not_whole_is_refused(stock, damage, tmp_path):
    place = damaged(stock[1], damage, tmp_path / "some")
    with pytest.raises(WeightsUnavailableError, match="some"):
        moviola.load_encoder(f"qwen3-vl-embedding:{place}")


def test_the_reranker_makes_no_vectors_and_the_encoder_no_scores(stock):
    with pytest.raises(ValueError, match="load_scorer"):
        moviola.load_encoder(f"qwen3-vl-reranker:{stock[1]}")
    with pytest.raises(ValueError, match="encodes"):
        moviola.load_scorer(f"qwen3-vl-embedding:{stock[1]}")


def test_a_query_is_processed_once_for_all_its_clips(stock):
    cached, plain = load_reranker(str(stock[1])), load_reranker(str(stock[1]))
    clips = [noise(2, seed=seed) for seed in range(4)]
    text = "a red square " * 10
    found = cached.score_pairs([text] * 4, clips)
    alone = [plain.score_pairs([text], [clip])[0] for clip in clips]
    assert found == pytest.approx(alone, abs=1e-5)
    assert np.ptp(alone) > 1e-3
    shared = len(plain._network.tokenize(f"{text}").ids) - 1
    assert plain._network.processed - cached._network.processed >= 3 * shared
    # What stands before the query is the same for all queries, and processed once for them too.
    texts = ["a red square", "moves left", "a"]
    alone = [[plain.score_pairs([text], [clip])[0] for clip in clips] for text in texts]
    np.testing.assert_allclose(cached.score(texts, clips), alone, atol=1e-5)
    before = cached._network.processed, plain._network.processed
    together = cached.score_pairs(texts, [clips[0]] * 3)
    assert together == pytest.approx([row[0] for row in alone], abs=1e-5)
    [plain.score_pairs([text], [clips[0]]) for text in texts]
    saved = (plain._network.processed - before[1]) - (cached._network.processed - before[0])
    assert saved > 2 * 20


def test_clips_are_seen_once_and_no_more_at_a_time_than_a_batch_holds(stock, monkeypatch):
    scorer = load_reranker(str(stock[1]))
    seen = []
    see = type(scorer._network).see

    def note(self, patches):
        seen.append(patches.grid)
        return see(self, patches)

    monkeypatch.setattr(type(scorer._network), "see", note)
    clips = [noise(2, seed=seed) for seed in range(3)]
    wanted = scorer.score(["a red square", "moves left"], clips)
    assert len(seen) == 3
    monkeypatch.setattr("moviola.encode.qwen_vl.network._TOKENS", {"cpu": 1})
    assert [len(group) for group in scorer._seen_together(clips)] == [1, 1, 1]
    found = scorer.score(["a red square", "moves left"], clips)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_clips_of_several_sizes_share_a_pass_of_the_vision_tower(stock, monkeypatch):
    encoder = load(str(stock[1]))
    network = encoder._network
    rng = np.random.default_rng(0)
    clips = [
        Frames(rng.integers(0, 256, (2, 24, 32 + 16 * more, 3), np.uint8), np.arange(2.0))
        for more in range(3)
    ]
    alone = [encoder.encode_videos([clip])[0] for clip in clips]
    passes = []
    see = network.see_all
    monkeypatch.setattr(network, "see_all", lambda each: passes.append(len(each)) or see(each))
    together = encoder.encode_videos(clips)
    assert passes == [3]
    assert np.abs(np.concatenate(together) - np.concatenate(alone)).max() <= 1e-5
