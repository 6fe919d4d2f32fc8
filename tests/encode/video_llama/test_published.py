from __future__ import annotations

import hashlib

import pytest
import torch
from safetensors.torch import load_file, save_file

from moviola.core import WeightsUnavailableError
from moviola.encode.runtime.hub import LOCAL
from moviola.encode.video_llama.model import VideoLlama
from moviola.encode.video_llama.published import PublishedFiles, fetch_files, load_model

CPU = torch.device("cpu")


@pytest.fixture
def blip2(golden, golden_model, tmp_path):
    """The vision side as transformers' BLIP-2 has it: other names, in shards, beside a T5."""
    folder = tmp_path / "blip2-flan-t5-xxl"
    folder.mkdir()
    state = golden_model.visual.state_dict()
    named = {"query_tokens": state["image_queries"]}
    for ours, theirs in (("vit.", "vision_model."), ("image_qformer.", "qformer.")):
        named |= {
            theirs + name.removeprefix(ours): tensor
            for name, tensor in state.items()
            if name.startswith(ours)
        }
    names = sorted(named)
    for shard, part in enumerate((names[:40], names[40:])):
        held = {name: named[name].contiguous() for name in part}
        held[f"language_model.encoder.{shard}.weight"] = torch.zeros(2)
        save_file(held, folder / f"model-0000{shard + 1}-of-00002.safetensors")
    return folder


@pytest.mark.shared
def test_the_vision_side_of_blip2_is_the_same(golden, golden_model, blip2):
    sources = {"blip2_flan_t5_xxl": blip2, "vl_branch": golden.sources["vl_branch"]}
    read = VideoLlama.from_original(golden.config, sources)
    video = golden["input.video"]
    assert torch.equal(read.before_llama(video), golden_model.before_llama(video))
    path = blip2 / "model-00002-of-00002.safetensors"
    state = load_file(path)
    del state["vision_model.post_layernorm.bias"]
    save_file(state, path)
    with pytest.raises(WeightsUnavailableError, match=r"post_layernorm\.bias is missing"):
        VideoLlama.from_original(golden.config, sources)


@pytest.mark.shared
def test_a_folder_is_read_as_it_is(golden, blip2, tmp_path):
    for name in ("vl_branch", "llama"):
        (tmp_path / f"{name}.safetensors").symlink_to(golden.sources[name])
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).symlink_to(golden.folder / name)
    files, checkpoint = fetch_files(str(tmp_path))
    assert checkpoint.revision == LOCAL
    assert files.sources["blip2_flan_t5_xxl"] == blip2
    assert files.tokenizer == tmp_path
    assert load_model(files, ["visual", "llama"], device=CPU).audio is None
    with pytest.raises(WeightsUnavailableError, match=r"al_branch.*which the part `audio`"):
        files.of(["audio"])
    assert files.digest(["visual"]) != files.digest(["llama"])


def test_another_language_model_takes_the_place_of_the_own_one(tmp_path):
    other = tmp_path / "vicuna"
    other.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer_config.json"):
        (other / name).touch()
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "VL_LLaMA_2_7B_Finetuned.pth").touch()
    files, _ = fetch_files(str(folder), llama=str(other))
    assert files.sources["llama"] == other
    assert files.tokenizer == other


def test_a_folder_that_is_nowhere_is_told():
    with pytest.raises(WeightsUnavailableError, match="nowhere"):
        fetch_files("./nowhere")


@pytest.mark.shared
def test_a_damaged_file_of_the_cache_is_refused(golden, tmp_path):
    # The hub's cache keeps a file under its SHA-256 and gives it its name by a link.
    state = {"model": load_file(golden.sources["vl_branch"])}
    torch.save(state, tmp_path / "fresh.pth")
    data = (tmp_path / "fresh.pth").read_bytes()
    blob = tmp_path / hashlib.sha256(data).hexdigest()
    blob.write_bytes(data)
    branch = tmp_path / "VL_LLaMA_2_7B_Finetuned.pth"
    branch.symlink_to(blob)
    files = PublishedFiles(
        {**golden.sources, "vl_branch": branch}, golden.folder, golden.folder / "config.json"
    )
    assert load_model(files, ["visual"], device=CPU).visual is not None
    blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(WeightsUnavailableError, match="not the file that was asked for"):
        load_model(files, ["visual"], device=CPU)
