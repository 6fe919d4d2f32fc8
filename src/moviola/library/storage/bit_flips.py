"""Put a single flipped bit of a sealed file back where its checksum says that it was.

A CRC is linear: the checksums of a file and of the same file with one bit flipped differ by x^n
modulo the CRC's polynomial, and n tells the place of the bit. The polynomial is primitive, so
below 2^32 - 1 bits no two places look alike (Peterson and Brown, Cyclic Codes for Error Detection,
Proc. IRE 49, 1961). The logarithm is found in two times 2^16 steps (Shanks' baby and giant steps).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from moviola.library.storage.card import write_atomically
from moviola.library.storage.seals import FileSeal

_POLYNOMIAL = 0xEDB88320  # of CRC-32, its lowest power in the highest bit
_ONE = 0x80000000
_ORDER = (1 << 32) - 1
_STEPS = 1 << 16
# A CRC of 32 bits is that of the message times x^32.
_SHIFT = 32


def mend_flip(path: Path, seal: FileSeal) -> bool:
    """Put one flipped bit of a file back; return whether it is as it was sealed then.

    Raises:
        StorageError: when it cannot be written.
        OSError: when it cannot be read.
    """
    held = bytearray(path.read_bytes())
    found = FileSeal.of(path)
    if found.bytes != seal.bytes or found.crc == seal.crc or len(held) * 8 >= _ORDER:
        return found == seal
    power = (_logarithm(found.crc ^ seal.crc) - _SHIFT) % _ORDER
    place = len(held) * 8 - 1 - power
    if place < 0:
        return False  # more than one bit
    held[place // 8] ^= 1 << place % 8
    write_atomically(path, bytes(held))
    return FileSeal.of(path) == seal


def _times_x(value: int) -> int:
    return value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)


def _times(first: int, second: int) -> int:
    """Multiply two polynomials modulo that of the CRC."""
    product = 0
    for place in range(31, -1, -1):
        if second >> place & 1:
            product ^= first
        first = _times_x(first)
    return product


@cache
def _baby_steps() -> tuple[dict[int, int], int]:
    """Map x^0 .. x^(2^16 - 1) to their powers, and give x^(2^16)."""
    powers: dict[int, int] = {}
    value = _ONE
    for power in range(_STEPS):
        powers[value] = power
        value = _times_x(value)
    return powers, value


def _logarithm(value: int) -> int:
    """Find n with x^n = value."""
    powers, giant = _baby_steps()
    inverse = giant  # of x^(2^16): its power 2^32 - 2
    for _ in range(30):
        inverse = _times(_times(inverse, inverse), giant)
    inverse = _times(inverse, inverse)
    for step in range(_STEPS):
        if value in powers:
            return step * _STEPS + powers[value]
        value = _times(value, inverse)
    raise AssertionError("the polynomial is primitive: every value but 0 is a power of x")
