"""Confine a worker, so that what takes it over reaches little. Runs in the worker."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moviola.video.limits import Limits

try:
    import resource
except ImportError:  # Windows: the pool's clock is the only limit there
    resource = None


def limit_memory(limits: Limits) -> None:
    """Bound the address space of this process, and let it leave no core behind."""
    if resource is None:
        return
    with contextlib.suppress(ValueError, OSError):  # a tighter limit is in force already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = limits.memory_bytes if hard < 0 else min(limits.memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def limit_processor(seconds: float) -> None:
    """End this process by SIGXCPU should it compute for `seconds` more, pool or no pool."""
    if resource is None:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 5
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
