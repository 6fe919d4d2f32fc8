"""A library under any sequence of acts shows what a plain dictionary would."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fixtures.shelf import SUFFIXES, Shelf, search_vector, unit_rows
from moviola.core import Readout, Space
from moviola.library import Library, LibraryCard, scan
from moviola.library.storage.tables import Tables

NAMES = st.sampled_from(["a.mp4", "b.mp4", "sub/c.mp4", "sub/d.mp4", "e.mkv"])
CONTENTS = st.sampled_from(["one", "two", "three", "four"])
CARD = LibraryCard(
    "stub", Space("stub", "r1", "w1", 16), Readout("resize 64"), Readout("lower case"), "whole"
)


class Killed(BaseException):
    """The process is no more."""


class LibraryModel(RuleBasedStateMachine):
    """Files are a dictionary from names to contents; so is what the library should show."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        folder = self.place / "videos"
        folder.mkdir()
        (folder / "sub").mkdir()
        self.shelf = Shelf(folder, Library.create(self.place / "library", CARD))
        for name in ("keep.mp4", "sub/keep.mp4"):  # no folder ever looks unmounted
            self.shelf.put(name, f"kept {name}")
        self.files = {"keep.mp4": "kept keep.mp4", "sub/keep.mp4": "kept sub/keep.mp4"}
        self.shown: dict[str, str] = {}
        self.missing: set[str] = set()
        self.index()

    def teardown(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)

    @rule(name=NAMES, content=CONTENTS)
    def add_or_replace(self, name: str, content: str) -> None:
        self.shelf.put(name, content)
        self.files[name] = content

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.shelf.folder / name).unlink(missing_ok=True)
        self.files.pop(name, None)

    @rule(before=NAMES, after=NAMES)
    def move(self, before: str, after: str) -> None:
        if before in self.files and before != after:
            (self.shelf.folder / before).replace(self.shelf.folder / after)
            self.files[after] = self.files.pop(before)

    @rule()
    def index(self) -> None:
        self.shelf.index()
        self._follow_index()

    def _follow_index(self) -> None:
        gone = {name: held for name, held in self.shown.items() if name not in self.files}
        contents = set(self.files.values())
        # A name that is gone makes room where its content was found under another name.
        kept = {name: held for name, held in gone.items() if held not in contents}
        self.shown = dict(self.files) | kept
        self.missing = set(kept)

    @precondition(lambda self: self.shown)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.shown)))
        if name.endswith("keep.mp4"):
            return
        with self.shelf.library.writer() as writer:
            writer.forget([self.shelf.folder / name])
        del self.shown[name]
        self.missing.discard(name)

    @rule()
    def tidy(self) -> None:
        with self.shelf.library.writer() as writer:
            writer.purge()
            writer.tidy()

    @rule()
    def reopen(self) -> None:
        self.shelf.library = Library.open(self.shelf.library.path)

    @rule(steps=st.integers(0, 6))
    def kill_while_indexing(self, steps: int) -> None:
        """The process dies at some write; what readers see is some state on the way."""
        left = [steps]
        real = Tables.upsert

        def dying(tables, table, rows):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            real(tables, table, rows)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Tables, "upsert", dying)
            try:
                with self.shelf.library.writer() as writer:
                    plan = writer.plan(scan([self.shelf.folder], SUFFIXES))
                    for video in plan.decode:
                        self.shelf.encode(writer, video)
                        writer.commit()
            except Killed:
                pass
        assert Library.open(self.shelf.library.path).verify(deep=True) == []
        self.shelf.library = Library.open(self.shelf.library.path)
        self.index()

    @invariant()
    def shows_what_the_dictionary_says(self) -> None:
        library = self.shelf.library
        library.refresh()
        names = {
            str(name.path.relative_to(self.shelf.folder)): record
            for record in library.videos()
            for name in record.names
        }
        assert names.keys() == self.shown.keys()
        for first, record in names.items():
            for second, other in names.items():
                assert (record.id == other.id) == (self.shown[first] == self.shown[second])
        snapshot = library.snapshot()
        assert {record.id for record in snapshot.records} == {r.id for r in names.values()}
        for record in snapshot.records:
            place = snapshot.place_of(record.id)
            expected = unit_rows(record.id, 2).astype(np.float16).astype(np.float32)
            found = snapshot.matrix[snapshot.video(place)]
            assert np.allclose(found, expected, atol=2e-3)

    @invariant()
    def finds_what_is_nearest(self) -> None:
        library = self.shelf.library
        query = unit_rows("query", 1)
        found = search_vector(
            library, query, library.card.space, library.card.text_readout, top=1, fold=False
        )
        here = {
            record.id
            for record in library.snapshot().records
            if not all(name.missing for name in record.names)
        }
        best = max(here, key=lambda video: float((unit_rows(video, 2) @ query[0]).max()))
        assert found[0].video == best


def case_of(examples: int, steps: int, *, seeded: bool) -> type:
    """Make a test case of the model: the same acts every time, or fresh ones."""

    class Case(LibraryModel.TestCase):
        settings = settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=seeded,
            suppress_health_check=list(HealthCheck),
        )

    return Case


TestALibraryAgreesWithADictionary = case_of(6, 12, seeded=True)
TestALibraryAgreesForLong = pytest.mark.timeout(3600)(
    pytest.mark.slow(case_of(150, 30, seeded=False))
)
