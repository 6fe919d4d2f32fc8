"""Find and recognise the lines of text in a picture, by the models of rapidocr's wheel."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from moviola.core import Box, WeightsUnavailableError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rapidocr import RapidOCR

#: Pixels of the longer side in which text is looked for; it is read from the whole picture.
LONGEST = 800
#: Lines of one picture that are read, the largest first: a page of print has about 60.
MOST_LINES = 100
#: A line this many times as tall as wide is read from the side.
TALL = 1.5
#: A line is upside down where it is read that way with so much more confidence.
TURNED = 0.2
#: Share of its height by which a line is cut out longer than it was found.
MARGIN = 0.15


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a picture.

    Attributes:
        text: as recognised, NFC.
        confidence: in [0, 1].
        box: the upright rectangle around it.
        fresh: whether it was read in this picture, rather than taken over from the one before.
    """

    text: str
    confidence: float
    box: Box
    fresh: bool = True


class LineReader:
    """Read the lines of pictures; detection, orientation and recognition on the CPU.

    The models are those that lie in the wheel: nothing is fetched.

    Args:
        threads: of ONNX Runtime and OpenCV.

    Raises:
        WeightsUnavailableError: when the wheel does not hold its models.
    """

    def __init__(self, threads: int) -> None:
        import rapidocr

        self._threads = threads
        models = Path(rapidocr.__file__).parent / "models"
        engine = "EngineConfig.onnxruntime"
        self._ocr: RapidOCR = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": 0.0,
                f"{engine}.intra_op_num_threads": threads,
                f"{engine}.inter_op_num_threads": 1,
                # With the path of a model, rapidocr neither checks nor downloads it.
                "Det.model_path": _model(models, "det"),
                "Cls.model_path": _model(models, "cls"),
                "Rec.model_path": _model(models, "rec"),
                "Det.limit_type": "max",
                "Det.limit_side_len": LONGEST,
            }
        )

    def find(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Find the lines of an RGB picture `(H, W, 3)`: corners `(4, 2)` clockwise, in pixels."""
        scale = max(1.0, LONGEST / max(pixels.shape[:2]))
        with _threads(self._threads):
            seen = _bgr(pixels)
            if scale > 1:
                # rapidocr does not enlarge, and small letters are not found as they are.
                seen = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
            found: Any = self._ocr(seen, use_det=True, use_cls=False, use_rec=False)
        if found.boxes is None:
            return []
        corners = [np.asarray(box, np.float32) / scale for box in found.boxes]
        corners.sort(key=cv2.contourArea, reverse=True)
        return corners[:MOST_LINES]

    def read(
        self, pixels: NDArray[np.uint8], lines: Sequence[NDArray[np.float32]]
    ) -> list[tuple[str, float]]:
        """Recognise lines of an RGB picture: a text, perhaps empty, and a confidence for each."""
        with _threads(self._threads):
            seen = _bgr(pixels)
            return [self._read_one(_straight(seen, corners)) for corners in lines]

    def _read_one(self, line: NDArray[np.uint8]) -> tuple[str, float]:
        """Recognise a line that lies straight, upright or upside down."""
        upright = self._recognise(line)
        turned: Any = self._ocr(line, use_det=False, use_cls=True, use_rec=False)
        if not turned.cls_res or turned.cls_res[0][0] != "180":
            return upright
        # A clock of many zeros looks nearly the same either way, and nearly all text is upright.
        other = self._recognise(line[::-1, ::-1])
        return other if other[1] > upright[1] + TURNED else upright

    def _recognise(self, line: NDArray[np.uint8]) -> tuple[str, float]:
        read: Any = self._ocr(
            np.ascontiguousarray(line), use_det=False, use_cls=False, use_rec=True
        )
        if not read.txts:
            return "", 0.0
        return (
            unicodedata.normalize("NFC", str(read.txts[0])).strip(),
            min(1.0, max(0.0, float(read.scores[0]))),
        )


def box_of(corners: NDArray[np.float32], height: int, width: int) -> Box:
    """Return the upright rectangle around corners `(4, 2)`, in shares of the picture."""
    # A line at the very edge keeps an area of at least a pixel.
    left, top = corners.min(axis=0).clip(0, (width - 1, height - 1))
    right, bottom = corners.max(axis=0).clip((left + 1, top + 1), (width, height))
    return Box(
        float(left / width), float(top / height), float(right / width), float(bottom / height)
    )


def _model(folder: Path, kind: str) -> str:
    found = sorted(folder.glob(f"*_{kind}_*.onnx"))
    if not found:
        raise WeightsUnavailableError(
            f"rapidocr came without its model for {kind!r}; install it from its wheel: "
            f"pip install --force-reinstall rapidocr"
        )
    return str(found[0])


def _bgr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels[:, :, ::-1])


def _straight(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Cut a line out of a picture and lay it straight, `(h, w, 3)`."""
    corners = _widened(corners)
    width = max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[2] - corners[3]))
    height = max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2]))
    size = max(1, int(width)), max(1, int(height))
    flat = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    line = cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(corners, flat),
        size,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    line = np.asarray(line, np.uint8)
    return np.ascontiguousarray(np.rot90(line)) if size[1] >= TALL * size[0] else line


def _widened(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move the ends of a line outwards, so that no letter is cut at its ends."""
    along = corners[1] - corners[0], corners[2] - corners[3]
    across = float(np.linalg.norm(corners[3] - corners[0]))
    length = max(1.0, float(np.linalg.norm(along[0])))
    top, bottom = (side * (MARGIN * across / length) for side in along)
    return np.array(
        [corners[0] - top, corners[1] + top, corners[2] + bottom, corners[3] - bottom], np.float32
    )


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Hold OpenCV to so many threads, for as long as nobody else is meant."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(number)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
