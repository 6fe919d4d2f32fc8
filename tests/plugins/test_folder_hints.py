"""A folder without its family is answered by the family to name."""

from __future__ import annotations

import json

import pytest

from moviola.core import PluginNotFoundError
from moviola.plugins import families, load_encoder

QWEN3 = ("qwen3-vl", "qwen3-vl-embedding", "qwen3-vl-reranker")


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"config.json": {"model_type": "clip"}}, "--model two-tower:{}"),
        ({"config.json": {"model_type": "internvl"}}, "--model internvl:{}"),
        (
            {"config.json": {"model_type": "qwen3_vl"}},
            " or ".join(f"--model {name}:{{0}}" for name in QWEN3),
        ),
        ({"open_clip_config.json": {}, "open_clip_model.safetensors": {}}, "--model pe-core:{}"),
        ({"finetune.json": {"model": "clip-base-patch32"}}, "--model two-tower:{}"),
        ({"finetune.json": {"model": "pe-core:base,frames=2"}}, "--model pe-core:{}"),
    ],
)
def test_a_folder_is_answered_by_its_families(tmp_path, files, named):
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(PluginNotFoundError) as raised:
        load_encoder(str(tmp_path))
    assert str(raised.value).endswith("named before it: " + named.format(tmp_path))


def test_a_folder_of_nothing_known_is_answered_by_all_families(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(PluginNotFoundError, match="name it as FAMILY:"):
        load_encoder(str(tmp_path))


def test_every_family_of_transformers_tells_its_types():
    """Those without are told by their own files, or by files of no fixed name."""
    silent = {name for name, family in families().items() if not family.types}
    assert silent == {"pe-core", "sentence-transformer", "video-llama"}
