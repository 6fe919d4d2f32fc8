"""Pictures and short clips that people search with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moviola.serve.errors import ApiError
from moviola.serve.live import View

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Pictures:
    """What was uploaded, as vectors."""

    def direction(self, view: View, picture: str) -> NDArray[np.float32]:
        """What the library's vectors are multiplied with, `(D,)`."""
        raise ApiError(404, "not_found", f"there is no picture {picture} any more; drop it again")
