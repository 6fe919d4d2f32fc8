"""Remember in a library by which model of texts its passages are compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from moviola.core import Readout, Space, StoreCorruptError, display_path
from moviola.library.storage.state_files import read_state, write_state
from moviola.retrieve.meaning.vectors import TextEncoder

TEXT_MODEL_NAME = "text_model.json"
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ChosenTextModel:
    """Name the model of texts of a library.

    Attributes:
        model: its id on the hub or its folder.
        space: of exactly its weights.
        readout: how it reads passages.
    """

    model: str
    space: Space
    readout: Readout

    def require(self, encoder: TextEncoder) -> None:
        """Refuse a model that is not the one that was chosen, such as other weights of its name.

        Raises:
            SpaceMismatchError: naming every component that differs.
        """
        what = f"the text model {self.model} (choose it anew with 'moviola index --text-model')"
        self.space.require(encoder.space, what=what)
        self.readout.require(encoder.readout, what=what)

    def write(self, library: Path) -> None:
        """Keep it in the folder of a library, in the place of one that was there.

        Raises:
            StorageError: when it cannot be written.
        """
        write_state(library / TEXT_MODEL_NAME, {"schema": _SCHEMA} | asdict(self))

    @classmethod
    def read(cls, library: Path) -> Self | None:
        """Read the one of the library in the folder `library`, None where it has none.

        Raises:
            StoreCorruptError: when it cannot be understood, or a newer Moviola wrote it.
        """
        path = library / TEXT_MODEL_NAME
        try:
            parts: dict[str, Any] = read_state(path)
            if int(parts["schema"]) > _SCHEMA:
                raise ValueError(f"a newer Moviola wrote it (layout {parts['schema']})")  # noqa: TRY301 -- told like damage
            return cls(str(parts["model"]), Space(**parts["space"]), Readout(**parts["readout"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreCorruptError(
                f"the text model {display_path(path)} cannot be used ({error}); delete that file, "
                "or choose the model again with 'moviola index --text-model'"
            ) from error
