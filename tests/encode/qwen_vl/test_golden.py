"""Every number of the published classes is met: ids, positions, bytes, states, vectors, scores."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest
import torch

import moviola
from moviola.core import Text
from moviola.encode.qwen_vl.encoder import load
from moviola.encode.qwen_vl.prompts import Item
from moviola.encode.qwen_vl.reranker import load as load_reranker
from moviola.pipeline.encode.encode import encode_captions, encode_videos

pytestmark = pytest.mark.shared

LAYOUTS = {"per-frame": "", "wrapped": "wrapped."}
STATES, VECTORS, SCORES, ALIKE = 2e-4, 2e-5, 1e-5, 1e-5


def item_of(golden, name):
    """The item of a case of the embedding set."""
    text = golden.texts[int(name[4])] if name.startswith("text") else ""
    if name == "mixed":
        return Item(golden.texts[0], (golden.clip(name),), (golden.picture(1),))
    if name == "frames_list7":
        return Item(videos=(golden.listed(),))
    if name.startswith("video"):
        return Item(videos=(golden.clip(name),))
    if name.startswith("image"):
        return Item(pictures=(golden.picture(int(name[5])),))
    return Item(text)


def instruction_of(case):
    return case["template_prompt"].split("system\n")[1].split("<|im_end|>")[0]


def watch(network):
    """Note what every layer and the final norm read in the next pass."""
    read = []
    hooks = [
        module.register_forward_pre_hook(
            lambda _, args, kwargs: read.append(args[0] if args else kwargs["hidden_states"]),
            with_kwargs=True,
        )
        for module in (*network.language.layers, network.language.norm)
    ]
    return read, hooks


def require_close(found, wanted, within):
    assert np.abs(np.asarray(found) - wanted).max() <= within


def require_vision(seen, wanted):
    """Compare what the tower gave, pictures before videos, with what is stored of it."""
    for at, each in enumerate(sorted(seen, key=lambda each: bool(each.patches.times))):
        for key, vectors in (
            (f"vision.{at}.merged", each.merged),
            *((f"vision.{at}.deepstack.{i}", v) for i, v in enumerate(each.deepstack)),
        ):
            if key in wanted:
                require_close(vectors, wanted[key], STATES)
            if f"{key}.every5" in wanted:
                require_close(vectors[::5], wanted[f"{key}.every5"], STATES)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_embedding_model_gives_every_number(embedding_golden, layout):
    golden, prefix = embedding_golden, LAYOUTS[layout]
    encoders = {
        way: load(str(golden.folder), layout=layout, frames=way) for way in ("file", "list")
    }
    met = 0
    for name, case in golden.cases.items():
        wanted = {
            key.removeprefix(f"{prefix}{name}."): value
            for key, value in golden.tensors.items()
            if key.startswith(f"{prefix}{name}.")
        }
        if "pooled" not in wanted:
            continue
        met += 1
        encoder = encoders["list" if name == "frames_list7" else "file"]
        network, item = encoder._network, item_of(golden, name)
        seen = encoder._reading.see_item(network, item)
        told = instruction_of(case)
        prompt = encoder.prompt(item, seen, instruction=told)
        assert np.array_equal(prompt.ids, wanted["input_ids"]), name
        counted = np.tile(np.arange(len(prompt.ids)), (3, 1))
        assert np.array_equal(prompt.positions, wanted.get("position_ids", counted)), name
        require_vision(seen, wanted)
        read, hooks = watch(network)
        states = network.last_states([prompt])
        for hook in hooks:
            hook.remove()
        require_close(states[0], wanted["hidden_last_token"][-1], STATES)
        if "residual_last_token" in wanted:
            require_close([x[0, -1].numpy() for x in read], wanted["residual_last_token"], STATES)
        for key, vector in wanted.items():
            if key.startswith("embedding."):
                length = int(key.removeprefix("embedding."))
                (row,) = encoder.encode_items([item], instruction=told, dimension=length)
                assert row.shape == (1, length)
                require_close(row[0], vector, VECTORS)
    assert met == (17 if layout == "per-frame" else 7)


def test_resized_bytes_and_patches_are_those_of_the_original(embedding_golden):
    golden = embedding_golden
    processor = load(str(golden.folder))._network.patches
    met = 0
    for name, case in golden.cases.items():
        for video in case.get("videos", ()):
            listed = name == "frames_list7"
            clip = golden.listed() if listed else golden.clip(name)
            resize = processor.resize_list if listed else processor.resize_file
            resized = resize(clip.pixels)
            if len(resized) % 2:
                resized = torch.cat([resized, resized[-1:]])
            assert list(resized.shape) == video["resized_shape_TCHW"]
            digest = hashlib.sha256(resized.contiguous().numpy().tobytes()).hexdigest()
            assert digest == video["resized_sha256"], name
            values = processor.cut(resized).values.numpy()
            sampled = golden.tensors[f"{name}.pixel_values_videos.rows"]
            wanted = golden.tensors[f"{name}.pixel_values_videos.sample"]
            require_close(values[sampled], wanted, 1e-6)
            met += 1
    assert met == 7


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_reranker_gives_every_number(reranker_golden, layout):
    golden, prefix, met = reranker_golden, LAYOUTS[layout], 0
    for name, case in golden.cases.items():
        if f"{prefix}{name}.score" not in golden.tensors:
            continue
        met += 1
        said = case["template_prompt"].split("<Instruct>: ")[1]
        told, sides = said.split("<Query>:")
        texts = [
            re.sub(r"<\|[a-z_]+\|>", "", side)
            for side in sides.split("<|im_end|>")[0].split("\n<Document>:")
        ]
        listed = name == "pair3_frames_list"
        videos = ()
        if "videos" in case:
            videos = (golden.listed() if listed else golden.clip(name),)
        pictures = (golden.picture(0),) if name == "pair5_image" else ()
        query, document = Item(texts[0]), Item(texts[1], videos, pictures)
        if name == "pair6_video_query":
            query, document = Item(texts[0], videos), Item(texts[1])
        scorer = load_reranker(
            str(golden.folder), layout=layout, frames="list" if listed else "file", instruction=told
        )
        seen = [scorer._reading.see_item(scorer._network, item) for item in (query, document)]
        prompt = scorer.prompt(query, seen[0], document, seen[1])
        assert np.array_equal(prompt.ids, golden.tensors[f"{prefix}{name}.input_ids"]), name
        states = scorer._network.last_states([prompt])
        require_close(states[0], golden.tensors[f"{prefix}{name}.hidden_last_token"][-1], STATES)
        score = golden.tensors[f"{prefix}{name}.score"]
        require_close(scorer.score_items([query], [document]), score, SCORES)
        if query.text and videos and not document.text:
            require_close(scorer.score_pairs([query.text], list(videos)), score, SCORES)
            require_close(scorer.score([query.text], list(videos)), score[:, None], SCORES)
    assert met == (8 if layout == "per-frame" else 6)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("options", ["", ",dimension=32"])
def test_files_are_sampled_and_encoded_as_by_the_original(
    embedding_golden, layout, options, tmp_path
):
    golden = embedding_golden
    encode_videos(
        [golden.folder / "videos"],
        out=tmp_path / "out",
        model=f"qwen3-vl-embedding:{golden.folder},layout={layout}{options}",
        layout="npy",
        dtype="float32",
        precision="float32",
    )
    for number in range(4):
        found = np.load(tmp_path / "out" / f"v{number}.npy").ravel()
        stored = golden.tensors[f"{LAYOUTS[layout]}video{number}.pooled"]
        wanted = stored[: len(found)] / np.linalg.norm(stored[: len(found)])
        require_close(found, wanted, VECTORS)


def test_files_with_another_rate_and_captions_with_an_instruction(embedding_golden, tmp_path):
    golden = embedding_golden
    name = f"qwen3-vl-embedding:{golden.folder}"
    encode_videos(
        [golden.folder / "videos" / "v2.mp4"],
        out=tmp_path / "videos",
        model=f"{name},fps=2,max_frames=9,dimension=32",
        layout="npy",
        dtype="float32",
        precision="float32",
    )
    wanted = golden.tensors["video2_fps2_max9.embedding.32"]
    require_close(np.load(tmp_path / "videos" / "v2.npy").ravel(), wanted, VECTORS)
    told = "Find a video that contains the following visual content"
    encode_captions(
        [Text("first", golden.texts[0])],
        out=tmp_path / "texts",
        model=f"{name},query_instruction={told}",
        layout="npy",
        dtype="float32",
        precision="float32",
    )
    wanted = golden.tensors["text0_instructed.embedding.64"]
    require_close(np.load(tmp_path / "texts" / "first.npy").ravel(), wanted, VECTORS)


def test_a_batch_is_its_single_items(embedding_golden, reranker_golden):
    encoder = moviola.load_encoder(f"qwen3-vl-embedding:{embedding_golden.folder}")
    clips = [embedding_golden.clip(f"video{number}") for number in range(4)]
    for found, single in (
        (encoder.encode_texts(embedding_golden.texts), encoder.encode_texts),
        (encoder.encode_videos(clips), encoder.encode_videos),
    ):
        inputs = embedding_golden.texts if single == encoder.encode_texts else clips
        for row, each in zip(found, inputs, strict=True):
            require_close(row, single([each])[0], ALIKE)
    scorer = moviola.load_scorer(f"qwen3-vl-reranker:{reranker_golden.folder}")
    clips = [reranker_golden.clip(name) for name in ("pair0", "pair1", "pair6_video_query")]
    texts = reranker_golden.texts[:2]
    matrix = scorer.score(texts, clips)
    for row, text in enumerate(texts):
        for column, clip in enumerate(clips):
            require_close(matrix[row, column], scorer.score_pairs([text], [clip])[0], ALIKE)
