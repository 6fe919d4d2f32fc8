"""Watch the library that is served: open it when it appears, and keep up to date.

A thread of its own looks every second whether something was committed, loads it beside what is
shown, and swaps. So a search never waits for an index run, and never fails because of one.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from moviola.core import Encoder, MoviolaError
from moviola.library import Library, Snapshot
from moviola.library.storage.card import CARD_NAME
from moviola.pipeline.search.aligned_encoder import head_of, load_aligned
from moviola.pipeline.search.search import tell_damage
from moviola.pipeline.search.text_model import text_encoder_of
from moviola.retrieve.calibration.judges import Judge, judge_for
from moviola.retrieve.products import encode_directions
from moviola.retrieve.query import Query
from moviola.retrieve.texts import Texts
from moviola.serve.errors import ApiError, log_fault, problem
from moviola.serve.search.batching import Batcher

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from moviola.serve.settings import Settings

_LOG = logging.getLogger("moviola.serve")
_LOOK_SECONDS = 1.0
# Loading what was committed may take at most this share of the time, however large the library.
_LOADING_SHARE = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_PATIENCE_SECONDS = 60.0
_NEWS_SECONDS = 0.02

State = Literal["loading", "first_run", "ready", "mismatch", "damaged"]


@dataclass(frozen=True, slots=True)
class View:
    """One committed state, with the encoder and the batcher that it is asked through.

    Attributes:
        encoder: None for a library without vectors, as `batcher`.
    """

    library: Library
    encoder: Encoder | None
    snapshot: Snapshot
    batcher: Batcher | None
    generation: str
    judge: Judge | None
    texts: Texts | None

    def scores(
        self, texts: Sequence[str], pictures: Sequence[NDArray[np.float32]] = ()
    ) -> list[NDArray[np.float32]]:
        """Score all clips, `(n,)`, on each text, then on each picture.

        Raises:
            ApiError: 409 where the library has no vectors.
        """
        if self.batcher is None:
            raise _without_vectors()
        return self.batcher.scores(self.snapshot, texts, pictures)

    def looking(self) -> Encoder:
        """Give the encoder that pictures go through.

        Raises:
            ApiError: 409 where the library has no vectors.
        """
        if self.encoder is None:
            raise _without_vectors()
        return self.encoder

    @property
    def channel_names(self) -> list[str]:
        """List the channels that may be asked by their names."""
        read = self.texts.passages.channel_names if self.texts is not None else ()
        return sorted({*self.library.channel_names, *read})

    def sees(self, query: Query) -> bool:
        """Tell whether vectors of the library answer `query`."""
        return self.encoder is not None and query.is_seen


class LibraryWatch:
    """Watch the library at one place, in whatever state it is.

    Args:
        settings: where it lies.
        wanted: asked before every look; nothing is opened or loaded while it says no.
    """

    def __init__(self, settings: Settings, wanted: Callable[[], bool] = lambda: True) -> None:
        self._settings = settings
        self._wanted = wanted
        self._library: Library | None = None
        self._view: View | None = None
        self._fault: MoviolaError | None = None
        self._looked = threading.Event()  # the first look is over
        self._wake = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._keep, name="moviola-keep", daemon=True)

    def start(self) -> None:
        """Begin to look after the library."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking, and end the thread that answers."""
        self._stopped = True
        self._wake.set()
        self._thread.join()
        if self._view is not None and self._view.batcher is not None:
            self._view.batcher.close()

    def look(self) -> None:
        """Look for news now."""
        self._wake.set()

    def await_news(self, generation: str, seconds: float) -> None:
        """Look now, and wait until another state than `generation` is shown, at most `seconds`."""
        self.look()
        end = time.monotonic() + seconds
        while self.generation == generation and time.monotonic() < end:
            time.sleep(_NEWS_SECONDS)

    @property
    def exists(self) -> bool:
        """Tell whether there is a library at its place, open or not."""
        return self._library is not None or (self._settings.library / CARD_NAME).exists()

    @property
    def library(self) -> Library | None:
        """Give the library, None where there is none yet."""
        return self._library

    @property
    def fault(self) -> MoviolaError | None:
        """Tell what is wrong with the library or its model."""
        return self._fault

    @property
    def generation(self) -> str:
        """Name the state that is shown; the name changes with every commit."""
        return self._view.generation if self._view is not None else ""

    @property
    def state(self) -> State:
        """Tell in one word what can be done with it."""
        if self._fault is not None:
            return "mismatch" if problem(self._fault)[1] == "space_mismatch" else "damaged"
        if self._view is not None:
            return "ready" if self._library and self._library.videos() else "first_run"
        return "first_run" if self._looked.is_set() and self._library is None else "loading"

    def view(self) -> View:
        """Give what can be searched.

        Raises:
            MoviolaError: the library's fault, or its model's.
            ApiError: 404 where there is no library, 503 while the model is still being loaded.
        """
        found = self._view
        if found is None:
            self._looked.wait(_PATIENCE_SECONDS)
            found = self._view
        if self._fault is not None:
            raise self._fault
        if found is None and self._library is None and self._looked.is_set():
            raise ApiError(
                404, "no_library", "there is no library yet; index a folder, or make the demo"
            )
        if found is None:
            raise ApiError(
                503,
                "loading",
                "the model is still being loaded; try again in a moment",
                {"retry-after": "2"},
            )
        return found

    def opened(self) -> Library:
        """Give the library, whatever its model.

        Raises:
            MoviolaError: when it is damaged.
            ApiError: where there is none.
        """
        self._looked.wait(_PATIENCE_SECONDS)
        if self._library is None:
            if self._fault is not None:
                raise self._fault
            raise ApiError(
                404, "no_library", "there is no library yet; index a folder, or make the demo"
            )
        return self._library

    def _keep(self) -> None:
        """Look for news until stopped."""
        while not self._stopped:
            if not self._wanted():
                self._wake.wait(_LOOK_SECONDS)
                self._wake.clear()
                continue
            took = 0.0
            try:
                took = self._advance()
                self._fault = None
            except MoviolaError as error:
                self._fault = error
            except Exception as error:  # noqa: BLE001 -- told, and tried again
                log_fault("looking after the library", error)
                self._fault = MoviolaError(
                    f"the library or its model cannot be used: {type(error).__name__}: {error}"
                )
            self._looked.set()
            pause = max(_LOOK_SECONDS, took / _LOADING_SHARE - took)
            self._wake.wait(min(pause, _LONGEST_PAUSE_SECONDS))
            self._wake.clear()

    def _advance(self) -> float:
        """Show what was committed last.

        Returns:
            The seconds that it took. Loading the model is left out: that happens once, and says
            nothing about what the next look will cost.
        """
        began = time.monotonic()
        if self._library is None:
            try:
                self._library = Library.open(self._settings.library)
            except FileNotFoundError:
                return 0.0
        library = self._library
        news = library.advance()
        if self._view is not None and not news:
            return time.monotonic() - began
        loading = time.monotonic()
        encoder = self._view.encoder if self._view else self._encoder(library)
        loading = time.monotonic() - loading
        batcher = self._view.batcher if self._view else None
        snapshot = library.snapshot()
        if library.damage:
            _LOG.warning(tell_damage(library))
        judge = None
        if encoder is not None:
            batcher = batcher or Batcher(partial(encode_directions, library, encoder))
            judge = judge_for(library, encoder, snapshot)
        texts = Texts.of(library, text_encoder_of(library))
        self._view = View(library, encoder, snapshot, batcher, library.generation, judge, texts)
        _keep_out_of_collections()
        return time.monotonic() - began - loading

    @staticmethod
    def _encoder(library: Library) -> Encoder | None:
        """Load the encoder that the library was made with, None where that was without one."""
        if not library.card.has_vectors:
            return None
        encoder = load_aligned(library.card.model, head_of(library.path))
        library.require(
            space=encoder.space,
            video_readout=encoder.video_readout,
            text_readout=encoder.text_readout,
        )
        return encoder


def _without_vectors() -> ApiError:
    """Refuse what needs vectors."""
    return ApiError(
        409,
        "no_vectors",
        "this library was indexed without a model, so it is searched by words alone; a library "
        "that a model has looked at is made with moviola index FOLDER --library OTHER",
    )


def _keep_out_of_collections() -> None:
    """Let the garbage collector skip what is there now, the model and the records above all.

    It would look at all of it again every few hundred searches, and meanwhile, for a quarter of a
    second, answer nobody. What is not used any more is freed all the same unless it is in a cycle.
    """
    gc.collect(1)
    gc.freeze()
