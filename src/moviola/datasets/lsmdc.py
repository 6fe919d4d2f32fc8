"""Load LSMDC: clips of films, each with one sentence of its audio description."""

from __future__ import annotations

from pathlib import Path

from moviola.core import DatasetError, RetrievalDataset
from moviola.datasets.annotations.coverage import require_protocol
from moviola.datasets.annotations.footage import Source
from moviola.datasets.annotations.gallery import (
    assemble,
    find_annotation,
    look_for,
    open_footage,
    refuse_overlap,
)
from moviola.datasets.annotations.tables import Row, read_tabbed

_FILES = {
    "train": "LSMDC16_annos_training.csv",
    "val": "LSMDC16_annos_val.csv",
    "test": "LSMDC16_challenge_1000_publictect.csv",
}
_COLUMNS = ("clip", "start_aligned", "end_aligned", "start_extracted", "end_extracted", "sentence")


def load(root: Path, split: str) -> RetrievalDataset:
    """Load one split of LSMDC 2016 (Rohrbach et al., 2017), by the clips that were cut already.

    Annotations are the published files, six fields separated by tabs and no header: the clip's id,
    four times in the film, and the sentence. They lie in `root` or in a folder of it. A clip of
    `train` or `val` may have several sentences. `test` is the protocol `lsmdc`.

    Args:
        root: the folder; clips lie in its `videos/` or anywhere below it, each called by its id,
            such as `1004_Juno_00.00.32.161-00.00.33.752`.
        split: `train`, `val` or `test`.

    Raises:
        DatasetError: naming the file and the line, or what was published and is not there; also
            when two splits share clips.
    """
    if split not in _FILES:
        raise DatasetError(f"LSMDC has no split {split!r}; it has {', '.join(_FILES)}")
    path = find_annotation(root, _FILES[split])
    rows = _rows(path)
    sources = {row.name("clip"): Source(row.name("clip")) for row in rows}
    for other, name in _FILES.items():
        listed = look_for(root, name)
        if listed is not None and other != split:
            refuse_overlap(sources, path, [row.name("clip") for row in _rows(listed)], listed)
    name = "lsmdc" if split == "test" else f"lsmdc-{split}"
    found = assemble(
        name,
        open_footage(root),
        sources,
        [(row.name("clip"), row.text("sentence")) for row in rows],
    )
    return require_protocol(found, path) if split == "test" else found


def _rows(path: Path) -> list[Row]:
    return read_tabbed(path, _COLUMNS)
