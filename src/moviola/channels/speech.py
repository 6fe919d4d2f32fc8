"""Recognise what is said, by faster-whisper: voices are looked for first, words have times."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import math
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import (
    ChannelTools,
    MissingExtraError,
    Passage,
    SoundSpec,
    Span,
    VideoInfo,
    VideoUnreadableError,
    Waveform,
    WeightsUnavailableError,
    Word,
)

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from numpy.typing import NDArray

#: Counts up with what this code makes of the same sound.
REVISION = 1
RATE = 16_000
#: Seconds of sound that are held and recognised at once.
PIECE = 300.0
#: A piece ends at the quietest moment of so many seconds before that.
QUIET_END = 30.0
#: Seconds of such a moment.
MOMENT = 0.2
#: A text that shrinks by more than this is one phrase over and over, which Whisper makes up.
LOOPING = 2.4
#: Blocks of a model file that go into its digest, and bytes of each.
BLOCKS, BLOCK = 16, 1 << 16


def load(model: str = "base", language: str | None = None, threads: int = 2) -> SpeechChannel:
    """Load the channel `speech`; its model is loaded where the first voice is heard.

    Args:
        model: a model of faster-whisper by its name, such as `base` or `large-v3`, or by its
            repository on the hub; or the folder of one in CTranslate2's format with its
            `tokenizer.json`, which works offline.
        language: the language that is spoken, such as `de`; detected where it is None.
        threads: processor threads that recognition uses.

    Raises:
        MissingExtraError: when faster-whisper is not installed.
        ValueError: when there are to be no threads.
        WeightsUnavailableError: when the folder is no model with its tokenizer.
    """
    if threads < 1:
        raise ValueError(f"recognition takes at least 1 thread, got {threads}")
    if importlib.util.find_spec("faster_whisper") is None:
        raise MissingExtraError(
            "the channel 'speech' needs faster-whisper; install it with: "
            "pip install 'moviola[speech]'"
        )
    return SpeechChannel(model, language, threads)


class SpeechChannel:
    """Recognise speech with Whisper on CTranslate2, in 8 bits on the CPU.

    Args:
        model: a name of faster-whisper's or of a repository of the hub, or a folder.
        language: the language that is spoken, None where it is to be detected.
        threads: processor threads that recognition uses.

    Raises:
        WeightsUnavailableError: when the folder is no model with its tokenizer.
    """

    name = "speech"
    sound = SoundSpec(RATE, 1)

    def __init__(self, model: str, language: str | None, threads: int) -> None:
        self._model = model
        self._language = language
        self._threads = threads
        self._whisper: WhisperModel | None = None
        folder = Path(model)
        is_folder = folder.is_dir() or model.startswith(("/", ".", "~"))
        self._identity = _digest(folder) if is_folder else model

    @property
    def version(self) -> str:
        """Return the revision, the release of faster-whisper, the model and the language."""
        release = importlib.metadata.version("faster-whisper")
        return (
            f"speech:{REVISION} faster-whisper:{release} model:{self._identity} "
            f"language:{self._language or 'detected'}"
        )

    def passages(self, video: Path, info: VideoInfo, tools: ChannelTools) -> Iterator[Passage]:
        """Yield what is said, a sentence or so at a time, with the times of its words.

        Sound without voices yields nothing, and does not load the model.

        Raises:
            VideoUnreadableError: when the file breaks off, after what was said before.
            WeightsUnavailableError: when the model is neither here nor to be had.
        """
        del video, info
        from faster_whisper.vad import get_speech_timestamps

        before = 0.0
        for samples, start in _pieces(tools.sound()):
            if not get_speech_timestamps(samples):
                continue
            for passage in self._recognised(samples, start, before):
                before = passage.span.start
                yield passage

    def _recognised(
        self, samples: NDArray[np.float32], start: float, before: float
    ) -> Iterator[Passage]:
        """Yield the passages of a piece that starts at `start` s, none of them before `before`."""
        end = start + len(samples) / RATE
        segments, found = self._loaded().transcribe(
            samples,
            language=self._language,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
            # Higher temperatures draw at random: reading twice would give two texts.
            temperature=0.0,
        )
        for segment in segments:
            text = unicodedata.normalize("NFC", segment.text).strip()
            first = max(before, start, min(end, start + float(segment.start)))
            last = min(end, start + float(segment.end))
            if not text or last <= first or segment.compression_ratio > LOOPING:
                continue
            span = Span(first, last)
            before = first
            yield Passage(
                video="",
                span=span,
                text=text,
                channel=self.name,
                language=found.language,
                confidence=min(1.0, math.exp(segment.avg_logprob)),
                words=tuple(_words(segment.words or (), start, span)),
            )

    def _loaded(self) -> WhisperModel:
        if self._whisper is None:
            from faster_whisper import WhisperModel

            try:
                self._whisper = WhisperModel(
                    self._model, device="cpu", compute_type="int8", cpu_threads=self._threads
                )
            except (OSError, RuntimeError) as error:
                raise WeightsUnavailableError(
                    f"the model {self._model!r} of faster-whisper is neither here nor to be had: "
                    f"{error}. A folder works offline: speech,model=FOLDER"
                ) from error
        return self._whisper


def _pieces(sound: Iterator[Waveform]) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Cut sound into pieces of `PIECE` seconds, `(N,)` and the second at which each starts.

    Raises:
        VideoUnreadableError: when the file breaks off, after the piece before.
    """
    held: list[NDArray[np.float32]] = []
    start, count, broken = 0.0, 0, None
    try:
        for wave in sound:
            if not held:
                start = wave.start
            held.append(wave.samples.mean(axis=0, dtype=np.float32))
            count += len(held[-1])
            while count >= PIECE * RATE:
                samples = np.concatenate(held)
                cut = _quiet(samples)
                yield samples[:cut], start
                held, start, count = [samples[cut:]], start + cut / RATE, count - cut
    except VideoUnreadableError as error:
        broken = error
    if count:
        yield np.concatenate(held), start
    if broken is not None:
        raise broken


def _quiet(samples: NDArray[np.float32]) -> int:
    """Return where sound `(N,)` is quietest near the end of its first `PIECE` seconds."""
    end, moment = round(PIECE * RATE), round(MOMENT * RATE)
    begin = end - round(QUIET_END * RATE)
    loud = np.square(samples[begin:end]).reshape(-1, moment).mean(axis=1)
    return begin + int(loud.argmin()) * moment + moment // 2


def _words(words: Any, start: float, span: Span) -> Iterator[Word]:
    """Yield the words of a segment in their order, none outside of its span."""
    before = span.start
    for word in words:
        first = max(before, start + float(word.start))
        last = min(span.end, start + float(word.end))
        text = unicodedata.normalize("NFC", word.word).strip()
        if text and last > first:
            yield Word(text, Span(first, last))
            before = first


def _digest(folder: Path) -> str:
    """Name a model by its folder's content: the configuration, and samples of its weights.

    Raises:
        WeightsUnavailableError: when it is no model of CTranslate2 with its tokenizer.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in ("config.json", "tokenizer.json", "model.bin"):
        path = folder / name
        if not path.is_file():
            raise WeightsUnavailableError(
                f"the folder {str(folder)!r} has no {name}; a model of faster-whisper has "
                f"config.json, model.bin and tokenizer.json"
            )
        with path.open("rb") as file:
            size = path.stat().st_size
            digest.update(f"{name}:{size}:".encode())
            for place in range(BLOCKS):
                file.seek(size * place // BLOCKS)
                digest.update(file.read(BLOCK))
    return f"{folder.name}@{digest.hexdigest()}"
