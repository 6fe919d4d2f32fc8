from __future__ import annotations

import hashlib
import pickle
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from moviola.core import MissingExtraError, WeightsUnavailableError
from moviola.encode.video_llama.config import VideoLlamaConfig
from moviola.encode.video_llama.llama import load_llama
from moviola.encode.video_llama.model import VideoLlama
from moviola.encode.video_llama.published import find_files, load_model
from moviola.encode.video_llama.weights.loading import parts_of
from moviola.plugins.pth import read_pth

VISUAL = ("eva_vit_g", "blip2_pretrained_flant5xxl", "vl_branch")


def changed(golden, folder, stem, change):
    """The golden sources with `stem` replaced by what `change` leaves of it."""
    state = load_file(golden.sources[stem])
    change(state)
    save_file(state, folder / f"{stem}.safetensors")
    return golden.sources | {stem: folder / f"{stem}.safetensors"}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("stem", "key"),
    [
        ("eva_vit_g", "blocks.1.attn.v_bias"),
        ("eva_vit_g", "pos_embed"),
        ("blip2_pretrained_flant5xxl", "ln_vision.weight"),
        ("vl_branch", "video_frame_position_embedding.weight"),
        ("al_branch", "audio_Qformer.bert.encoder.layer.1.crossattention.self.key.weight"),
        ("imagebind_huge_audio_only", "modality_postprocessors.audio.1.log_logit_scale"),
        ("llama", "model.layers.2.mlp.up_proj.weight"),
    ],
)
def test_a_key_that_is_missing_or_misspelled_is_refused(golden, tmp_path, stem, key):
    removed = changed(golden, tmp_path, stem, lambda state: state.pop(key))
    with pytest.raises(WeightsUnavailableError, match="is missing"):
        VideoLlama.from_original(golden.config, removed)

    def misspell(state):
        state[f"{key}x"] = state.pop(key)

    with pytest.raises(WeightsUnavailableError):
        VideoLlama.from_original(golden.config, changed(golden, tmp_path, stem, misspell))


@pytest.mark.shared
@pytest.mark.parametrize("stem", ["eva_vit_g", "vl_branch", "al_branch", "llama"])
def test_a_tensor_that_belongs_elsewhere_is_refused(golden, tmp_path, stem):
    def add(state):
        state["audio_tokens_of_another_model"] = torch.zeros(1)

    with pytest.raises(WeightsUnavailableError, match="audio_tokens_of_another_model"):
        VideoLlama.from_original(golden.config, changed(golden, tmp_path, stem, add))


@pytest.mark.shared
def test_a_second_extra_block_is_refused(golden, tmp_path):
    count = golden.config.vision.num_hidden_layers

    def add(state):
        for name in [name for name in state if name.startswith(f"blocks.{count}.")]:
            state[name.replace(f"blocks.{count}.", f"blocks.{count + 1}.")] = state[name].clone()

    with pytest.raises(WeightsUnavailableError, match=rf"layers\.{count + 1}.* is not needed"):
        VideoLlama.from_original(golden.config, changed(golden, tmp_path, "eva_vit_g", add))


@pytest.mark.shared
def test_another_shape_is_refused(golden, tmp_path):
    def cut(state):
        state["video_query_tokens"] = state["video_query_tokens"][:, 1:].contiguous()

    with pytest.raises(WeightsUnavailableError, match="video_queries has shape"):
        VideoLlama.from_original(golden.config, changed(golden, tmp_path, "vl_branch", cut))


@pytest.mark.shared
def test_the_released_pickles_give_the_same(golden, golden_model, tmp_path):
    sources = dict(golden.sources)
    for stem in VISUAL[1:]:
        state = load_file(golden.sources[stem])
        torch.save({"model": state, "optimizer": {"lr": 0.1}, "epoch": 3}, tmp_path / f"{stem}.pth")
        sources[stem] = tmp_path / f"{stem}.pth"
    torch.save(
        load_file(golden.sources["eva_vit_g"]),
        tmp_path / "eva_vit_g.pth",
        _use_new_zipfile_serialization=False,  # as files of 2021 are
    )
    sources["eva_vit_g"] = tmp_path / "eva_vit_g.pth"
    read = VideoLlama.from_original(golden.config, {stem: sources[stem] for stem in VISUAL})
    video = golden["input.video"]
    assert torch.equal(read.before_llama(video), golden_model.before_llama(video))


@pytest.mark.shared
def test_parts_load_alone_and_open_no_other_file(golden, golden_model, tmp_path, monkeypatch):
    text_only = VideoLlama.from_original(golden.config, {"llama": golden.sources["llama"]})
    assert text_only.visual is None
    assert text_only.audio is None
    ids = golden["text.1.input_ids"]
    assert torch.equal(
        text_only.stages(input_ids=ids)["text.0.last_hidden_state"],
        golden_model.stages(input_ids=ids)["text.0.last_hidden_state"],
    )
    with pytest.raises(ValueError, match="made without visual: it needs eva_vit_g"):
        text_only.before_llama(golden["input.video"])
    # Whatever lies beside the language model is not even read.
    for stem in golden.sources:
        (tmp_path / f"{stem}.safetensors").write_bytes(b"not a tensor")
    (tmp_path / "llama.safetensors").write_bytes(golden.sources["llama"].read_bytes())
    (tmp_path / "config.json").write_bytes((golden.folder / "config.json").read_bytes())
    files = find_files(tmp_path)
    assert load_model(files, ["llama"], device=torch.device("cpu")).llama is not None
    with pytest.raises(WeightsUnavailableError, match="cannot be read"):
        load_model(files, ["visual"], device=torch.device("cpu"))


