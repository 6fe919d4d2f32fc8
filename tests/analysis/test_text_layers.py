"""Layers are ranked by texts alone."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

import moviola
from fixtures.qwen3_vl import save_qwen3_vl
from moviola.analysis.text_layers import best_text_layer, rank_text_layers
from moviola.cli.app import app
from moviola.core import DatasetError
from moviola.synthetic.shapes import draw

PROMPTS = "Summarize above sentence video in one word"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    place = tmp_path_factory.mktemp("layers")
    words = {word for number in range(12) for text in draw(5, "train", number).captions
             for word in text.replace(",", " ").split()}  # fmt: skip
    save_qwen3_vl(place, " ".join([*sorted(words), PROMPTS]), end=False)
    return f"qwen3-vl:{place}"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "pairs.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["caption", "summary"])
        for number in range(12):
            captions = draw(5, "train", number).captions
            table.writerow([" ".join(captions[:4]), captions[0]])
    return path


def test_every_layer_is_measured_as_its_own_encoder_is(model, pairs):
    layers = rank_text_layers(model, pairs)
    assert [layer.name for layer in layers] == ["0", "1", "2", "3"]
    with pairs.open() as file:
        rows = list(csv.DictReader(file))
    encoder = moviola.load_encoder(model, layers=2)
    sides = [np.concatenate(encoder.encode_texts([row[name] for row in rows]))
             for name in ("summary", "caption")]  # fmt: skip
    scores = sides[0] @ sides[1].T
    ranks = (scores > np.diag(scores)[:, None]).sum(1) + 1
    assert layers[2].measures["R@1"] == pytest.approx(100 * (ranks == 1).mean(), abs=1e-6)
    assert layers[2].measures["MRR"] == pytest.approx((1 / ranks).mean(), abs=1e-6)
    # The last token alone is the same for all prompts: what goes in tells nothing.
    assert layers[0].measures["MRR"] == pytest.approx(np.mean([1 / r for r in range(1, 13)]))
    assert best_text_layer(layers).measures["MRR"] == max(e.measures["MRR"] for e in layers)


def test_the_command_names_the_best_layer(model, pairs):
    done = CliRunner().invoke(app, f"layer-sweep --pairs {pairs} --model {model} --json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    mrr = {layer["name"]: layer["measures"]["MRR"] for layer in told["layers"]}
    assert mrr[told["best"]] == max(mrr.values())
    shown = CliRunner().invoke(app, f"layer-sweep --pairs {pairs} --model {model}")
    assert f"Best by MRR: --layers {told['best']}" in shown.output
    assert CliRunner().invoke(app, f"layer-sweep --pairs {pairs}").exit_code == 2


def test_what_cannot_be_ranked_is_refused(model, pairs, tmp_path):
    with pytest.raises(ValueError, match="no layers"):
        rank_text_layers("shapes", pairs)
    (tmp_path / "one.csv").write_text("caption,summary\na,b\n")
    with pytest.raises(ValueError, match="two captions"):
        rank_text_layers(model, tmp_path / "one.csv")
    (tmp_path / "none.csv").write_text("caption,summary\n")
    with pytest.raises(DatasetError, match="no pairs"):
        rank_text_layers(model, tmp_path / "none.csv")
