from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from transformers import AutoTokenizer

from moviola.core import WeightsUnavailableError
from moviola.encode.pe_core.checkpoints import CONFIG, FAMILY, WEIGHTS
from moviola.encode.pe_core.loading import load
from moviola.encode.pe_core.model import PeCore, TextSizes, own_names
from moviola.encode.perception.vision import PeVisionConfig
from moviola.plugins import encoder_names
from moviola.testing import check_encoder

TEXTS = ["a dog on the table", "cat", "", "a " * 300, "Red  SQUARE"]


def written(rows, block, heads):
    """One block as section 3.3 of Radford et al. (2021) writes it, by torch's own attention."""
    width = rows.shape[-1]
    attention = nn.MultiheadAttention(width, heads, batch_first=True)
    attention.load_state_dict({name.removeprefix("attn."): block[name] for name in block
                               if name.startswith("attn.")})  # fmt: skip
    count = rows.shape[1]
    mask = torch.full((count, count), -torch.inf).triu(1)

    def norm(x, name):
        return functional.layer_norm(x, (width,), block[f"{name}.weight"], block[f"{name}.bias"])

    calm = norm(rows, "ln_1")
    rows = rows + attention(calm, calm, calm, attn_mask=mask, need_weights=False)[0]
    inner = functional.linear(norm(rows, "ln_2"), block["mlp.c_fc.weight"], block["mlp.c_fc.bias"])
    inner = functional.gelu(inner)
    return rows + functional.linear(inner, block["mlp.c_proj.weight"], block["mlp.c_proj.bias"])


def text_vector(folder, text):
    """The vector of one text, alone in its batch, by the published description."""
    config = json.loads((folder / CONFIG).read_text())["model_cfg"]["text_cfg"]
    tensors = {
        name.removeprefix("text."): value for name, value in load_file(folder / WEIGHTS).items()
    }
    ids = AutoTokenizer.from_pretrained(folder)(
        text, truncation=True, max_length=config["context_length"], return_tensors="pt"
    )["input_ids"]
    rows = tensors["token_embedding.weight"][ids] + tensors["positional_embedding"][: ids.shape[1]]
    for number in range(config["layers"]):
        start = f"transformer.resblocks.{number}."
        block = {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}
        rows = written(rows, block, config["heads"])
    last = functional.layer_norm(
        rows[:, -1], rows.shape[-1:], tensors["ln_final.weight"], tensors["ln_final.bias"]
    )
    return functional.normalize(last @ tensors["text_projection"], dim=-1).detach().numpy()


def test_the_kit(pe_core_folder):
    check_encoder(load(str(pe_core_folder)), tolerance=1e-5)
    check_encoder(load(str(pe_core_folder), pooling="none", frames=3), tolerance=1e-5)


def test_texts_are_those_of_the_published_description(pe_core_folder):
    rows = load(str(pe_core_folder)).encode_texts(TEXTS)
    for text, row in zip(TEXTS, rows, strict=True):
        assert np.abs(row - text_vector(pe_core_folder, text)).max() < 1e-5


def test_the_text_tower_is_that_of_openclip():
    """Weights, tokens and vectors that open_clip 3.3.0 made."""
    with safe_open(Path(__file__).parent / "pe_core_text.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    vision = PeVisionConfig(image=28, width=16, depth=1, heads=2, labels=8)
    towers = PeCore(vision, TextSizes(12, 40, 16, 2, 2)).eval()
    weights = {
        name.removeprefix("weights."): value
        for name, value in tensors.items()
        if name.startswith("weights.")
    }
    towers.text.load_state_dict(own_names(weights), strict=True)
    with torch.inference_mode():
        found = towers.get_text_features(tensors["ids"]).pooler_output
    assert (found - tensors["vectors"]).abs().max() < 1e-5


def test_a_clip_is_the_mean_of_its_frames(pe_core_folder, make_clips):
    whole, single = load(str(pe_core_folder)), load(str(pe_core_folder), pooling="none")
    for clip in make_clips(whole.sampler):
        (row,), (rows,) = whole.encode_videos([clip]), single.encode_videos([clip])
        frames = torch.from_numpy(clip.pixels).permute(0, 3, 1, 2)
        small = functional.interpolate(frames, (28, 28), mode="bilinear", antialias=True)
        with torch.inference_mode():
            seen = single._video._module((small.float() / 255 - 0.5) / 0.5)
        assert np.abs(functional.normalize(seen, dim=-1).numpy() - rows).max() < 1e-5
        mean = rows.mean(0, keepdims=True)
        assert np.abs(row - mean / np.linalg.norm(mean)).max() < 1e-6


def rewritten(folder, place, change):
    for file in folder.iterdir():
        if file.name != WEIGHTS:
            (place / file.name).write_bytes(file.read_bytes())
    save_file(change(load_file(folder / WEIGHTS)), place / WEIGHTS)
    return str(place)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: {n: v for n, v in t.items() if n != "text.ln_final.bias"}, "ln_final.bias"),
        (lambda t: {**t, "text.more": torch.zeros(2)}, "text.more"),
        (lambda t: {**t, "visual.trunk.head.bias": torch.zeros(3)}, "head.bias"),
    ],
)
def test_every_weight_must_fit(pe_core_folder, tmp_path, change, named):
    with pytest.raises(WeightsUnavailableError, match=named):
        load(rewritten(pe_core_folder, tmp_path, change))


def test_what_is_no_pe_core_is_refused(pe_core_folder, tmp_path):
    place = Path(rewritten(pe_core_folder, tmp_path, lambda tensors: tensors))
    config = json.loads((place / CONFIG).read_text())
    config["model_cfg"]["text_cfg"]["no_causal_mask"] = True
    (place / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ValueError, match="no_causal_mask"):
        load(str(place))
    del config["model_cfg"]["text_cfg"]
    (place / CONFIG).write_text(json.dumps(config))
    with pytest.raises(WeightsUnavailableError, match="text_cfg"):
        load(str(place))


def test_the_published_sizes_are_listed():
    listed = {card.name: card for card in FAMILY.models}
    found = [(card.reported[0].value, card.licence) for card in listed.values()]
    assert found == [(value, "Apache-2.0") for value in (28.8, 39.3, 47.6, 50.3)]
    assert "pe-core-base" in encoder_names()
