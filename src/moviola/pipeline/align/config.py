"""Hold the settings of a fit, so that a run is one file in JSON or TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self, cast

from moviola.align.options import TrainOptions
from moviola.core import display_path
from moviola.core.json_text import decode_json

_TYPES: Mapping[str, tuple[type, ...]] = {
    "seed": (int,),
    "layers": (list, tuple),
    "heads": (int,),
    "epochs": (int,),
    "batch": (int,),
    "patience": (int,),
    "lr": (int, float),
}
_TRAINING = {
    "layers": "layers",
    "heads": "heads",
    "loss": "loss",
    "lr": "rate",
    "epochs": "epochs",
    "batch": "batch",
    "precision": "precision",
    "patience": "patience",
}


@dataclass(frozen=True, slots=True)
class FitConfig:
    """Hold the settings of a fit, named as the options of `moviola align fit`.

    Attributes:
        texts: as `moviola.pipeline.inputs.sources.parse_source` takes it.
        videos: likewise.
        caption_video: what says which text belongs to which video, where ids do not.
        method: as `moviola.align.fit.fit`.
        pool: how several rows an item become one.
        test_texts: captions of other videos to measure the finished head on.
        test_videos: those videos.
        test_caption_video: as `caption_video`.
        seed: of what is held out and drawn.
        layers: as `TrainOptions`, like all that follow.
        heads: of a transformer's attention.
        loss: a name, or `module:attribute`.
        lr: learning rate at its highest.
        epochs: at most.
        batch: videos or pairs a step.
        precision: of the arithmetic.
        patience: epochs without a better one.
        logger: `csv`, `tensorboard` or `wandb`.
    """

    texts: str
    videos: str
    caption_video: str | None = None
    method: str = "auto"
    pool: str | None = None
    test_texts: str | None = None
    test_videos: str | None = None
    test_caption_video: str | None = None
    seed: int = 0
    layers: tuple[int, ...] | None = None
    heads: int | None = None
    loss: str | None = None
    lr: float | None = None
    epochs: int | None = None
    batch: int | None = None
    precision: str | None = None
    patience: int | None = None
    logger: str = "csv"

    @property
    def training(self) -> TrainOptions:
        """Return the settings of the training.

        Raises:
            ValueError: when one is out of range.
        """
        return TrainOptions(**{theirs: getattr(self, ours) for ours, theirs in _TRAINING.items()})

    @classmethod
    def of(cls, given: Mapping[str, Any], *, where: str = "the settings") -> Self:
        """Make the settings from values by name; None is as good as not there.

        Args:
            given: the values.
            where: they come from, for messages.

        Raises:
            ValueError: naming what is missing, unknown or of another type.
        """
        known = {field.name for field in fields(cls)}
        values = {name.replace("-", "_"): each for name, each in given.items() if each is not None}
        for name, value in values.items():
            if name not in known:
                raise ValueError(
                    f"{where}: there is no setting {name!r}; there are {', '.join(sorted(known))}"
                )
            types = _TYPES.get(name, (str,))
            if isinstance(value, bool) or not isinstance(value, types):
                raise ValueError(  # noqa: TRY004 -- what a file says is a value
                    f"{where}: {name} is {types[0].__name__}, not {type(value).__name__} {value!r}"
                )
        for name in ("texts", "videos"):
            if name not in values:
                raise ValueError(f"{where}: {name} is missing; name it with --{name}")
        if "layers" in values:
            values["layers"] = _numbers(values["layers"], where)
        return cls(**values)

    @classmethod
    def read(cls, path: Path, changes: Mapping[str, Any] | None = None) -> Self:
        """Read the settings that a run wrote down, or that somebody wrote, in JSON or TOML.

        Args:
            path: of the file; names of files in it are taken from the folder of the call.
            changes: values that win over those of the file; None is no value.

        Raises:
            FileNotFoundError: when there is no such file.
            ValueError: when it is neither, or as `of`.
        """
        shown = display_path(path)
        try:
            if path.suffix.lower() == ".toml":
                found: object = tomllib.loads(path.read_text(encoding="utf-8"))
            else:
                found = decode_json(path.read_bytes())
        except FileNotFoundError:
            raise FileNotFoundError(f"there is no file {shown} of settings") from None
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{shown} is neither JSON nor TOML: {error}") from error
        if not isinstance(found, dict):
            raise ValueError(f"{shown} holds no settings by name")  # noqa: TRY004
        wanted = {name: each for name, each in (changes or {}).items() if each is not None}
        return cls.of(cast("dict[str, Any]", found) | wanted, where=str(shown))

    def to_json(self) -> str:
        """Serialise what differs from the defaults, as `read` takes it."""
        plain = {field.name: field.default for field in fields(self)}
        chosen = {name: each for name, each in asdict(self).items() if each != plain[name]}
        return json.dumps({"method": self.method, **chosen}, indent=1) + "\n"


def _numbers(values: list[object] | tuple[object, ...], where: str) -> tuple[int, ...]:
    if not all(isinstance(each, int) and not isinstance(each, bool) for each in values):
        raise ValueError(f"{where}: layers are whole numbers, not {list(values)}")
    return tuple(cast("list[int]", values))
