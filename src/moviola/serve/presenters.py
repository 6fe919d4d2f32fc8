"""Present records and moments as the API tells them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moviola.core import Passage, Span, VideoInfo, display_path
from moviola.core.moments import MatchedWord, Moment, Reason
from moviola.library import VideoName, VideoRecord, has_no_file, is_gone
from moviola.retrieve.parsing import group_of
from moviola.serve.folders import shown_folder
from moviola.serve.media.playing import Facts
from moviola.serve.parts import id_of
from moviola.serve.schemas import (
    FailureAnswer,
    MatchedWordAnswer,
    MomentAnswer,
    NameAnswer,
    PassageAnswer,
    ReasonAnswer,
    StepAnswer,
    VideoAnswer,
)

_DIGITS = 6
# Videos whose description is kept: most searches show the same few thousand.
_KEPT = 20_000


class Presenter:
    """Present videos, with or without absolute paths."""

    def __init__(self, *, show_paths: bool) -> None:
        self._absolute = show_paths
        self._known: dict[str, tuple[VideoRecord, MomentAnswer]] = {}

    def moment(
        self,
        moment: Moment,
        record: VideoRecord,
        facts: Facts | None = None,
    ) -> MomentAnswer:
        """Present a moment that was found."""
        steps = [
            StepAnswer(start=step.start, end=step.end, peak=step.peak, score=_rounded(step.score))
            for step in moment.steps
        ]
        return self._description(record, facts).model_copy(
            update={
                "id": id_of(moment),
                "start": _rounded(moment.start),
                "end": _rounded(moment.end),
                "peak": _rounded(moment.peak),
                "score": _rounded(moment.score),
                "band": moment.band,
                "probability": None if moment.probability is None else _rounded(moment.probability),
                "others": moment.others,
                "duplicates": list(moment.duplicates),
                "steps": steps or None,
                "why": [present_reason(reason) for reason in moment.why],
            }
        )

    def part(
        self, name: str, record: VideoRecord, span: Span, facts: Facts | None = None
    ) -> MomentAnswer:
        """Present a part of a video that was not searched for."""
        return self._description(record, facts).model_copy(
            update={
                "id": name,
                "start": _rounded(span.start),
                "end": _rounded(span.end),
                "peak": _rounded(span.middle),
            }
        )

    def video(self, record: VideoRecord, facts: Facts | None = None) -> VideoAnswer:
        """Present all facts about a video."""
        info = record.info
        name = _first(record)
        return VideoAnswer(
            id=record.id,
            name=display_path(name.path.name),
            folder=shown_folder(name, absolute=self._absolute),
            names=[
                NameAnswer(
                    name=display_path(other.path.name),
                    folder=shown_folder(other, absolute=self._absolute),
                    missing=other.missing or is_gone(other.path),
                )
                for other in record.names
            ],
            title=facts.title if facts else None,
            **_of_info(info),
            frames=info.frames if info else None,
            container=info.container if info else None,
            date=record.date.isoformat(),
            size=record.size,
            clips=record.clips,
            code=str(record.code),
            message=self.message(record),
            missing=has_no_file(record),
            media=f"/media/{record.id}",
            playable=facts.direct if facts else None,
        )

    def path(self, record: VideoRecord) -> str:
        """Name a video by its file, with its folders where paths are shown."""
        path = record.path if self._absolute else Path(record.path.name)
        return display_path(path)

    def failure(self, record: VideoRecord, name: VideoName) -> FailureAnswer:
        """Present one file that could not be used."""
        return FailureAnswer(
            video=record.id,
            name=display_path(name.path.name),
            folder=shown_folder(name, absolute=self._absolute),
            code=str(record.code),
            message=self.message(record),
            size=record.size,
            codec=record.info.codec if record.info else None,
        )

    def message(self, record: VideoRecord) -> str:
        """Repeat what was said about a video, without where its files lie."""
        text = record.message
        for name in record.names:
            shown = display_path(name.path)
            if not self._absolute:
                text = text.replace(shown, display_path(name.path.name))
        return text

    def _description(self, record: VideoRecord, facts: Facts | None) -> MomentAnswer:
        """Describe a video, as before where its record is the same; files may be gone since."""
        known = self._known.get(record.id)
        if known is None or known[0] is not record:
            known = record, self._describe(record)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[record.id] = known
        news: dict[str, Any] = {"missing": has_no_file(record)}
        if facts:
            news["playable"] = facts.direct
        return known[1].model_copy(update=news)

    def _describe(self, record: VideoRecord) -> MomentAnswer:
        """Describe what is the same in all moments of a video."""
        name = _first(record)
        return MomentAnswer(
            id="",
            video=record.id,
            name=display_path(name.path.name),
            folder=shown_folder(name, absolute=self._absolute),
            start=0,
            end=0,
            peak=0,
            score=None,
            band=None,
            probability=None,
            missing=record.is_missing,
            **_of_info(record.info),
            date=record.date.isoformat(),
            playable=None,
            others=0,
            duplicates=[],
            steps=None,
            why=[],
        )


def present_reason(reason: Reason) -> ReasonAnswer:
    """Present what a moment was found by."""
    return ReasonAnswer(
        channel=reason.channel,
        group=group_of(reason.channel),
        text=reason.text,
        start=_rounded(reason.start),
        end=_rounded(reason.end),
        words=_words(reason.words),
    )


def present_passage(passage: Passage, words: Sequence[MatchedWord]) -> PassageAnswer:
    """Present a passage with what of its text was searched for."""
    return PassageAnswer(
        channel=passage.channel,
        group=group_of(passage.channel),
        text=passage.text,
        start=_rounded(passage.span.start),
        end=_rounded(passage.span.end),
        language=passage.language,
        confidence=passage.confidence,
        words=_words(words),
    )


def _words(words: Sequence[MatchedWord]) -> list[MatchedWordAnswer]:
    """Present words of a text that were asked for."""
    return [
        MatchedWordAnswer(
            text=word.text,
            first=word.first,
            last=word.last,
            start=None if word.span is None else _rounded(word.span.start),
            end=None if word.span is None else _rounded(word.span.end),
        )
        for word in words
    ]


def _first(record: VideoRecord) -> VideoName:
    """Choose the name of a video that is shown."""
    return record.name_at(record.path) or record.names[0]


def _of_info(info: VideoInfo | None) -> dict[str, Any]:
    """Present what was read of a file."""
    return {
        "duration": _rounded(info.duration) if info else None,
        "width": info.width if info else None,
        "height": info.height if info else None,
        "codec": info.codec if info else None,
        "sound": info.has_sound if info else None,
    }


def _rounded(value: float) -> float:
    """Round to the digits that answers have."""
    return round(float(value), _DIGITS)
