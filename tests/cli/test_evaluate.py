"""`moviola evaluate` and `moviola compare`: published numbers, JSON, refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from moviola.cli.app import app
from moviola.cli.console import say_error
from moviola.core import Readout, Space, Text
from moviola.store import StoreWriter

RNG = np.random.default_rng(5)
MEASURES = ["R@1", "R@2", "R@5", "R@10", "MdR", "MnR", "MRR", "mAP"]


@pytest.fixture
def run(capsys) -> Callable[..., tuple[int, str, str]]:
    """Runs the program in this process: exit code, stdout, stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        try:
            code = app([str(word) for word in words], standalone_mode=False) or 0
        except Exception as error:  # noqa: BLE001 -- as the program's last door does
            code = say_error(error)
        captured = capsys.readouterr()
        return int(code), captured.out, captured.err

    return call


@pytest.fixture
def numbers(run) -> Callable[..., dict]:
    def call(*words: object) -> dict:
        code, out, err = run("evaluate", *words, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


def _save(path: Path, array: object) -> Path:
    np.save(path, array)
    return path


def _rows(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


# Published numbers, to the printed digit.


@pytest.mark.shared
def test_cap4video(numbers, shared_data):
    matrix = shared_data / "similarity" / "cap4video" / "msrvtt_video_matrix.npy"
    best = numbers("--similarity", matrix, "--ties", "optimistic")
    worst = numbers("--similarity", matrix, "--ties", "pessimistic")
    for found in (best, worst):
        shown = [f"{found['t2v'][name]:.1f}" for name in ("R@1", "R@5", "R@10", "MdR")]
        assert shown == ["48.0", "73.0", "82.9", "2.0"]
        assert f"{found['t2v']['MnR']:.3f}" == "13.129"
    assert (f"{best['v2t']['R@1']:.1f}", f"{best['v2t']['MnR']:.3f}") == ("46.0", "8.674")
    assert (f"{worst['v2t']['R@1']:.1f}", f"{worst['v2t']['MnR']:.3f}") == ("45.6", "8.686")


@pytest.mark.shared
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("condition", "a2t", "t2a"),
    [
        ("original", "26.36 66.80 80.28 3", "24.55 69.01 82.70 3"),
        # T->A is told with a median of 3; but 49.5 % of these ranks are 3 or better, without a tie.
        ("noisy_snr10dB", "21.93 58.55 72.84 4", "26.56 62.17 78.67 4"),
    ],
)
def test_clap(numbers, shared_data, tmp_path, dtype, condition, a2t, t2a):  # noqa: PLR0917
    folder = shared_data / "similarity" / "clap_audiocaps"
    texts = _save(tmp_path / "t.npy", np.load(folder / "text_embeddings.npy").astype(dtype))
    audios = np.load(folder / f"audio_emb_{condition}.npy").astype(dtype)
    found = numbers(
        "--texts", texts, "--videos", _save(tmp_path / "v.npy", audios), "--ties", "pessimistic"
    )
    for side, published in (("v2t", a2t), ("t2v", t2a)):
        shown = [f"{found[side][name]:.2f}" for name in ("R@1", "R@5", "R@10")]
        assert " ".join([*shown, f"{found[side]['MdR']:g}"]) == published


@pytest.mark.shared
def test_clap_text_to_audio_is_generous_when_ties_are_read_so(numbers, shared_data):
    folder = shared_data / "similarity" / "clap_audiocaps"
    found = numbers(
        *("--texts", folder / "text_embeddings.npy"),
        *("--videos", folder / "audio_emb_original.npy"),
        *("--ties", "optimistic"),
    )
    assert f"{found['t2v']['R@1']:.1f}" == "34.2"


@pytest.mark.shared
def test_qvhighlights(numbers, shared_data):
    folder = shared_data / "similarity" / "qvhighlights"
    found = numbers(
        *("--moments", folder / "sample_val_preds.jsonl"),
        *("--truth", folder / "highlight_val_release.jsonl"),
    )
    assert found["n_queries"] == 1550
    published = json.loads((folder / "sample_val_preds_metrics_raw.json").read_text())["brief"]
    for name, theirs in (
        ("R1@IoU0.5", "MR-full-R1@0.5"),
        ("R1@IoU0.7", "MR-full-R1@0.7"),
        ("mAP", "MR-full-mAP"),
        ("mAP@IoU0.5", "MR-full-mAP@0.5"),
        ("mAP@IoU0.75", "MR-full-mAP@0.75"),
    ):
        assert f"{found[name]:.2f}" == f"{published[theirs]:.2f}"


# The shape of the answer.


def test_json_has_exactly_these_keys(numbers, tmp_path):
    found = numbers("--similarity", _save(tmp_path / "s.npy", np.eye(12, dtype=np.float32)))
    assert list(found) == ["t2v", "v2t", "n_queries", "n_gallery", "ties"]
    assert list(found["t2v"]) == list(found["v2t"]) == MEASURES
    assert found["t2v"] == {**dict.fromkeys(MEASURES, 1.0), **dict.fromkeys(MEASURES[:4], 100.0)}
    assert found["ties"] == {"mode": "expected", "t2v": 0, "v2t": 0}
    assert (found["n_queries"], found["n_gallery"]) == (12, 12)


def test_constant_scores_are_exactly_chance(numbers, tmp_path):
    found = numbers("--similarity", _save(tmp_path / "s.npy", np.ones((1000, 1000), np.float32)))
    harmonic = sum(1 / rank for rank in range(1, 1001)) / 1000
    assert found["t2v"]["R@1"] == pytest.approx(0.1, abs=1e-12)
    assert found["t2v"]["MRR"] == pytest.approx(harmonic, abs=1e-12)
    assert found["ties"] == {"mode": "expected", "t2v": 1000, "v2t": 1000}


def test_videos_without_a_caption_stay_in_the_gallery(numbers, tmp_path):
    texts, videos = _rows(6, 8), _rows(5, 8)
    index = np.array([3, 3, 0, 1, 0, 3])
    found = numbers(
        *("--texts", _save(tmp_path / "t.npy", texts)),
        *("--videos", _save(tmp_path / "v.npy", videos)),
        *("--caption-video", _save(tmp_path / "i.npy", index)),
    )
    assert (found["n_queries"], found["n_gallery"]) == (6, 5)
    scores = (texts / np.linalg.norm(texts, axis=1)[:, None]) @ (
        videos / np.linalg.norm(videos, axis=1)[:, None]
    ).T
    ranks = [1 + int((row > row[own]).sum()) for row, own in zip(scores, index, strict=True)]
    assert found["t2v"]["MnR"] == pytest.approx(np.mean(ranks))
    # Videos 0, 1 and 3 are asked, each for the best of its texts.
    back = [1 + int((scores[:, v] > scores[index == v, v].max()).sum()) for v in (0, 1, 3)]
    assert found["v2t"]["MnR"] == pytest.approx(np.mean(back))


def test_relevance_as_pairs_and_as_qrels_is_the_same(numbers, tmp_path):
    matrix = _save(tmp_path / "s.npy", _rows(4, 3))
    pairs = _save(tmp_path / "p.npy", np.array([[0, 2], [0, 1], [1, 0], [3, 2]]))
    qrels = tmp_path / "q.txt"
    qrels.write_text("0 0 2 1\n0 0 1 2\n1 0 0 1\n3 0 2 1\n2 0 0 0\n")
    found = numbers("--similarity", matrix, "--relevance", pairs)
    assert found == numbers("--similarity", matrix, "--relevance", qrels)
    assert found["n_queries"] == 3


def test_tolerance_makes_ties(numbers, tmp_path):
    matrix = np.eye(3) + 0.5
    matrix[0, 1] = 1.5 - 1e-9
    path = _save(tmp_path / "s.npy", matrix)
    assert numbers("--similarity", path)["ties"]["t2v"] == 0
    assert numbers("--similarity", path, "--tie-tolerance", "1e-6")["ties"]["t2v"] == 1


def test_integers_and_halves_are_scores_too(numbers, tmp_path):
    whole = RNG.integers(0, 5, (7, 7))
    assert numbers("--similarity", _save(tmp_path / "a.npy", whole))["t2v"] == pytest.approx(
        numbers("--similarity", _save(tmp_path / "b.npy", whole.astype(np.float16)))["t2v"]
    )


def test_a_pooled_array_is_what_was_pooled_before(numbers, tmp_path):
    texts, videos = _rows(5, 8), _rows(5, 3, 8)
    t, v = _save(tmp_path / "t.npy", texts), _save(tmp_path / "v.npy", videos)
    flat = _save(tmp_path / "m.npy", videos.mean(axis=1))
    both = ("--texts", t, "--videos")
    assert numbers(*both, v, "--pool", "mean") == numbers(*both, flat)


def _store(folder: Path, kind: str, model: str, rows: np.ndarray) -> Path:
    from moviola.core import Clip, Span

    space = Space(model, "1", "w", rows.shape[1])
    with StoreWriter(folder, kind=kind, space=space, readout=Readout("toy")) as writer:
        for number, row in enumerate(rows):
            item = (
                Text(f"v{number}-1", "a cat")
                if kind == "texts"
                else Clip(f"v{number}", Path("no.mp4"), Span(0, 1))
            )
            writer.append(item, row[None])
    return folder


def test_two_spaces_are_scored_only_when_that_is_asked_for(run, tmp_path):
    texts = _store(tmp_path / "t", "texts", "one", _rows(4, 8))
    videos = _store(tmp_path / "v", "clips", "two", _rows(4, 8))
    code, out, err = run("evaluate", "--texts", texts, "--videos", videos, "--json")
    assert (code, out) == (4, "")
    assert "--unaligned" in err
    code, out, _ = run("evaluate", "--texts", texts, "--videos", videos, "--unaligned", "--json")
    assert code == 0
    assert json.loads(out)["notes"] == ["unaligned"]


# Runs.


def test_a_report_can_be_read_back_as_a_run(numbers, run, tmp_path):
    matrix = _save(tmp_path / "s.npy", _rows(30, 30))
    first = numbers("--similarity", matrix, "--out", tmp_path / "out")
    out = tmp_path / "out"
    code, printed, err = run(
        "evaluate-run", out / "run.trec", "--relevance", out / "qrels.trec", "--json"
    )
    assert (code, err) == (0, "")
    again = json.loads(printed)
    for side in ("t2v", "v2t"):
        assert again[side] == pytest.approx(first[side], rel=1e-12)


def test_a_short_run_has_every_measure(run, tmp_path):
    (tmp_path / "r.trec").write_text("q1 Q0 a 1 0.9 x\nq1 Q0 b 2 0.8 x\nq2 Q0 a 1 0.7 x\n")
    (tmp_path / "q.trec").write_text("q1 0 b 1\nq2 0 c 1\n")
    words = [word for name in ("nDCG", "MnR", "MRR", "Recall@5") for word in ("--measure", name)]
    code, out, _ = run(
        "evaluate-run", tmp_path / "r.trec", "--relevance", tmp_path / "q.trec", *words, "--json"
    )
    assert code == 0
    found = json.loads(out)["t2v"]
    # The second query never finds its video, which counts as the last of three.
    assert found == pytest.approx(
        {"nDCG": (1 / np.log2(3)) / 2, "MnR": 2.5, "MRR": 0.25, "Recall@5": 50.0}
    )


@pytest.mark.parametrize("kind", ["run", "moments"])
def test_the_old_options_work_with_a_notice(run, tmp_path, kind):
    if kind == "run":
        (tmp_path / "r.trec").write_text("q1 Q0 a 1 0.9 x\n")
        (tmp_path / "q.trec").write_text("q1 0 a 1\n")
        old = ["evaluate", "--run", tmp_path / "r.trec", "--relevance", tmp_path / "q.trec"]
        new = ["evaluate-run", tmp_path / "r.trec", "--relevance", tmp_path / "q.trec"]
    else:
        (tmp_path / "p.jsonl").write_text('{"qid": 1, "pred_relevant_windows": [[3, 9, 0.8]]}\n')
        (tmp_path / "t.jsonl").write_text('{"qid": 1, "relevant_windows": [[4, 9]]}\n')
        old = ["evaluate", "--moments", tmp_path / "p.jsonl", "--truth", tmp_path / "t.jsonl"]
        new = ["evaluate-moments", "--predictions", old[2], "--truth", old[4]]
    code, before, said = run(*old, "--json")
    assert code == 0
    assert f"moviola evaluate-{kind}" in said
    assert len(said.splitlines()) == 1
    code, now, said = run(*new, "--json")
    assert (code, said) == (0, "")
    assert json.loads(now) == json.loads(before)


def test_compare(run, numbers, tmp_path):
    base = np.eye(40, dtype=np.float32) + 0.4 * _rows(40, 40)
    for name, noise in (("a", 0.9), ("b", 0.0), ("c", 0.9)):
        matrix = _save(tmp_path / f"{name}.npy", base + noise * _rows(40, 40))
        numbers("--similarity", matrix, "--out", tmp_path / name)
    code, out, _ = run("compare", tmp_path / "a", tmp_path / "b", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["t2v"]["MRR"]["p"] < 0.01
    assert found["t2v"]["MRR"]["difference"] > 0
    each = found["t2v"]["R@1"]
    assert each["won"] + each["lost"] + each["tied"] == 40
    code, out, _ = run("compare", tmp_path / "a" / "results.json", tmp_path / "b")
    assert code == 0
    assert "won/lost/tied" in out


OWN = """
import numpy as np
from moviola.evaluate import Measure
from moviola.evaluate.ties import first_relevant_rank

LogR = Measure(
    "LogR",
    of=lambda ranks, ties: np.log2(first_relevant_rank(ranks, ties)),
    direction="smaller",
    summary="median",
    scale=10.0,
    digits=3,
)
number = 3


def steepened(scores):
    return scores.matrix - scores.matrix.mean(axis=0)
"""


def test_a_measure_is_a_value_from_end_to_end(run, numbers, tmp_path, monkeypatch):
    (tmp_path / "own_measures.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    base = np.eye(40, dtype=np.float32)
    for name, noise in (("a", 1.2), ("b", 0.3)):
        matrix = _save(tmp_path / f"{name}.npy", base + noise * _rows(40, 40))
        words = ["--similarity", matrix, "--out", tmp_path / name]
        for measure in ("nDCG@10", "own_measures:LogR", "GeoR", "MdR"):
            words += ["--measure", measure]
        found = numbers(*words, "--correct", "own_measures:steepened")
    assert list(found["t2v"]) == ["nDCG@10", "LogR", "GeoR", "MdR"]
    assert found["t2v"]["LogR"] == pytest.approx(10 * np.log2(found["t2v"]["MdR"]))
    corrected = found["corrected"]["own_measures:steepened"]
    assert corrected["transductive"]
    assert list(corrected["t2v"]) == list(found["t2v"])
    for name in ("results.json", "manifest.json"):
        cards = json.loads((tmp_path / "a" / name).read_text())["measures"]
        assert cards[1] == {
            "name": "LogR",
            "direction": "smaller",
            "summary": "median",
            "scale": 10.0,
            "digits": 3,
        }
    assert "LogR" in (tmp_path / "a" / "report.html").read_text()
    code, out, _ = run("compare", tmp_path / "a", tmp_path / "b", "--json")
    assert code == 0
    compared = json.loads(out)["t2v"]
    assert list(compared) == ["nDCG@10", "LogR", "GeoR", "MdR"]
    # A median, in its scale, of which less is better.
    assert compared["LogR"]["b"] == pytest.approx(found["t2v"]["LogR"])
    assert compared["LogR"]["difference"] < 0
    assert compared["LogR"]["won"] > compared["LogR"]["lost"]
    assert compared["GeoR"]["b"] == pytest.approx(found["t2v"]["GeoR"])
    code, out, _ = run("compare", tmp_path / "a", tmp_path / "b")
    assert f"{compared['LogR']['a']:.3f}" in out


def test_results_from_before_measures_described_themselves_are_compared(run, numbers, tmp_path):
    for name in "ab":
        matrix = _save(tmp_path / f"{name}.npy", _rows(20, 20))
        numbers("--similarity", matrix, "--out", tmp_path / name)
    code, now, _ = run("compare", tmp_path / "a", tmp_path / "b", "--json")
    assert code == 0
    for name in "ab":
        file = tmp_path / name / "results.json"
        head = json.loads(file.read_text())
        del head["measures"]
        file.write_text(json.dumps(head))
    code, before, _ = run("compare", tmp_path / "a", tmp_path / "b", "--json")
    assert code == 0
    assert json.loads(before)["t2v"] == json.loads(now)["t2v"]


def test_unlike_results_are_not_compared(run, numbers, tmp_path):
    for name, size, ties in (("a", 12, "expected"), ("b", 10, "expected"), ("c", 12, "optimistic")):
        matrix = _save(tmp_path / f"{name}.npy", _rows(size, size))
        numbers("--similarity", matrix, "--out", tmp_path / name, "--ties", ties)
    for other, said in (("b", "gallery (12 and 10)"), ("c", "ties (expected and optimistic)")):
        code, out, err = run("compare", tmp_path / "a", tmp_path / other)
        assert (code, out) == (2, "")
        assert said in err
        code, out, _ = run("compare", tmp_path / "a", tmp_path / other, "--force")
        assert code == 0
        assert "not measured alike" in out
    code, _, err = run("compare", tmp_path / "a", tmp_path)
    assert code == 2
    assert "results.json" in err


# Refusals: one line, exit 2, nothing written.


def _bad(name: str, tmp_path: Path) -> tuple[list[object], str]:
    square = _rows(4, 4)
    nan, inf, zero = square.copy(), square.copy(), square.copy()
    nan[1, 2], inf[3, 0], zero[2] = np.nan, np.inf, 0
    files = {
        "square": square,
        "nan": nan,
        "inf": inf,
        "zero": zero,
        "tall": _rows(5, 4),
        "wide": _rows(4, 7),
        "flat": _rows(4),
        "deep": _rows(4, 2, 4),
        "index": np.array([0, 1, 2, 4]),
        "floats": np.array([0.0, 1.0, 2.0, 3.0]),
        "pairs": np.array([[0, 0], [1, 9]]),
    }
    p = {key: _save(tmp_path / f"{key}.npy", array) for key, array in files.items()}
    (tmp_path / "empty.npy").write_bytes(b"")
    np.save(tmp_path / "pickled.npy", np.array([None, {}], object), allow_pickle=True)
    (tmp_path / "strange.trec").write_text("0 0 0 1\nq7 0 1 1\n")
    (tmp_path / "short.trec").write_text("0 0 0 1\n1 0 1\n")
    (tmp_path / "latin.trec").write_bytes(b"0 0 0 1\n\xe9 0 1 1\n")
    s, t = "--similarity", "--texts"
    v = ("--videos", p["square"])
    i = "--caption-video"
    return {
        "nan scores": ([s, p["nan"]], r"nan.npy[1, 2] is nan"),
        "inf scores": ([s, p["inf"]], r"inf.npy[3, 0] is inf"),
        "not square": ([s, p["tall"]], "(5, 4)"),
        "flat": ([s, p["flat"]], "(4,)"),
        "deep scores": ([s, p["deep"]], "(4, 2, 4)"),
        "empty": ([s, tmp_path / "empty.npy"], "empty.npy is empty"),
        "pickled": ([s, tmp_path / "pickled.npy"], "pickled"),
        "absent": ([s, tmp_path / "absent.npy"], "absent.npy"),
        "pairs": ([s, p["square"], "--relevance", p["pairs"]], "pairs.npy[1, 1] is 9"),
        "ids": ([s, p["square"], "--relevance", tmp_path / "strange.trec"], "'q7'"),
        "qrels": ([s, p["square"], "--relevance", tmp_path / "short.trec"], "line 2"),
        "utf-8": ([s, p["square"], "--relevance", tmp_path / "latin.trec"], "line 2"),
        "nan vector": ([t, p["nan"], *v], "nan.npy: the vector of '1'"),
        "zero vector": ([t, p["square"], "--videos", p["zero"]], "zero.npy: the vector of '2'"),
        "dimensions": ([t, p["wide"], *v], "7 numbers"),
        "counts": ([t, p["tall"], *v], "5 texts and 4 videos"),
        "deep": ([t, p["deep"], *v], "--pool"),
        "range": ([t, p["square"], *v, i, p["index"]], "index.npy[3] is 4"),
        "kind": ([t, p["square"], *v, i, p["floats"]], "floats.npy holds float64"),
        "protocol": ([s, p["square"], "--protocol", "nothing-like-it"], "nothing-like-it"),
        "head": ([t, p["square"], *v, "--head", "nowhere"], "nowhere"),
        "tolerance": ([s, p["square"], "--tie-tolerance", "-1"], "-1"),
        "measure": ([s, p["square"], "--measure", "nDCG@0"], "no measure is called 'nDCG@0'"),
        "no such module": ([s, p["square"], "--measure", "no_such:thing"], "cannot be imported"),
        "no measure": ([s, p["square"], "--measure", "math:pi"], "no moviola.evaluate.Measure"),
        "own pooling": ([t, p["deep"], *v, "--pool", "math:nothing"], "cannot be imported"),
        "own correction": ([s, p["square"], "--correct", "math:pi"], "a correction is a function"),
        "two sources": ([s, p["square"], t, p["square"], *v], "give one of"),
        "no source": ([], "give one of"),
        "half": ([t, p["square"]], "--videos"),
        "both": (
            [t, p["square"], *v, i, p["index"], "--relevance", p["pairs"]],
            "--caption-video",
        ),
        "out of place": ([s, p["square"], i, p["index"]], "--caption-video"),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        *("nan scores", "inf scores", "not square", "flat", "deep scores", "empty", "pickled"),
        *("absent", "pairs", "ids", "qrels", "utf-8", "nan vector", "zero vector", "dimensions"),
        *("counts", "deep", "range", "kind", "protocol", "head", "tolerance", "two sources"),
        *("measure", "no such module", "no measure", "own pooling", "own correction"),
        *("no source", "half", "both", "out of place"),
    ],
)
def test_bad_input_is_refused_with_its_place(run, tmp_path, name):
    words, said = _bad(name, tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    code, out, err = run("evaluate", *words, "--json", "--out", tmp_path / "out")
    assert (code, out) == (2, ""), err
    assert said in err
    assert len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_folders_whose_names_do_not_match_are_refused(run, tmp_path):
    for side, names in (("t", ("a-1", "b-1")), ("v", ("x", "y"))):
        (tmp_path / side).mkdir()
        for name in names:
            _save(tmp_path / side / f"{name}.npy", _rows(4))
    words = ("evaluate", "--texts", tmp_path / "t", "--videos", tmp_path / "v")
    code, _, err = run(*words)
    assert code == 2
    assert "'a-1'" in err
    shutil.move(tmp_path / "v" / "x.npy", tmp_path / "v" / "a.npy")
    shutil.move(tmp_path / "v" / "y.npy", tmp_path / "v" / "b.npy")
    assert run(*words)[0] == 0


def test_out_replaces_a_report_and_nothing_else(run, tmp_path):
    matrix = _save(tmp_path / "s.npy", _rows(5, 5))
    out = tmp_path / "out"
    words = ("evaluate", "--similarity", matrix, "--out", out)
    assert run(*words)[0] == 0
    assert run(*words)[0] == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    code, _, err = run(*words[:-1], tmp_path / "mine")
    assert code == 2
    assert "no earlier report" in err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    assert {path.name for path in out.iterdir()} == {
        *("report.html", "results.json", "per_query.parquet"),
        *("run.trec", "qrels.trec", "manifest.json"),
    }
    assert not (tmp_path / "out.partial").exists()
