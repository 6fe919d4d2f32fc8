"""Send what channels want of a file: its texts, pictures and sound. Runs in the worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import ContainerTexts, FileCode, SoundSpec, VideoUnreadableError
from moviola.video.decode.audio import SoundTrack
from moviola.video.decode.opening import open_container
from moviola.video.decode.side_streams import PictureStream, SideStreams, SoundStream
from moviola.video.decode.texts import read_texts
from moviola.video.texts import FileTexts

if TYPE_CHECKING:
    from av.container import InputContainer
    from numpy.typing import NDArray

    from moviola.video.decode.probing import Survey
    from moviola.video.limits import Limits
    from moviola.video.worker.tasks import SideWants

Send = Callable[[dict[str, object], "Sequence[NDArray[Any]]"], None]


def send_texts(path: Path, container: InputContainer, limits: Limits, send: Send) -> None:
    """Send the texts of the file at `path`; where they cannot be read, say so in their place."""
    try:
        found = read_texts(path, container, limits)
    except VideoUnreadableError as error:
        if error.code is FileCode.OUT_OF_MEMORY:
            raise
        found = FileTexts(ContainerTexts({}), (), f"its text tracks cannot be read: {error}")
    parts = {
        "tags": dict(found.container.tags),
        "chapters": [[at.start, at.end, title] for at, title in found.container.chapters],
        "tracks": [
            {
                "codec": track.codec,
                "language": track.language,
                "title": track.title,
                "cues": [[cue.span.start, cue.span.end, cue.text] for cue in track.cues],
            }
            for track in found.tracks
        ],
        "left_out": found.left_out,
    }
    text = json.dumps(parts, ensure_ascii=False).encode("utf-8", "replace")
    send({"kind": "texts"}, [np.frombuffer(text, np.uint8)])


@contextmanager
def side_streams(
    path: Path, found: Survey, wants: SideWants, limits: Limits, send: Send
) -> Iterator[tuple[SideStreams, list[SoundTrack]]]:
    """Make the streams that send what `wants` says, for a `with` block; and their sound tracks."""
    with ExitStack() as stack:
        pictures = [
            PictureStream(wanted, found, _picture_sender(place, send))
            for place, wanted in enumerate(wants.pictures)
        ]
        tracks = [
            stack.enter_context(
                SoundTrack(
                    open_container(path, limits), wanted, zero=found.origin, begin=0, limits=limits
                )
            )
            for wanted in wants.sounds
        ]
        sounds = [
            SoundStream(track, found.info.duration, _sound_sender(place, wanted, send))
            for place, (wanted, track) in enumerate(zip(wants.sounds, tracks, strict=True))
        ]
        yield SideStreams(pictures, sounds), tracks


def _picture_sender(place: int, send: Send) -> Callable[[NDArray[np.uint8], float], None]:
    def emit(picture: NDArray[np.uint8], time: float) -> None:
        head = {"kind": "picture", "stream": place, "shape": [1, *picture.shape], "times": [time]}
        send(head, [picture])

    return emit


def _sound_sender(
    place: int, wanted: SoundSpec, send: Send
) -> Callable[[NDArray[np.float32], float], None]:
    def emit(samples: NDArray[np.float32], start: float) -> None:
        head = {"sound": list(samples.shape), "rate": wanted.rate, "heard_from": start}
        send({"kind": "heard", "stream": place, **head}, [samples])

    return emit
