"""Everything that the routes need, in one place, made once a server."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request  # noqa: TC002 -- FastAPI looks at the annotation

from moviola.library import VideoRecord
from moviola.serve.errors import ApiError
from moviola.serve.favourites import Favourites
from moviola.serve.folders import Folders
from moviola.serve.indexing.runs import IndexRun
from moviola.serve.limiter import SlowLane
from moviola.serve.media.media import Studio
from moviola.serve.presenters import Teller
from moviola.serve.search.library_watch import LiveLibrary
from moviola.serve.search.pictures import Pictures
from moviola.serve.search.searcher import Searcher
from moviola.serve.settings import Settings


@dataclass(slots=True)
class Desk:
    """The parts of one server."""

    settings: Settings
    live: LiveLibrary
    teller: Teller
    pictures: Pictures
    searcher: Searcher
    studio: Studio
    favourites: Favourites
    indexing: IndexRun
    glances: SlowLane
    slow: SlowLane
    _folders: tuple[str, Folders] | None = field(default=None, repr=False)
    _records: tuple[str, dict[str, VideoRecord]] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Desk:
        """The parts, made but not started."""
        library = settings.library
        studio = Studio(library)
        pictures = Pictures(library, studio, settings.most_pixels)
        return cls(
            settings,
            LiveLibrary(settings),
            Teller(show_paths=settings.show_paths),
            pictures,
            Searcher(),
            studio,
            Favourites(library),
            IndexRun(library),
            glances=SlowLane(together=2, waiting=500),
            slow=SlowLane(together=2, waiting=20),
        )

    def close(self) -> None:
        """End everything that was started."""
        self.indexing.close()
        self.live.stop()
        self.studio.close()

    def folders(self) -> Folders:
        """The folders of what is shown."""
        library = self.live.opened()
        generation, kept = library.generation, self._folders
        if kept is None or kept[0] != generation or not generation:
            kept = generation, Folders.of(library.videos(), absolute=self.settings.show_paths)
            self._folders = kept
        return kept[1]

    def record(self, video: str) -> VideoRecord:
        """The record of a video.

        Raises:
            ApiError: 404 where there is none.
        """
        library = self.live.opened()
        generation, kept = library.generation, self._records
        if kept is None or kept[0] != generation or not generation:
            kept = generation, {record.id: record for record in library.videos()}
            self._records = kept
        if video not in kept[1]:
            raise ApiError(404, "not_found", "there is no such video in the library any more")
        return kept[1][video]


async def desk_of(request: Request) -> Desk:
    """The desk of the server that answers `request`; a coroutine, for others cost a thread."""
    return request.app.state.desk
