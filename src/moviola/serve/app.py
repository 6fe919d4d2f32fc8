"""Put the application together: routes behind the security middleware."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from moviola.core.version import __version__
from moviola.serve.errors import install
from moviola.serve.page import page_routes
from moviola.serve.routes import (
    channels,
    export,
    favourites,
    forgetting,
    media,
    passages,
    pictures,
    search,
    status,
    videos,
)
from moviola.serve.schemas import ErrorAnswer
from moviola.serve.security import SecurityMiddleware
from moviola.serve.settings import Settings
from moviola.serve.state import ServedLibraries

# Threads that answer: a search mostly waits for its batch, and many may wait together.
_THREADS = 128


def create_app(settings: Settings) -> SecurityMiddleware:
    """Make the server's application; `.app` is the FastAPI application within the middleware.

    Whoever runs it runs its lifespan too: that opens the library and begins to look after it.
    """
    libraries = ServedLibraries.of(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        """Open the library before the first request, and end everything after the last."""
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        libraries.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(libraries.close)

    app = FastAPI(
        title="Moviola",
        summary="Find the moment in a video that a sentence describes.",
        version=__version__,
        docs_url=None,  # these pages load their scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        responses={"4XX": {"model": ErrorAnswer}, "5XX": {"model": ErrorAnswer}},
    )
    app.state.libraries = libraries
    install(app, settings.hide)
    for room in (
        *(search, videos, passages, status, channels, pictures),
        *(media, export, favourites, forgetting),
    ):
        app.include_router(room.router)
    app.include_router(page_routes())
    return SecurityMiddleware(app, settings)
