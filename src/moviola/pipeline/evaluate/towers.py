"""Read the vectors of two towers and of a bank, map them by a head, and score them."""

from __future__ import annotations

from dataclasses import dataclass

from moviola.core import Clip, Embeddings, Scorer, Scores, SpaceMismatchError, Text
from moviola.pipeline.align.heads import load_head
from moviola.pipeline.align.leaks import leak_notes
from moviola.pipeline.evaluate.correcting import count_seen, rows_of
from moviola.pipeline.inputs.pairing import Pairs
from moviola.pipeline.inputs.sources import parse_source
from moviola.score import scorer_for


@dataclass(frozen=True, slots=True)
class Towers:
    """Hold texts and videos to be scored.

    Attributes:
        texts: of the test.
        clips: the gallery.
        bank: training captions, where corrections learn from some.
        seen: how many texts of the test are in the bank as well.
        scorer: a model's own, where its vectors are not all there is to it.
        notes: what must be said of the head that mapped them.
    """

    texts: Embeddings[Text]
    clips: Embeddings[Clip]
    bank: Embeddings[Text] | None = None
    seen: int = 0
    scorer: Scorer | None = None
    notes: tuple[str, ...] = ()

    @property
    def scoring(self) -> str:
        """Name the way: `model` by its own scorer, `dot`, `cosine`, or `maxsim`."""
        if self.scorer is not None:
            return "model"
        return scorer_for(self.texts, self.clips).name

    def require_comparable(self, *, unaligned: bool) -> None:
        """Refuse vectors that cannot, or should not, be scored against one another.

        Raises:
            ValueError: when their lengths differ.
            SpaceMismatchError: when their spaces do.
        """
        _require_comparable(self.texts, self.clips, unaligned=unaligned, what="texts")
        if self.bank is not None:
            what = "captions of the bank"
            _require_comparable(self.bank, self.clips, unaligned=unaligned, what=what)

    def score(self, *, unaligned: bool) -> tuple[Scores, Scores | None]:
        """Score the texts against the gallery, and the bank where there is one."""
        bank = self.bank
        if self.scorer is not None:
            return (
                self.scorer(self.texts, self.clips),
                None if bank is None else self.scorer(bank, self.clips),
            )
        scorer = scorer_for(self.texts, self.clips)
        return (
            scorer(self.texts, self.clips, unaligned=unaligned),
            None if bank is None else scorer(bank, self.clips, unaligned=unaligned),
        )


def map_towers(
    pairs: Pairs, *, bank: str | None, head: str | None, pooling: str | None, has_ids: bool = True
) -> Towers:
    """Map both towers by the head where there is one, and read the bank beside them.

    Args:
        pairs: texts and clips.
        bank: training captions, as `parse_source` takes them.
        head: as `load_head` takes it.
        pooling: how several rows of a caption of the bank become one.
        has_ids: whether the clips have ids, by which a leak is noticed.

    Raises:
        FileNotFoundError: when a file is not there.
        ValueError: naming the file and the place that is wrong; when the bank is the test.
        PluginNotFoundError: when the head cannot be loaded.
    """
    texts, clips = pairs.texts, pairs.clips
    bank_side = None if bank is None else parse_source(bank).texts(pooling)
    seen = 0 if bank_side is None else count_seen(rows_of(texts), rows_of(bank_side))
    notes: tuple[str, ...] = ()
    if head is not None:
        aligner = load_head(head)
        notes = leak_notes(getattr(aligner, "fit", {}), clips, has_ids=has_ids)
        texts, clips = aligner.align_texts(texts), aligner.align_clips(clips)
        bank_side = None if bank_side is None else aligner.align_texts(bank_side)
    return Towers(texts, clips, bank_side, seen, notes=notes)


def _require_comparable(
    texts: Embeddings[Text], clips: Embeddings[Clip], *, unaligned: bool, what: str
) -> None:
    if texts.space.dimension != clips.space.dimension and (
        unaligned or (texts.space.is_anonymous and clips.space.is_anonymous)
    ):
        raise ValueError(
            f"{what} have {texts.space.dimension} numbers a vector, videos "
            f"{clips.space.dimension}: they have no cosine; align them first"
        )
    if not unaligned:
        try:
            clips.space.require(texts.space, what="the text")
        except SpaceMismatchError as error:
            raise SpaceMismatchError(
                f"{error}; --unaligned scores them all the same, and the result says so"
            ) from None
