"""Turn files into clips, frames and sound, decoded in worker processes."""

from moviola.core.videos import VIDEO_SUFFIXES
from moviola.video.decode.containers import require_decoders
from moviola.video.limits import Limits
from moviola.video.segmenting import (
    GivenSegmenter,
    WholeSegmenter,
    WindowSegmenter,
    parse_segmenter,
)
from moviola.video.shots import ShotSegmenter
from moviola.video.stills import (
    make_film,
    read_frames_near,
    read_picture,
    read_play_facts,
)
from moviola.video.texts import FileTexts
from moviola.video.worker.messages import (
    ClipNamed,
    ClipRead,
    PictureRead,
    Previews,
    ReadRequest,
    SideListener,
    VideoDone,
)
from moviola.video.worker.once import (
    probe,
    read_frames_at,
    read_waveform,
    tell_confinement,
)
from moviola.video.worker.pool import DecodePool
from moviola.video.worker.replies import PicturePart, PlayFacts, SidePart, SoundPart
from moviola.video.worker.tasks import SideWants

__all__ = [
    "VIDEO_SUFFIXES",
    "ClipNamed",
    "ClipRead",
    "DecodePool",
    "FileTexts",
    "GivenSegmenter",
    "Limits",
    "PicturePart",
    "PictureRead",
    "PlayFacts",
    "Previews",
    "ReadRequest",
    "ShotSegmenter",
    "SideListener",
    "SidePart",
    "SideWants",
    "SoundPart",
    "VideoDone",
    "WholeSegmenter",
    "WindowSegmenter",
    "make_film",
    "parse_segmenter",
    "probe",
    "read_frames_at",
    "read_frames_near",
    "read_picture",
    "read_play_facts",
    "read_waveform",
    "require_decoders",
    "tell_confinement",
]
