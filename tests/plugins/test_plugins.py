from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from moviola.core import MissingExtraError, PluginNotFoundError, RetrievalDataset
from moviola.plugins import (
    dataset_names,
    describe_dataset,
    describe_encoder,
    encoder_names,
    families,
    find_known,
    join_options,
    load_dataset,
    load_encoder,
    settled_name,
    split_options,
)
from moviola.plugins.points import FAMILY_GROUP, load_point

MODULE = '''"""Encoders of a stranger."""

from moviola.core import KnownModel, MissingExtraError, ModelFamily, Readout, Source
from moviola.core import RetrievalDataset, Qrels, Space, UniformSampler

DIMENSION = 8


class Tower:
    """A tower of wood.

    More about it.
    """

    dimension: int = 4
    space = Space("tower", "1", "w", 4)
    sampler = UniformSampler(2)
    video_readout = Readout("none")
    text_readout = Readout("none")

    def __init__(self, height=1):
        self.height = height

    def encode_texts(self, texts):
        return []

    def encode_videos(self, clips):
        return []


def build(height=3):
    return Tower(height)


OAK = KnownModel("oak", (Source("wood/oak", revision="1a"),), 4, 9, "MIT", "An oak.")
FAMILY = ModelFamily(f"{__name__}:grow", "Trees.", (OAK,))


def grow(model, revision=None, **options):
    return Tower((model, revision, options))


finished = Tower(9)
half = type("Half", (), {"space": Tower.space})
number = 7


def load(root, split):
    """Nothing at all."""
    return RetrievalDataset(f"{root.name}-{split}", [], [], Qrels({}))


class Loader:
    def __call__(self, root, split):
        return load(root, split)


def wrong(root, split):
    return 5
'''


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    name = f"stranger_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


def test_the_built_ins_are_entry_points():
    assert "shapes" in encoder_names()
    assert {"folder", "msrvtt"} <= set(dataset_names())


@pytest.mark.parametrize(("attribute", "height"), [("Tower", 1), ("build", 3), ("finished", 9)])
def test_class_factory_and_instance_load(stranger, attribute, height):
    assert load_encoder(f"{stranger}:{attribute}").height == height


@pytest.mark.parametrize("attribute", ["Tower", "build"])
def test_options_reach_the_class_or_factory(stranger, attribute):
    assert load_encoder(f"{stranger}:{attribute}", height=5).height == 5


def test_a_finished_encoder_takes_no_options(stranger):
    with pytest.raises(TypeError, match=r"takes no options.*height"):
        load_encoder(f"{stranger}:finished", height=5)


def test_what_is_no_encoder_is_named_with_what_it_lacks(stranger):
    with pytest.raises(TypeError, match="lacks sampler, video_readout"):
        load_encoder(f"{stranger}:half")
    with pytest.raises(TypeError, match="a int"):
        load_encoder(f"{stranger}:number")


def test_an_unknown_name_lists_what_there_is_and_the_closest():
    with pytest.raises(PluginNotFoundError, match=r"'shapse'.*Did you mean 'shapes'\?.*Installed"):
        load_encoder("shapse")
    with pytest.raises(
        PluginNotFoundError, match=r"no data set is called 'zzz'. Installed: .*msrvtt"
    ):
        load_dataset("zzz", Path(), "test")
    with pytest.raises(PluginNotFoundError, match="no encoder is called ':x'"):
        load_encoder(":x")


