"""A tiny random chat model learns texts of the generated world, and finds them better."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

import moviola
from fixtures.qwen3_vl import save_qwen3_vl
from fixtures.text_pairs import WORDS, write_pairs
from moviola.align.training.history import measured
from moviola.cli.app import app
from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.runtime.adapter import WEIGHTS
from moviola.encode.runtime.parts import TensorIndex
from moviola.finetune.text_only.config import TextOnlyConfig
from moviola.finetune.text_only.loss import dual_softmax_loss
from moviola.finetune.text_only.pairs import SummarizedCaptions, read_pairs
from moviola.finetune.text_only.train import finetune_texts


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    # Matrices this small gain nothing by a second thread, and lose much when it has to wait.
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    place = tmp_path_factory.mktemp("chat") / "tiny"
    save_qwen3_vl(place, WORDS, end=False, width=64, layers=2)
    return place


@pytest.fixture(scope="module")
def tuned(base, tmp_path_factory):
    """What the command says of a run, with the folder of its result."""
    place = tmp_path_factory.mktemp("tuned")
    pairs = write_pairs(place / "pairs.csv", 200)
    done = CliRunner().invoke(
        app,
        f"finetune {pairs} --text-only --model qwen3-vl:{base} --out {place}/mine --json "
        f"--rank 16 --epochs 5 --batch 64 --chunk 32 --lr 3e-3",
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), place / "mine"


def recall(model, path):
    """Percent of the summaries that find their own caption first, through the encoder."""
    encoder, pairs = moviola.load_encoder(model), read_pairs(path)
    rows = [np.concatenate(encoder.encode_texts(s)) for s in (pairs.summaries, pairs.captions)]
    return measured(*rows, np.arange(len(pairs)))["R@1"]


def test_the_loss_falls_and_texts_are_found_better(tuned, base, tmp_path):
    told, _ = tuned
    assert told["losses"][-1] < 0.75 * told["losses"][0]
    assert told["after"]["MRR"] > told["before"]["MRR"] + 0.1
    assert told["trained"] > 5 * told["held_out"] > 0
    # Videos of another split, through what users load.
    others = write_pairs(tmp_path / "others.csv", 40, "test")
    before, after = recall(f"qwen3-vl:{base}", others), recall(told["model"], others)
    assert after >= 1.5 * before, (before, after)


def test_the_adapter_is_a_model_of_its_own_space_that_sees_and_judges(tuned, base):
    told, folder = tuned
    below, above = moviola.load_encoder(f"qwen3-vl:{base}"), moviola.load_encoder(told["model"])
    assert above.space.model == folder.name
    assert above.space.weights != below.space.weights
    clip = Frames(
        np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), np.uint8), np.arange(2.0)
    )
    (one,), (other,) = below.encode_videos([clip]), above.encode_videos([clip])
    assert np.abs(one - other).max() > 1e-3
    judge = moviola.load_scorer(told["model"])
    assert judge.space.weights == above.space.weights
    assert 0 <= judge.score_pairs(["a red square"], [clip])[0] <= 1


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_what_is_merged_equals_what_peft_computes_unmerged(tuned, base):
    from peft import PeftModel

    told, folder = tuned
    texts = ["a red square moves left", "a blue star"]
    below = moviola.load_encoder(f"qwen3-vl:{base}")
    PeftModel.from_pretrained(below.backbone.network.language, folder)
    wanted = np.concatenate(below.encode_texts(texts))
    found = np.concatenate(moviola.load_encoder(told["model"]).encode_texts(texts))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_only_the_language_model_is_read_and_only_its_adapter_written(base, tmp_path, monkeypatch):
    names = []
    read = TensorIndex.tensor
    monkeypatch.setattr(
        TensorIndex, "tensor", lambda *given: (names.append(given[1]), read(*given))[1]
    )
    pairs = write_pairs(tmp_path / "pairs.csv", 4)
    config = TextOnlyConfig(rank=2, alpha=4, batch=4, chunk=2)
    finetune_texts(pairs, f"qwen3-vl:{base}", tmp_path / "mine", config)
    assert names
    assert not [name for name in names if "language_model" not in name]
    tensors = load_file(tmp_path / "mine" / WEIGHTS)
    assert all(".lora_" in name and "visual" not in name for name in tensors)
    layers = {name.rpartition(".lora_")[0].rpartition(".")[2] for name in tensors}
    assert layers == {"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj", "down_proj"}


def test_chunks_change_no_gradient_and_a_resumed_run_is_the_uninterrupted_one(base, tmp_path):
    pairs = write_pairs(tmp_path / "pairs.csv", 6)
    results = {}

    def run(name, chunk, **options):
        config = TextOnlyConfig(rank=2, alpha=4, batch=8, chunk=chunk, epochs=2, rate=1e-3)
        finetune_texts(pairs, f"qwen3-vl:{base}", tmp_path / name, config, **options)
        results[name] = load_file(tmp_path / name / WEIGHTS)

    def interrupt(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    run("whole", 8)
    run("parts", 3)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run("cut", 8, on_epoch=interrupt)
    assert not (tmp_path / "cut").exists()
    run("cut", 8, resume=True)
    for name, value in results["whole"].items():
        assert torch.equal(results["cut"][name], value)
        torch.testing.assert_close(results["parts"][name], value, atol=2e-4, rtol=1e-3)
    with pytest.raises(FileNotFoundError, match="leave --resume out"):
        run("none", 8, resume=True)


def test_the_loss_is_that_of_two_loops(base):
    rng = np.random.default_rng(0)
    cosines, scale = rng.uniform(-1, 1, (4, 4)), 5.0
    rivals = ~np.eye(4, dtype=bool)
    rivals[0, 2] = rivals[2, 0] = False
    wanted = []
    for side in (cosines, cosines.T):
        scores = scale * side
        kept = [[r == c or rivals[r, c] for c in range(4)] for r in range(4)]
        weighed = np.zeros((4, 4))
        for r in range(4):
            for c in range(4):
                total = sum(np.exp(scores[k, c]) for k in range(4) if kept[k][c])
                weighed[r, c] = scores[r, c] * np.exp(scores[r, c]) / total
        for r in range(4):
            total = sum(np.exp(weighed[r, c]) for c in range(4) if kept[r][c])
            wanted.append(-np.log(np.exp(weighed[r, r]) / total))
    tensors = torch.from_numpy(cosines).requires_grad_(), torch.from_numpy(rivals)
    found = dual_softmax_loss(*tensors, scale)
    assert float(found.detach()) == pytest.approx(np.mean(wanted), abs=1e-9)
    found.backward()
    assert torch.isfinite(tensors[0].grad).all()


def test_pairs_that_share_a_wording_are_no_rivals_and_stay_together(tmp_path):
    pairs = SummarizedCaptions(["a", "a", "b", "c", "d", "e"], ["1", "2", "1", "3", "4", "5"])
    rivals = pairs.rivals(np.array([0, 1, 2, 3]))
    assert rivals.tolist() == [
        [False, False, False, True],
        [False, False, True, True],
        [False, True, False, True],
        [True, True, True, False],
    ]
    for seed in range(5):
        train, held = pairs.split(0.3, seed)
        assert not {pairs.captions[row] for row in train} & {pairs.captions[row] for row in held}
    with pytest.raises(ValueError, match="different captions"):
        SummarizedCaptions(["a", "b"], ["1", "2"]).split(0.5, 0)


def test_refusals_name_the_way_out(base, tuned, tmp_path):
    pairs = write_pairs(tmp_path / "pairs.csv", 2)
    with pytest.raises(ValueError, match=r"takes qwen2\.5-vl"):
        finetune_texts(pairs, "shapes", tmp_path / "out")
    with pytest.raises(ValueError, match="of the family two-tower"):
        finetune_texts(pairs, "clip-base-patch32", tmp_path / "out")
    with pytest.raises(FileExistsError, match="choose another --out"):
        finetune_texts(pairs, f"qwen3-vl:{base}", tmp_path)
    for wrong in ({"rank": 0}, {"batch": 1}, {"held_out": 1.0}, {"temperature": 0.0}):
        with pytest.raises(ValueError, match=r"at least|lies between|above 0"):
            TextOnlyConfig(**wrong)
    done = CliRunner().invoke(
        app,
        f"finetune {pairs} --text-only --devices 2 --model qwen3-vl:{base} --out {tmp_path}/no",
    )
    assert done.exit_code == 2
    _, folder = tuned
    config = json.loads((folder / "adapter_config.json").read_text())
    other = tmp_path / "other"
    save_qwen3_vl(other, "Yes No", end=False, width=64, layers=2)
    copied = tmp_path / "copied"
    copied.mkdir()
    for path in folder.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    config["base_model_name_or_path"] = str(other)
    (copied / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsUnavailableError, match="trained on other weights"):
        moviola.load_encoder(f"qwen3-vl:{copied}")
