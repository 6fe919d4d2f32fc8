"""The nouns and the protocols. Everything here is NumPy and the standard library."""

from moviola.core.codes import ExitCode, FileCode
from moviola.core.datasets import RetrievalDataset
from moviola.core.embeddings import Embeddings
from moviola.core.errors import (
    DatasetError,
    LibraryLockedError,
    MissingExtraError,
    MoviolaError,
    PluginNotFoundError,
    SpaceMismatchError,
    StorageError,
    StoreCorruptError,
    VideoUnreadableError,
    WeightsUnavailableError,
)
from moviola.core.frames import Frames, SoundSpec, Waveform
from moviola.core.items import Clip, Text, clip_id
from moviola.core.models import KnownModel, ModelFamily, Reported, Source
from moviola.core.paths import display_path
from moviola.core.protocols import (
    Aligner,
    Dataset,
    Encoder,
    FrameSampler,
    ManyReadouts,
    Pooling,
    Scorer,
    Segmenter,
    VideoReader,
    wanted_size,
    wanted_sound,
)
from moviola.core.results import Hit, Qrels, ScoreBlocks, Scores
from moviola.core.sampling import (
    ConsecutiveSampler,
    LeftSampler,
    PictureSize,
    RateSampler,
    UniformSampler,
)
from moviola.core.spaces import Readout, Space
from moviola.core.spans import Span
from moviola.core.videos import VideoInfo

__all__ = [
    "Aligner",
    "Clip",
    "ConsecutiveSampler",
    "Dataset",
    "DatasetError",
    "Embeddings",
    "Encoder",
    "ExitCode",
    "FileCode",
    "FrameSampler",
    "Frames",
    "Hit",
    "KnownModel",
    "LeftSampler",
    "LibraryLockedError",
    "ManyReadouts",
    "MissingExtraError",
    "ModelFamily",
    "MoviolaError",
    "PictureSize",
    "PluginNotFoundError",
    "Pooling",
    "Qrels",
    "RateSampler",
    "Readout",
    "Reported",
    "RetrievalDataset",
    "ScoreBlocks",
    "Scorer",
    "Scores",
    "Segmenter",
    "SoundSpec",
    "Source",
    "Space",
    "SpaceMismatchError",
    "Span",
    "StorageError",
    "StoreCorruptError",
    "Text",
    "UniformSampler",
    "VideoInfo",
    "VideoReader",
    "VideoUnreadableError",
    "Waveform",
    "WeightsUnavailableError",
    "clip_id",
    "display_path",
    "wanted_size",
    "wanted_sound",
]
