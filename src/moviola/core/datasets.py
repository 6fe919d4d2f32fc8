"""A retrieval data set: clips, captions, and which belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from moviola.core.items import Clip, Text
from moviola.core.results import Qrels
from moviola.core.spans import Span


@dataclass(frozen=True, slots=True)
class RetrievalDataset:
    """One split, ready to be encoded and evaluated.

    Attributes:
        name: data set and split, such as `msrvtt-1ka`.
        clips: the gallery, whole: a clip whose video file is missing stays in it, so that stores
            encoded elsewhere are evaluated against the right gallery. A whole video's clip may be
            longer than the file; readers clamp it.
        texts: the captions.
        qrels: text id to the ids of the clips it describes.
        missing: ids of clips whose video files are not there; whoever decodes passes over them.
        moments: text id to the spans it describes, where the annotations tell them.
        groups: name of a group of texts to their ids, such as `held-out`.
    """

    name: str
    clips: Sequence[Clip]
    texts: Sequence[Text]
    qrels: Qrels
    missing: tuple[str, ...] = ()
    moments: Mapping[str, tuple[Span, ...]] = field(default_factory=dict[str, tuple[Span, ...]])
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    @property
    def is_complete(self) -> bool:
        """Tell whether every video of the protocol is there, so that results can be compared."""
        return not self.missing
