from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fixtures.perception import save_pe_core
from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.pe_core.checkpoints import WEIGHTS as PE_CORE_WEIGHTS
from moviola.encode.pe_core.loading import load_model as load_pe_core
from moviola.encode.runtime.adapter import CARD, WEIGHTS
from moviola.encode.two_tower.loading import load_model
from moviola.finetune.two_tower.config import FinetuneConfig
from moviola.finetune.two_tower.towers import TrainableTowers
from moviola.finetune.two_tower.train import finetune
from moviola.plugins import load_encoder

CONFIG = FinetuneConfig(
    rank=2, alpha=4, frames=2, captions=2, epochs=2, batch=4, chunk=2, rate=1e-2, held_out=0.2
)
TEXTS = ["a red dog", "blue 3 a 0"]


def clip(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 40, 60, 3), np.uint8)
    return Frames(pixels, np.arange(2) / 2.0)


def vectors(encoder):
    return np.concatenate([*encoder.encode_texts(TEXTS), *encoder.encode_videos([clip()])])


LOADERS = {"two-tower": load_model, "pe-core": load_pe_core}


@pytest.fixture(scope="module", params=["clip", "siglip", "pe-core"])
def base(request, make_checkpoint, tmp_path_factory):
    """The name of a tiny model; fixed sizes of SigLIP 2 are of the kind siglip."""
    if request.param == "pe-core":
        save_pe_core(folder := tmp_path_factory.mktemp("tiny-pe-core"))
        return f"pe-core:{folder}"
    return f"two-tower:{make_checkpoint(request.param)}"


@pytest.fixture(scope="module")
def tuned(base, shots, tmp_path_factory):
    return finetune(shots, base, tmp_path_factory.mktemp("lora") / "mine", CONFIG)


def test_an_adapter_is_a_model_of_its_own_space(tuned, base):
    before = load_encoder(f"{base},frames=2")
    after = load_encoder(tuned.model)
    assert after.space.weights != before.space.weights
    assert after.space.model == "mine"
    assert after.sampler.count == 2
    assert np.abs(vectors(after) - vectors(before)).max() > 1e-3


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_what_is_merged_equals_what_peft_computes_unmerged(tuned, base):
    from peft import PeftModel

    family, _, folder = base.partition(":")
    below = LOADERS[family](folder)
    # peft reads its folder with the weights beside the layers, not in them.
    PeftModel.from_pretrained(below.model, tuned.out)
    towers = TrainableTowers(below, replace(CONFIG, method="full"))
    frames = below.preprocessing.shrink(clip().pixels)[None]
    with torch.no_grad():
        wanted = [*towers.embed_texts(towers.tokenize(TEXTS)), *towers.embed_clips(frames)]
    assert (
        np.abs(
            vectors(load_encoder(tuned.model, precision="float32")) - torch.stack(wanted).numpy()
        ).max()
        <= 1e-5
    )


def test_only_the_adapter_moves(base, shots, tmp_path):
    towers = {}
    kept = TrainableTowers.__init__

    def watch(self, loaded, config):
        kept(self, loaded, config)
        towers["now"] = self
        towers["before"] = {name: each.clone() for name, each in self.named_parameters()}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainableTowers, "__init__", watch)
        finetune(shots, base, tmp_path / "out", replace(CONFIG, epochs=1))
    moved = {
        name
        for name, each in towers["now"].named_parameters()
        if not torch.equal(each, towers["before"][name])
    }
    assert moved
    assert all(".lora_" in name for name in moved)
    assert moved >= {name for name in towers["before"] if ".lora_B" in name and "text" in name}


def test_all_weights_of_pe_core_become_a_checkpoint_of_its_own_layout(shots, tmp_path):
    (tmp_path / "base").mkdir()
    save_pe_core(tmp_path / "base")
    config = replace(CONFIG, method="full", epochs=1, rate=1e-3)
    tuned = finetune(shots, f"pe-core:{tmp_path / 'base'}", tmp_path / "out", config)
    names = [load_file(tmp_path / each / PE_CORE_WEIGHTS).keys() for each in ("base", "out")]
    assert names[0] == names[1]
    before, after = (load_encoder(f"pe-core:{tmp_path / each}") for each in ("base", "out"))
    assert tuned.model.startswith("pe-core:")
    assert before.space.weights != after.space.weights
    assert np.abs(vectors(after) - vectors(before)).max() > 1e-4


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_resumed_run_is_the_uninterrupted_one(method, make_checkpoint, shots, tmp_path):
    base = make_checkpoint("clip")
    config = replace(CONFIG, method=method, rate=1e-3)
    name = f"two-tower:{base}"
    whole = finetune(shots, name, tmp_path / "whole", config)

    def interrupt(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        finetune(shots, name, tmp_path / "cut", config, on_epoch=interrupt)
    assert not (tmp_path / "cut").exists()
    resumed = finetune(shots, name, tmp_path / "cut", config, resume=True)
    assert [epoch.measures for epoch in resumed.history] == [e.measures for e in whole.history]
    file = WEIGHTS if method == "lora" else "model.safetensors"
    ours, theirs = load_file(tmp_path / "cut" / file), load_file(tmp_path / "whole" / file)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert load_encoder(f"two-tower:{tmp_path / 'cut'}").space.dimension == 24


def test_frames_are_decoded_once(tuned, base, shots, monkeypatch):
    def refuse(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr("moviola.finetune.two_tower.frames.DecodePool.read", refuse)
    tuned.out.rename(tuned.out.with_name("kept"))
    try:
        again = finetune(shots, base, tuned.out, CONFIG)
    finally:
        again_files = load_file(tuned.out / WEIGHTS)
        for path in tuned.out.iterdir():
            path.unlink()
        tuned.out.rmdir()
        tuned.out.with_name("kept").rename(tuned.out)
    first = load_file(tuned.out / WEIGHTS)
    assert all(torch.equal(first[key], again_files[key]) for key in first), "one seed, one result"
    assert [e.loss for e in again.history] == [e.loss for e in tuned.history]


def test_an_adapter_of_other_weights_is_refused(tuned, make_checkpoint, tmp_path, tmp_path_factory):
    for path in tuned.out.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    family = tuned.model.partition(":")[0]
    other = make_checkpoint("clip", 1)
    if family == "pe-core":
        save_pe_core(other := tmp_path_factory.mktemp("other-pe-core"), seed=1)
    config["base_model_name_or_path"] = str(other)
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsUnavailableError, match="trained on other weights"):
        LOADERS[family](str(tmp_path))
    (tmp_path / CARD).unlink()
    config["use_dora"] = True
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsUnavailableError, match="no plain LoRA"):
        LOADERS[family](str(tmp_path))


def test_refusals_name_the_way_out(shots, make_checkpoint, tmp_path):
    with pytest.raises(ValueError, match="fine-tuning takes CLIP"):
        finetune(shots, "shapes", tmp_path / "out")
    with pytest.raises(ValueError, match="of the family xclip"):
        finetune(shots, "xclip-base-patch32", tmp_path / "out")
    with pytest.raises(FileExistsError, match="choose another --out"):
        finetune(shots, "clip-base-patch32", tmp_path)
    with pytest.raises(FileNotFoundError, match="leave --resume out"):
        finetune(shots, "clip-base-patch32", tmp_path / "out", resume=True)
    with pytest.raises(ValueError, match="NaFlex"):
        finetune(shots, f"two-tower:{make_checkpoint('siglip2')}", tmp_path / "out")
