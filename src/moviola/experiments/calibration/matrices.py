"""Load the real score matrices that the general calibration is fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScoreMatrix:
    """Scores of n texts on the n clips that they describe, row i with column i.

    Attributes:
        name: of the matrix.
        encoder: whose it is; matrices of one encoder resemble each other.
        scores: `(n, n)`.
    """

    name: str
    encoder: str
    scores: NDArray[np.float64]


def load_matrices(folder: Path) -> list[ScoreMatrix]:
    """Load Cap4Video's matrix of MSR-VTT and CLAP's of AudioCaps, of clean and of noisy sound.

    Of AudioCaps' sounds that are there several times, under several captions, one stays.

    Args:
        folder: with `cap4video` and `clap_audiocaps`, as in the shared test data's `similarity`.

    Raises:
        FileNotFoundError: when a file is missing.
    """
    video = np.load(folder / "cap4video" / "msrvtt_video_matrix.npy").astype(np.float64)
    found = [ScoreMatrix("msrvtt", "Cap4Video", video)]
    clap = folder / "clap_audiocaps"
    texts = _unit(np.load(clap / "text_embeddings.npy"))
    original = _unit(np.load(clap / "audio_emb_original.npy"))
    _, first = np.unique(original.round(5), axis=0, return_index=True)
    once = np.sort(first)
    for condition in ("original", "noisy_snr10dB"):
        sounds = _unit(np.load(clap / f"audio_emb_{condition}.npy"))
        found.append(ScoreMatrix(f"clap_{condition}", "CLAP", texts[once] @ sounds[once].T))
    return found


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    rows = rows.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