def test_a_failing_import_names_the_plug_in(tmp_path, monkeypatch):
    (tmp_path / "moviola_broken_plugin.py").write_text("import surely_not_there_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginNotFoundError, match=r"moviola_broken_plugin:x.*surely_not_there"):
        load_encoder("moviola_broken_plugin:x")
    with pytest.raises(PluginNotFoundError, match="cannot be imported"):
        load_encoder("moviola_absent_plugin:x")


def test_a_missing_extra_keeps_its_own_words(tmp_path, monkeypatch):
    (tmp_path / "moviola_extra_plugin.py").write_text(
        "from moviola.core import MissingExtraError\nraise MissingExtraError('pip install it')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match="pip install it"):
        load_encoder("moviola_extra_plugin:x")


@pytest.mark.parametrize("attribute", ["load", "Loader"])
def test_data_sets_load_from_functions_and_classes(stranger, tmp_path, attribute):
    loaded = load_dataset(f"{stranger}:{attribute}", tmp_path, "val")
    assert isinstance(loaded, RetrievalDataset)
    assert loaded.name == f"{tmp_path.name}-val"


def test_a_loader_of_something_else_is_refused(stranger, tmp_path):
    with pytest.raises(TypeError, match="gave a int instead of a RetrievalDataset"):
        load_dataset(f"{stranger}:wrong", tmp_path, "val")


def test_describing_reads_the_source_and_imports_nothing(stranger):
    tower = describe_encoder(f"{stranger}:Tower")
    assert (tower.summary, tower.dimension) == ("A tower of wood.", 4)
    built = describe_encoder(f"{stranger}:build")
    assert (built.summary, built.dimension) == ("Encoders of a stranger.", 8)
    assert describe_dataset(f"{stranger}:load").summary == "Nothing at all."
    assert stranger not in sys.modules


def test_describing_what_cannot_be_read_still_names_it():
    info = describe_encoder("moviola_absent_plugin:x")
    assert (info.target, info.summary, info.dimension) == ("moviola_absent_plugin:x", "", None)
    assert describe_encoder("itertools:chain").summary == ""
    assert describe_encoder("moviola.core.absent:x").summary == ""
    with pytest.raises(PluginNotFoundError):
        describe_encoder("absent")


def test_described_built_ins_say_where_they_come_from():
    info = describe_dataset("msrvtt")
    assert (info.package, info.target) == ("moviola", "moviola.datasets.msrvtt:load")
    assert info.version


def test_a_checkpoint_is_named_by_itself_or_by_its_family(stranger, monkeypatch, tmp_path):
    def points(group):
        trees = EntryPoint("trees", f"{stranger}:FAMILY", group)
        return [trees] if group == "moviola.families" else []

    monkeypatch.setattr("moviola.plugins.points.entry_points", points)
    (tmp_path / "an@folder").mkdir()

    def asked(name, **options):
        return load_encoder(name, **options).height

    assert asked("oak") == ("wood/oak", "1a", {})
    assert asked("oak@2b") == ("wood/oak", "2b", {})
    assert asked("trees:wood/oak") == ("wood/oak", None, {})
    assert asked("trees:wood/elm@main") == ("wood/elm", "main", {})
    assert asked("trees:./an@folder") == ("./an@folder", None, {})
    assert asked("oak,frames=16,pooling=none") == (
        "wood/oak",
        "1a",
        {"frames": 16, "pooling": "none"},
    )
    assert asked("trees:wood/oak@x,frames=16", frames=2) == ("wood/oak", "x", {"frames": 2})
    assert "oak" in encoder_names()
    info = describe_encoder("oak")
    assert (info.summary, info.dimension, info.target) == ("An oak.", 4, f"{stranger}:grow")
    with pytest.raises(PluginNotFoundError, match=r"Did you mean 'oak'\?.*checkpoint of trees"):
        load_encoder("oek")


def test_options_of_a_name_reach_any_encoder(stranger):
    assert load_encoder(f"{stranger}:build,height=5").height == 5
    with pytest.raises(TypeError, match=r"takes no options.*height"):
        load_encoder(f"{stranger}:finished,height=5")


def test_built_in_models_have_one_name_each_and_all_facts():
    models = [model for family in families().values() for model in family.models]
    assert len({model.name for model in models}) == len(models)
    for model in models:
        assert model.sources
        assert model.licence
        assert min(model.dimension, model.parameters) > 0
        assert all(figure.source and figure.value > 0 for figure in model.reported)
    assert find_known("xclip-base-patch32@abc")[1] == "abc"
    assert find_known("absent") is None


def test_names_are_told_without_torch():
    code = (
        "import sys, moviola.plugins as p;"
        "p.encoder_names(); p.describe_encoder('xclip-base-patch32');"
        "assert not {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules), 'too much'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_module_in_the_current_folder_shadows_nothing(stranger, monkeypatch):
    load_encoder(f"{stranger}:Tower")
    assert sys.path[-1] == str(Path.cwd())
    load_encoder(f"{stranger}:Tower")
    assert sys.path.count(str(Path.cwd())) == 1


@pytest.mark.parametrize(
    ("name", "bare", "options"),
    [
        ("clip,frames=16", "clip", {"frames": 16}),
        (
            "xclip:a,recipe=prototype,output=towers",
            "xclip:a",
            {"recipe": "prototype", "output": "towers"},
        ),
        (r"two-tower:cut\,dry,frames=4", "two-tower:cut,dry", {"frames": 4}),
        (r"two-tower:a\,frames=4", "two-tower:a,frames=4", {}),
        (r"two-tower:a\,frames=4,frames=8", "two-tower:a,frames=4", {"frames": 8}),
        ("two-tower:cut,dry", "two-tower:cut,dry", {}),
        ("two-tower:cut,dry,frames=4", "two-tower:cut,dry", {"frames": 4}),
        (r"video-llama:x,llama=my\,own", "video-llama:x", {"llama": "my,own"}),
        ("q:m,layout=wrapped,dimension=512", "q:m", {"layout": "wrapped", "dimension": 512}),
    ],
)
def test_options_stand_behind_commas_that_no_backslash_guards(name, bare, options):
    assert split_options(name) == (bare, options)
    assert split_options(join_options(bare, options)) == (bare, options)


def test_a_folder_with_commas_loads_and_is_found_again(stranger, tmp_path, monkeypatch):
    family = load_point(FAMILY_GROUP, f"{stranger}:FAMILY")
    monkeypatch.setattr("moviola.plugins.encoders.families", lambda: {"trees": family})
    monkeypatch.setattr("moviola.plugins.checkpoints.points", lambda _: {"trees": None})
    folder = tmp_path / "oak,height=2"
    folder.mkdir()
    name = r"trees:oak\,height=2,age=9"
    assert load_encoder(name).height == ("oak,height=2", None, {"age": 9})
    settled = settled_name(name, "local")
    assert settled == rf"trees:{tmp_path}/oak\,height=2,age=9"
    assert load_encoder(settled).height == (str(folder), None, {"age": 9})
