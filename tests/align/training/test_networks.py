from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from moviola.align.data.rows import RaggedRows
from moviola.align.head.aligner import Aligner
from moviola.align.head.side import Side
from moviola.align.training.mlp import Mlp
from moviola.align.training.networks import Network, NetworkConfig, NetworkMaps
from moviola.core import Clip, Embeddings, Readout, Space, Span, Text

CONFIGS = {
    "linear": NetworkConfig("linear", (6,)),
    "mlp": NetworkConfig("mlp", (10, 6)),
    "reported mlp": NetworkConfig("mlp", (10, 6), free_end=False),
    "residual": NetworkConfig("residual", (6,), hidden=7),
    "transformer": NetworkConfig("transformer", (8,), layers=2, heads=2, hidden=9),
    "post-norm": NetworkConfig("transformer", (8,), layers=1, heads=4, pre_norm=False),
}


def _ragged(dimension: int, counts: list[int]) -> RaggedRows:
    rng = np.random.default_rng(len(counts))
    rows = rng.normal(size=(sum(counts), dimension)).astype(np.float32)
    return RaggedRows(rows, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def _counts(config: NetworkConfig) -> list[int]:
    return [3, 1, 5, 2] if config.takes_rows else [1, 1, 1, 1]


@pytest.mark.parametrize("name", CONFIGS)
def test_a_head_of_networks_comes_back_from_its_folder(name, tmp_path) -> None:
    config = CONFIGS[name]
    torch.manual_seed(0)
    networks = Network(config, 5, skip=1).eval(), Network(config, 7).eval()
    sides = _ragged(5, _counts(config)), _ragged(7, _counts(config))
    texts = _embedded([Text(f"t{i}", "") for i in range(4)], sides[0])
    clips = _embedded([Clip(f"v{i}", tmp_path, Span(0, 1)) for i in range(4)], sides[1])
    head = Aligner(Side.of(texts), Side.of(clips), NetworkMaps(*networks), {"method": name})
    head.save_pretrained(tmp_path / "head")
    again = Aligner.from_pretrained(tmp_path / "head")
    assert again.space == head.space
    for before, after in (
        (head.align_texts(texts), again.align_texts(texts)),
        (head.align_clips(clips), again.align_clips(clips)),
    ):
        assert np.array_equal(before.vectors, after.vectors)
        assert np.allclose(np.linalg.norm(after.vectors, axis=1), 1, atol=1e-5)


def _embedded(items: list, side: RaggedRows) -> Embeddings:
    return Embeddings(
        items, side.offsets, [side.rows], Space.anonymous(side.dimension), Readout("rows")
    )


@pytest.mark.parametrize("name", ["transformer", "post-norm"])
def test_a_transformer_sees_the_rows_of_its_item_and_nothing_beside(name) -> None:
    torch.manual_seed(0)
    network = Network(CONFIGS[name], 5)
    together = network.embed(_ragged(5, [3, 1, 5, 2]))
    side = _ragged(5, [3, 1, 5, 2])
    for item in range(4):
        alone = network.embed(side.some(np.array([item])))
        assert np.allclose(together[item], alone[0], atol=1e-5)


def test_skipped_rows_are_not_looked_at_unless_there_is_nothing_else() -> None:
    torch.manual_seed(0)
    network = Network(CONFIGS["transformer"], 5, skip=1)
    side = _ragged(5, [3, 1])
    changed = RaggedRows(side.rows.copy(), side.offsets)
    changed.rows[0] += 7
    changed.rows[3] += 7
    before, after = network.embed(side), network.embed(changed)
    assert np.allclose(before[0], after[0], atol=1e-6)
    assert not np.allclose(before[1], after[1], atol=1e-2)


def test_a_residual_head_begins_as_its_linear_map() -> None:
    linear = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    network = Network(CONFIGS["residual"], 5, linear=linear)
    side = _ragged(5, [1, 1, 1])
    expected = side.rows @ linear.numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(network.embed(side), expected, atol=1e-5)


def test_the_reported_mlp_ends_in_relu_and_norm_and_the_free_one_does_not() -> None:
    reported = Mlp(5, (4, 3), dropout=0.1, free_end=False)
    assert [type(layer) for layer in reported.layers[-3:]] == [nn.ReLU, nn.LayerNorm, nn.Dropout]
    free = Mlp(5, (4, 3), dropout=0.1, free_end=True)
    assert isinstance(free.layers[-1], nn.Linear)


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(ValueError, match="no network is called 'cnn'"):
        NetworkConfig("cnn")
    with pytest.raises(ValueError, match="3 heads do not divide a width of 8"):
        Network(replace(CONFIGS["transformer"], heads=3), 5)
    maps = NetworkMaps(Network(CONFIGS["linear"], 5), Network(CONFIGS["linear"], 7))
    tensors = maps.tensors()
    with pytest.raises(KeyError):
        NetworkMaps.build({}, maps.options())
    with pytest.raises(ValueError, match="no strange"):
        NetworkMaps.build({**tensors, "strange": tensors["texts.body.bias"]}, maps.options())
    wrong = {name: tensor[..., :-1] for name, tensor in tensors.items()}
    with pytest.raises(ValueError, match="size mismatch"):
        NetworkMaps.build(wrong, maps.options())
