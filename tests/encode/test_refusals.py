"""A library takes vectors of one model, read in one way: the table of changes that it refuses."""

from __future__ import annotations

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

import moviola
from moviola.core import SpaceMismatchError
from moviola.library import Library

FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture(scope="module")
def videos(tmp_path_factory, colour_video):
    folder = tmp_path_factory.mktemp("videos")
    colour_video(folder / "red.mp4", (220, 20, 20), seconds=1)
    return folder


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """A function `(repository, revision, checkpoint)` that puts one into the hub's cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    def put(repository, revision, checkpoint):
        place = tmp_path / "cache" / f"models--{repository.replace('/', '--')}"
        shutil.copytree(checkpoint, place / "snapshots" / revision)
        (place / "refs").mkdir(exist_ok=True)
        (place / "refs" / "main").write_text(revision)
        return place / "snapshots" / revision

    return put


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def other_weights(folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    next(iter(weights.values())).view(-1)[0] += 1e-3
    save_file(weights, path, metadata={"format": "pt"})


CHANGES = {
    "model": ("two-tower:other/tiny", None, "space model is 'some/tiny' there"),
    "revision": (f"two-tower:some/tiny@{SECOND}", None, f"space revision is '{FIRST}' there"),
    "weights": ("two-tower:some/tiny", other_weights, "space weights is"),
    "configuration": (
        "two-tower:some/tiny",
        lambda folder: edit(folder / "config.json", logit_scale_init_value=2.0),
        "space weights is",
    ),
    "frame count": (
        "two-tower:some/tiny,frames=4",
        None,
        "video readout sampling is 'uniform:8' there and 'uniform:4' here",
    ),
    "preprocessing": (
        "two-tower:some/tiny",
        lambda folder: edit(folder / "preprocessor_config.json", resample=2),
        "video readout preprocessing is 'bicubic:32 crop:32x32",
    ),
    "pooling": ("two-tower:some/tiny,pooling=none", None, "video readout pooling is 'mean' there"),
    "family": ("xclip:some/other", None, "space model is"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_a_vector_is_refused_by_name(
    change, publish, make_checkpoint, videos, tmp_path
):
    name, spoil, words = CHANGES[change]
    library = tmp_path / "library"
    publish("some/tiny", SECOND, make_checkpoint("clip"))
    folder = publish("some/tiny", FIRST, make_checkpoint("clip"))
    publish("other/tiny", FIRST, make_checkpoint("clip"))
    publish("some/other", FIRST, make_checkpoint("xclip"))
    assert moviola.index([videos], library=library, model="two-tower:some/tiny").ok == 1
    assert moviola.index([videos], library=library, model="two-tower:some/tiny").skipped == 1
    if spoil is not None:
        spoil(folder)
    with pytest.raises(SpaceMismatchError) as refused:
        moviola.index([videos], library=library, model=name)
    assert words in str(refused.value)
    assert Library.open(library).status().clips == 1


def test_the_recipe_of_the_prototype_is_refused(publish, make_checkpoint, videos, tmp_path):
    publish("some/tiny", FIRST, make_checkpoint("xclip"))
    moviola.index([videos], library=tmp_path / "library", model="xclip:some/tiny")
    with pytest.raises(SpaceMismatchError, match=r"metric .*sampling is 'uniform:8' there"):
        moviola.index(
            [videos], library=tmp_path / "library", model="xclip:some/tiny,recipe=prototype"
        )


def test_a_library_keeps_the_commit_it_was_made_with(publish, make_checkpoint, videos, tmp_path):
    library = tmp_path / "library"
    publish("some/tiny", FIRST, make_checkpoint("clip"))
    moviola.index([videos], library=library, model="two-tower:some/tiny,frames=4")
    publish("some/tiny", SECOND, make_checkpoint("clip", seed=1))  # the branch moved on
    assert Library.open(library).card.model == f"two-tower:some/tiny@{FIRST},frames=4"
    assert moviola.search("a red dog", library=library)
    assert moviola.index([videos], library=library).skipped == 1


def test_a_library_finds_its_folder_from_anywhere(make_checkpoint, videos, tmp_path, monkeypatch):
    folder = make_checkpoint("clip")
    monkeypatch.chdir(folder.parent)
    library = tmp_path / "library"
    moviola.index([videos], library=library, model=f"two-tower:{folder.name}")
    monkeypatch.chdir(tmp_path)
    assert moviola.search("a red dog", library=library)[0].path.name == "red.mp4"


def test_without_a_network_the_default_says_the_ways_out(publish, videos, tmp_path):
    with pytest.raises(moviola.core.WeightsUnavailableError, match=r"videoprism.*Ways out"):
        moviola.index([videos], library=tmp_path / "library")
    assert not (tmp_path / "library").exists()
