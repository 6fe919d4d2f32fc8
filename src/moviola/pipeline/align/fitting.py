"""Fit a head on files of embeddings, and map files through one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align import Aligner
from moviola.align.fit import UnseenPairs, fit
from moviola.align.head.files import RUN, require_free
from moviola.align.methods import TRAINED
from moviola.align.options import TrainOutput
from moviola.core import Clip, Embeddings, Text, display_path
from moviola.pipeline.align.config import FitConfig
from moviola.pipeline.align.leaks import leak_notes, remember_videos
from moviola.pipeline.inputs.pairing import read_pairs
from moviola.pipeline.inputs.sources import Source, parse_source
from moviola.store import StoreWriter

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Name the files of embeddings that belong together.

    Attributes:
        texts: as `moviola.pipeline.inputs.sources.parse_source` takes it.
        videos: likewise.
        caption_video: what says which text belongs to which video, as
            `moviola.pipeline.inputs.relevance.read_relevance` takes it; None where ids do, or
            both sides are bare arrays in the same order.
    """

    texts: str
    videos: str
    caption_video: str | None = None

    @property
    def sources(self) -> tuple[Source, Source]:
        """Tell apart what texts and videos name.

        Raises:
            FileNotFoundError: when one of them is not there.
        """
        return parse_source(self.texts), parse_source(self.videos)

    def read(
        self, pooling: str | None
    ) -> tuple[Embeddings[Text], Embeddings[Clip], NDArray[np.int64]]:
        """Read texts, clips, and the row of its clip for every text, `(N,)`.

        Raises:
            FileNotFoundError: when a file is not there.
            ValueError: naming the file and the place that is wrong.
            DatasetError: when a table is not as it should be.
            StoreCorruptError: when a store is damaged.
        """
        table = None if self.caption_video is None else parse_source(self.caption_video)
        pairs = read_pairs(*self.sources, table, pooling=pooling)
        return pairs.texts, pairs.clips, pairs.owners()


def fit_files(
    config: FitConfig, *, out: Path | str, resume: bool = False, callbacks: Sequence[object] = ()
) -> Aligner:
    """Fit a head on pairs and write it, with `run.json`, which repeats the run.

    A method that trains keeps its log, its weights and what resumes it in `run_folder(out)`.

    Args:
        config: what is fitted, and how.
        out: folder of the head; an earlier head there is replaced.
        resume: go on with the training that was begun for `out`.
        callbacks: of Lightning's trainer, for methods that train.

    Returns:
        The head. Test videos that it was fitted on are told among the warnings of its record.

    Raises:
        FileExistsError: when `out` holds anything but an earlier head.
        FileNotFoundError: when a file is not there, or there is nothing to resume.
        ValueError: when the pairs cannot be fitted, a setting does not fit, or a file is wrong.
        StorageError: when the head cannot be written.
        MissingExtraError: when a method or a logger needs a package that is not installed.
    """
    out = Path(out)
    require_free(out)
    output = TrainOutput(None, resume, config.logger, callbacks)
    if config.method in TRAINED:
        output = replace(output, folder=_prepared(run_folder(out), config, resume=resume))
    pairs = PairFiles(config.texts, config.videos, config.caption_video)
    texts, clips, owner = pairs.read(config.pool)

    has_ids = pairs.sources[1].has_ids
    seen = remember_videos(clips, np.unique(owner), has_ids=has_ids)
    leaks: list[str] = []

    def read_test() -> UnseenPairs:
        test = PairFiles(str(config.test_texts), str(config.test_videos), config.test_caption_video)
        unseen = UnseenPairs(*test.read(config.pool))
        named = test.sources[1].has_ids
        leaks.extend(leak_notes({"seen": seen}, unseen.clips, has_ids=named))
        return unseen

    if (config.test_texts is None) != (config.test_videos is None):
        raise ValueError("a test needs both --test-texts and --test-videos")
    head = fit(
        texts,
        clips,
        owner,
        method=config.method,
        seed=config.seed,
        test=None if config.test_texts is None else read_test,
        training=config.training,
        output=output,
    )
    head = replace(
        head, fit={**head.fit, "seen": seen, "warnings": [*head.fit["warnings"], *leaks]}
    )
    head.save_pretrained(out)
    (out / RUN).write_text(config.to_json(), encoding="utf-8")
    return head


def read_config(
    path: Path | None, *, out: Path, resume: bool, changes: Mapping[str, Any]
) -> FitConfig:
    """Read the settings of a run from a file, from the run that is resumed, or from options.

    Args:
        path: of a file of settings; None for none.
        out: folder of the head.
        resume: whether a run is resumed; its own settings count where `path` is None.
        changes: options by name, which win; None is no option.

    Raises:
        FileNotFoundError: when there is no such file, or no run to resume.
        ValueError: naming the setting that is missing or wrong.
    """
    if path is None and resume:
        path = run_folder(out) / RUN
        if not path.is_file():
            raise _nothing_to_resume(path.parent)
    return FitConfig.of(changes) if path is None else FitConfig.read(path, changes)


def run_folder(out: Path) -> Path:
    """Return the folder beside a head in which its training keeps log, weights and settings."""
    return out.absolute().with_name(f"{out.absolute().name}.run")


def _prepared(folder: Path, config: FitConfig, *, resume: bool) -> Path:
    """Make the folder of a run that begins, or require the one that is resumed."""
    shown = display_path(folder)
    if resume:
        if not (folder / RUN).is_file():
            raise _nothing_to_resume(folder)
    elif folder.exists():
        if not (folder / RUN).is_file():
            raise FileExistsError(f"{shown} is there and is no earlier run; name another --out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN).write_text(config.to_json(), encoding="utf-8")
    return folder


def _nothing_to_resume(folder: Path) -> FileNotFoundError:
    return FileNotFoundError(
        f"there is no run to resume in {display_path(folder)}; leave out --resume to begin one"
    )


def apply_head(
    head: Aligner, *, out: Path, texts: str | None, videos: str | None, pooling: str | None
) -> int:
    """Map the texts or the videos behind a name into the head's space, and store them.

    Args:
        head: the head.
        out: folder of the store.
        texts: as `moviola.pipeline.inputs.sources.parse_source` takes it; or None.
        videos: likewise; one of the two is given.
        pooling: how several rows an item become one.

    Returns:
        How many items were stored.

    Raises:
        FileExistsError: when `out` holds something.
        FileNotFoundError: when there is nothing to map.
        SpaceMismatchError: when the head was fitted on other vectors.
        StorageError: when the store cannot be written.
        ValueError: when not exactly one side is given, or a file is wrong.
    """
    if (texts is None) == (videos is None):
        raise ValueError("give the texts or the videos that the head shall map, one of both")
    if texts is not None:
        aligned: Embeddings[Text] | Embeddings[Clip] = head.align_texts(
            parse_source(texts).texts(pooling)
        )
    else:
        aligned = head.align_clips(parse_source(str(videos)).clips(pooling))
    kind = "clips" if texts is None else "texts"
    with StoreWriter(
        out, kind=kind, space=aligned.space, readout=aligned.readout, dtype="float32"
    ) as writer:
        writer.extend(aligned)
    return len(aligned)