def test_a_part_without_all_its_files_is_named(tmp_path):
    paths = {name: tmp_path / name for name in VISUAL[:2]}
    with pytest.raises(ValueError, match=r"visual needs blip2_pretrained_flant5xxl.*vl_branch"):
        parts_of(paths)
    with pytest.raises(ValueError, match="no source is called"):
        parts_of({"vl": tmp_path})
    with pytest.raises(ValueError, match="no source was given"):
        parts_of({})
    assert parts_of({**paths, "vl_branch": tmp_path}) == {"visual"}
    assert parts_of({"weights": tmp_path}) == {"visual", "audio", "llama"}


class Bomb:
    """What a malicious checkpoint holds."""

    def __reduce__(self):
        return (print, ("boom",))


def test_a_pickle_that_would_run_code_is_refused(tmp_path, capsys):
    torch.save({"model": {"weight": Bomb()}}, tmp_path / "new.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"weight": Bomb()}, protocol=2))
    for name in ("new.pth", "old.pth"):
        with pytest.raises(WeightsUnavailableError, match="can be read safely"):
            read_pth(tmp_path / name)
    (tmp_path / "noise.pth").write_bytes(bytes(range(256)))
    with pytest.raises(WeightsUnavailableError, match="can be read safely"):
        read_pth(tmp_path / "noise.pth")
    assert "boom" not in capsys.readouterr().out


def test_a_file_with_another_digest_is_refused(tmp_path):
    path = tmp_path / "branch.pth"
    torch.save({"weight": torch.arange(3)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_pth(path, sha256=digest)["weight"].tolist() == [0, 1, 2]
    with pytest.raises(WeightsUnavailableError, match=f"its SHA-256 is {digest}"):
        read_pth(path, sha256="0" * 64)
    with pytest.raises(WeightsUnavailableError, match="cannot be read"):
        read_pth(tmp_path / "absent.pth")


@pytest.mark.parametrize("held", [[1, 2], {"model": {"epoch": 3}}, {"weight": "text"}])
def test_a_pickle_without_a_state_dict_is_refused(tmp_path, held):
    torch.save(held, tmp_path / "branch.pth")
    with pytest.raises(WeightsUnavailableError, match="no state dict"):
        read_pth(tmp_path / "branch.pth")


@pytest.fixture
def llama_folder(tiny_config, tmp_path):
    torch.manual_seed(5)
    model = LlamaForCausalLM(LlamaConfig(**tiny_config.llama))
    model.save_pretrained(tmp_path / "llama-tiny")
    return tmp_path / "llama-tiny", model.eval()


def test_the_language_model_of_a_checkpoint_folder(tiny_config, llama_folder):
    folder, model = llama_folder
    read = VideoLlama.from_original(tiny_config, {"llama": folder})
    ids = torch.tensor([[1, 8, 5, 40]])
    assert torch.equal(read.llama(ids).logits, model(ids).logits)
    half = VideoLlama.from_original(tiny_config, {"llama": folder}, dtype=torch.bfloat16)
    assert half.llama.lm_head.weight.dtype == torch.bfloat16
    frequencies = half.llama.model.rotary_emb.inv_freq
    assert torch.equal(frequencies, model.model.rotary_emb.inv_freq)


def test_a_device_map_places_the_language_model(tiny_config, llama_folder):
    pytest.importorskip("accelerate")
    folder, model = llama_folder
    read = VideoLlama.from_original(tiny_config, {"llama": folder}, device_map="auto")
    ids = torch.tensor([[1, 8, 5, 40]])
    assert torch.equal(read.llama(ids).logits, model(ids).logits)


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
def test_what_8_bits_need_is_told(llama_folder):
    folder, _ = llama_folder
    with pytest.raises(MissingExtraError, match="pip install bitsandbytes"):
        load_llama(folder, eight_bit=True)


def test_a_language_model_of_another_width_is_refused(tiny_config, llama_folder):
    folder, _ = llama_folder
    wider = VideoLlamaConfig(llama={**tiny_config.llama, "hidden_size": 80})
    with pytest.raises(WeightsUnavailableError, match=r"vectors of 40, .* ones of 80"):
        VideoLlama.from_original(wider, {"llama": folder})


def test_a_checkpoint_that_lacks_a_weight_is_refused(llama_folder):
    folder, _ = llama_folder
    state = load_file(folder / "model.safetensors")
    del state["model.layers.0.mlp.up_proj.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsUnavailableError, match="lacks"):
        load_llama(folder)
    with pytest.raises(WeightsUnavailableError, match="no LLaMA"):
        load_llama(folder.parent)


@pytest.mark.shared
def test_two_files_for_one_purpose_are_refused(golden, tmp_path):
    for name in ("VL_LLaMA_2_7B_Finetuned.pth", "finetune-vicuna7b-v2.pth"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(WeightsUnavailableError, match="holds both"):
        find_files(tmp_path)


def test_the_released_names_are_found(tmp_path):
    names = {
        "vl_branch": "finetune-vicuna7b-v2.pth",
        "al_branch": "finetune_vicuna7b_audiobranch.pth",
        "imagebind_huge": "imagebind_huge.pth",
        "eva_vit_g": "eva_vit_g.pth",
        "blip2_pretrained_flant5xxl": "blip2_pretrained_flant5xxl.pth",
        "llama": "vicuna-7b",
    }
    for name in names.values():
        (tmp_path / name).mkdir() if "." not in name else (tmp_path / name).touch()
    (tmp_path / "README.md").touch()
    found = find_files(tmp_path)
    assert {source: path.name for source, path in found.sources.items()} == names
    with pytest.raises(WeightsUnavailableError, match="holds no config"):
        found.read_config()
    with pytest.raises(WeightsUnavailableError, match="no file of a Video-LLaMA"):
        find_files(tmp_path / "vicuna-7b")
