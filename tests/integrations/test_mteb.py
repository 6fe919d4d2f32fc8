"""Our encoders under mteb: a task made here, run offline, with numbers known beforehand."""

from __future__ import annotations

import json
import math
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from moviola.cli.app import app
from moviola.core import MissingExtraError, Readout, VideoUnreadableError
from moviola.integrations import mteb as mteb_encoder
from moviola.integrations.mteb import MtebEncoder
from moviola.testing import EchoEncoder

COLOURS = {
    "red": (220, 20, 20),
    "blue": (20, 20, 220),
    "green": (20, 220, 20),
    "yellow": (220, 220, 20),
}
WARM = "red red red blue blue green"
#: Words, and the video that is relevant: it comes first, second, third, fourth.
QUERIES = [(WARM, "red"), (WARM, "blue"), (WARM, "green"), (WARM, "yellow")]
EXPECTED = {
    "hit_rate_at_1": 1 / 4,
    "hit_rate_at_3": 3 / 4,
    "recall_at_5": 1.0,
    "mrr_at_10": (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4,
    "map_at_10": (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4,
    "ndcg_at_10": (1 + 1 / math.log2(3) + 1 / 2 + 1 / math.log2(5)) / 4,
}
#: Words of other makers' packages while they run are theirs.
others_warn = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def mteb(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pytest.importorskip("mteb", reason="needs the extra: pip install 'moviola[mteb]'")
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _offline)
    monkeypatch.setattr(socket, "getaddrinfo", _offline)
    return found


def _offline(*asked: object, **_: object) -> None:
    raise AssertionError(f"a task made here needs no network: {asked}")


@pytest.fixture
def paths(tmp_path: Path, colour_video: Callable[..., Path]) -> dict[str, Path]:
    return {name: colour_video(tmp_path / f"{name}.mp4", c) for name, c in COLOURS.items()}


def _task(category: str, queries: dict, corpus: dict, relevant: dict) -> Any:
    """A retrieval task of mteb over these columns; columns called `video` hold videos."""
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    from datasets import Dataset, Video

    def rows(columns: dict) -> Dataset:
        made = Dataset.from_dict(columns)
        return made.cast_column("video", Video()) if "video" in columns else made

    modalities = {"t2v": ["text", "video"], "v2t": ["video", "text"], "t2t": ["text"]}

    class Tiny(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name=f"Tiny{category.upper()}",
            description="made by a test",
            type="Retrieval" if category == "t2t" else "Any2AnyRetrieval",
            category=category,
            modalities=modalities[category],
            eval_langs=["eng-Latn"],
            eval_splits=["test"],
            main_score="ndcg_at_10",
            dataset={"path": "made/here", "revision": "1"},
        )

        def load_data(self, **_: object) -> None:
            split = {"queries": rows(queries), "corpus": rows(corpus)}
            split |= {"relevant_docs": relevant, "top_ranked": None}
            self.dataset = {"default": {"test": split}}
            self.data_loaded = True

    return Tiny()


def _text_to_video(videos: list) -> Any:
    return _task(
        "t2v",
        {"id": [f"q{n}" for n in range(4)], "text": [words for words, _ in QUERIES]},
        {"id": list(COLOURS), "video": videos},
        {f"q{n}": {video: 1} for n, (_, video) in enumerate(QUERIES)},
    )


def _scores(mteb: ModuleType, encoder: Any, task: Any, cache: object = None) -> dict:
    kept = {"cache": cache, "show_progress_bar": False, "co2_tracker": False}
    return mteb.evaluate(encoder, task, **kept).task_results[0].scores["test"][0]


@others_warn
@pytest.mark.parametrize("held", ["files", "bytes"])
def test_text_to_video_gives_the_numbers_known_beforehand(mteb, paths, held):
    videos = [path.read_bytes() if held == "bytes" else str(path) for path in paths.values()]
    found = _scores(mteb, MtebEncoder(EchoEncoder()), _text_to_video(videos))
    assert {name: found[name] for name in EXPECTED} == pytest.approx(EXPECTED, abs=1e-5)
    assert "torchcodec" not in sys.modules  # our own workers decoded


@others_warn
def test_video_to_text(mteb, paths):
    captions = ["a red thing", "a blue thing", "a green thing", "a yellow thing"]
    task = _task(
        "v2t",
        {"id": list(paths), "video": [str(path) for path in paths.values()]},
        {"id": ["c0", "c1", "c2", "c3"], "text": captions},
        {name: {f"c{n}": 1} for n, name in enumerate(paths)},
    )
    assert _scores(mteb, MtebEncoder(EchoEncoder()), task)["ndcg_at_10"] == 1.0


@others_warn
def test_texts_by_the_encoder_that_ships(mteb):
    texts = ["a red square moves left", "a blue circle grows", "a green triangle spins"]
    task = _task(
        "t2t",
        {"id": ["q0", "q1", "q2"], "text": texts},
        {"id": ["d0", "d1", "d2"], "text": texts[::-1], "title": ["", "", ""]},
        {"q0": {"d2": 1}, "q1": {"d1": 1}, "q2": {"d0": 1}},
    )
    assert _scores(mteb, MtebEncoder("shapes"), task)["hit_rate_at_1"] == 1.0


@others_warn
def test_it_keeps_the_protocol_and_says_what_it_is(mteb):
    from mteb.models import EncoderProtocol

    model = MtebEncoder(EchoEncoder())
    assert isinstance(model, EncoderProtocol)
    meta = model.mteb_model_meta
    assert (meta.name, meta.embed_dim, meta.similarity_fn_name) == ("moviola/echo", 32, "cosine")
    read = EchoEncoder()
    read.video_readout = Readout("corner colours", "uniform:4", pooling="max")
    other = MtebEncoder(read).mteb_model_meta
    assert other.revision != meta.revision  # one cached result would be taken for the other
    rows = np.stack([row[0] for row in EchoEncoder().encode_texts(["red", "red blue", "blue"])])
    np.testing.assert_allclose(model.similarity(rows, rows), rows @ rows.T, atol=1e-6)
    np.testing.assert_allclose(model.similarity_pairwise(rows, rows), np.ones(3), atol=1e-6)


@others_warn
def test_a_video_that_cannot_be_read_ends_the_run(mteb, paths):
    paths["blue"].write_bytes(b"no video at all")
    task = _text_to_video([str(path) for path in paths.values()])
    with pytest.raises(VideoUnreadableError, match="video 1 of TinyT2V, test, default: "):
        _scores(mteb, MtebEncoder(EchoEncoder()), task)


@others_warn
def test_what_is_neither_text_nor_video_is_refused(mteb):
    from torch.utils.data import DataLoader

    from datasets import Dataset

    task = _task("t2t", {"id": ["q"], "text": ["a"]}, {"id": ["d"], "text": ["a"]}, {})
    both = DataLoader(Dataset.from_dict({"text": ["a"], "image": ["b"]}))
    where = {"task_metadata": task.metadata, "hf_split": "test", "hf_subset": "default"}
    with pytest.raises(ValueError, match="TinyT2T asks for image with text as one input"):
        MtebEncoder(EchoEncoder()).encode(both, **where)


@others_warn
def test_its_results_are_compared(mteb, paths, tmp_path, capsys):
    task = _text_to_video([str(path) for path in paths.values()])
    cache = mteb.cache.ResultCache(tmp_path / "cache")
    _scores(mteb, MtebEncoder(EchoEncoder()), task, cache)
    (found,) = (tmp_path / "cache").rglob("TinyT2V.json")
    app(["compare", str(found), str(found), "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert told["parts"]["test"]["R@1"] == {"a": 25.0, "b": 25.0, "difference": 0.0}
    assert told["parts"]["test"]["MRR@10"]["a"] == pytest.approx(EXPECTED["mrr_at_10"], abs=1e-5)


def test_without_mteb_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setattr(mteb_encoder, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r'pip install "moviola\[mteb\]"'):
        MtebEncoder("shapes")


def test_what_a_task_cannot_use_is_refused(monkeypatch):
    monkeypatch.setattr(mteb_encoder, "find_spec", lambda _: object())
    with pytest.raises(ValueError, match="keeps several rows an item"):
        MtebEncoder("shapes", pooling="none")
    with pytest.raises(ValueError, match="'echo' is of revision '1', not '2'"):
        MtebEncoder(EchoEncoder(), revision="2")
    with pytest.raises(TypeError, match="device"):
        MtebEncoder("shapes", device="cpu")


@pytest.fixture(scope="module")
def language_models(tmp_path_factory):
    """Tiny language models of random weights, as `MtebEncoder` is told them."""
    from fixtures.gemma import save_gemma
    from fixtures.qwen3_vl import save_qwen3_vl

    folder = tmp_path_factory.mktemp("language")
    save_qwen3_vl(folder / "qwen", end=False)
    save_gemma(folder / "gemma")
    options = "document_instruction=a red square"
    return {
        "qwen3-vl": f"qwen3-vl:{folder / 'qwen'}",
        "qwen3-vl-embedding": f"qwen3-vl-embedding:{folder / 'qwen'},{options}",
        "embeddinggemma-2": f"embeddinggemma-2:{folder / 'gemma'}",
    }


@others_warn
@pytest.mark.parametrize("family", ["qwen3-vl", "qwen3-vl-embedding", "embeddinggemma-2"])
def test_language_models_run_tasks_and_read_documents_as_documents(
    mteb, paths, language_models, family
):
    model = MtebEncoder(language_models[family])
    videos = [str(path) for path in paths.values()]
    found = _scores(mteb, model, _text_to_video(videos))
    assert 0 <= found["ndcg_at_10"] <= 1
    assert found["recall_at_5"] == 1.0
    texts = ["a red square", "moves left", "a dog"]
    task = _task(
        "t2t",
        {"id": ["q0", "q1", "q2"], "text": texts},
        {"id": ["d0", "d1", "d2"], "text": texts, "title": [""] * 3},
        {f"q{n}": {f"d{n}": 1} for n in range(3)},
    )
    read = []
    encoder = model.encoder
    if has_documents := hasattr(encoder, "encode_documents"):
        documents = encoder.encode_documents
        encoder.encode_documents = lambda texts: (read.extend(texts), documents(texts))[1]
    assert 0 <= _scores(mteb, model, task)["ndcg_at_10"] <= 1
    assert has_documents == (family != "qwen3-vl")
    assert len(read) == 3 * has_documents
    if has_documents:
        one, other = documents(texts[1:2])[0], encoder.encode_texts(texts[1:2])[0]
        assert np.abs(one - other).max() > 1e-4
