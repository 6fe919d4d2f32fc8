"""Find the windows of passages that mean what a sentence says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.library import Library, Snapshot, VideoRecord
from moviola.library.text_index import IndexedPassages
from moviola.retrieve.calibration.general import general_calibration
from moviola.retrieve.calibration.judges import BankJudge
from moviola.retrieve.calibration.kept_bank import score_bank
from moviola.retrieve.calibration.ordinary import ordinary_sentences
from moviola.retrieve.meaning.vectors import TextEncoder, window_vectors
from moviola.retrieve.meaning.windows import TextWindow, text_windows
from moviola.retrieve.products import multiply_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Windows that a sentence is answered by, at most, one a video.
_MOST_HITS = 100


@dataclass(frozen=True, slots=True)
class WindowHit:
    """A window that means what a sentence says.

    Attributes:
        window: of passages.
        channel: its name.
        probability: of being what was meant.
        score: cosine.
    """

    window: TextWindow
    channel: str
    probability: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class MeaningIndex:
    """Hold the windows of a library and their vectors.

    Hits are judged as those of pictures are: by what ordinary sentences score on the same windows.
    """

    encoder: TextEncoder
    windows: Sequence[TextWindow]
    channel_names: Sequence[str]
    _snapshot: Snapshot = field(repr=False)
    _judge: BankJudge = field(repr=False)

    @classmethod
    def of(
        cls,
        library: Library,
        passages: IndexedPassages,
        records: Sequence[VideoRecord],
        encoder: TextEncoder,
    ) -> Self:
        """Embed the windows of passages, or read their vectors where they are kept.

        Args:
            library: whose cache keeps the vectors.
            passages: at least one.
            records: of `passages.video_ids`, in their order.
            encoder: of texts.
        """
        windows = text_windows(passages)
        windows.sort(key=lambda each: (each.video, each.start, each.channel))
        counts = np.bincount([each.video for each in windows], minlength=len(records))
        shown = np.flatnonzero(counts)
        snapshot = Snapshot(
            [records[place] for place in shown.tolist()],
            np.concatenate([[0], np.cumsum(counts[shown])]).astype(np.int64),
            np.array([(each.start, each.end) for each in windows], np.float64),
            window_vectors(library, encoder, windows),
            np.array([f"{number}" for number in range(len(windows))], np.bytes_),
            0.0,
            np.arange(len(windows)),
        )
        bank = encoder.encode_queries(ordinary_sentences())
        judge = BankJudge(score_bank(bank, snapshot), general_calibration())
        return cls(encoder, windows, passages.channel_names, snapshot, judge)

    def find(self, text: str, admitted: NDArray[np.bool_]) -> list[WindowHit]:
        """Find the best window of each video, best first.

        Args:
            text: a sentence.
            admitted: `(n,)` which windows are searched.
        """
        scores = multiply_rows(self.encoder.encode_queries([text]), self._snapshot.matrix)[0]
        scores = np.where(admitted, scores, np.float32(-1))
        best = np.maximum.reduceat(scores, self._snapshot.offsets[:-1])
        places = np.argsort(-best, kind="stable")[:_MOST_HITS].tolist()
        places = [place for place in places if best[place] > -1]
        judged = self._judge(self._snapshot, scores, places, [float(best[at]) for at in places])
        found: list[WindowHit] = []
        for place, chance in zip(places, judged.probabilities, strict=True):
            own = self._snapshot.video(place)
            at = int(own.start) + int(scores[own].argmax())
            window: TextWindow = self.windows[at]
            name = str(self.channel_names[window.channel])
            found.append(WindowHit(window, name, chance or 0.0, float(best[place])))
        return found
