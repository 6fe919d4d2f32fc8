"""EmbeddingGemma 2 of Google (2026): parameters and revision as mteb 2.26 states them.

Its texts are read by the language model alone, 271 of 744 million weights.
"""

from __future__ import annotations

from moviola.core import KnownModel, ModelFamily, Source

FAMILY = ModelFamily(
    loader="moviola.encode.embedding_gemma.loading:load",
    summary="EmbeddingGemma 2: texts, pictures, sound and clips by a small language model",
    types=("embedding_gemma2",),
    models=(
        KnownModel(
            name="embeddinggemma-2",
            sources=(
                Source(
                    "google/embeddinggemma-2",
                    revision="914f7f89142e33e77833254d9c9b90c3cef7303b",
                ),
            ),
            dimension=768,
            parameters=744_000_000,
            licence="Gemma (mteb); Apache-2.0 (Google's page)",
            summary="EmbeddingGemma 2: a frame a second, many languages; 1.1 GB of memory for "
            "texts alone, 3 GB with clips; seconds a clip on a CPU",
        ),
    ),
)
