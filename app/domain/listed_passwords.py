"""The 600,000 most used passwords that anybody may read, as a Bloom filter: offline, in 1.4 MB that processes share.

`listed_passwords.bin` is the filter. `scripts/listed-passwords` makes it from the lists of SecLists (MIT, by Daniel
Miessler and others), of which it has no word. It never misses a password of the lists; of all others it takes about
one in 5,000 for one of them.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path

FILE = Path(__file__).with_name("listed_passwords.bin")
BITS_PER_PASSWORD = 18
# The best number for that many bits: ln 2 times as many.
_PROBES = 12


def is_listed(folded: str) -> bool:
    """Tell whether the password, in lower case, is one of the lists."""
    bits = _read()
    return all(bits[place >> 3] & 1 << (place & 7) for place in _places(folded, 8 * len(bits)))


def make_filter(passwords: Iterable[str]) -> bytes:
    """Return the filter of these passwords, each of which must be in lower case already."""
    wanted = set(passwords)
    bits = bytearray(-(-len(wanted) * BITS_PER_PASSWORD // 8))
    for password in wanted:
        for place in _places(password, 8 * len(bits)):
            bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


@cache
def _read() -> mmap.mmap:
    # Mapped, not read: a process that judges no password has nothing of it, and all processes have it once.
    with FILE.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _places(password: str, size: int) -> Iterator[int]:
    """Yield the bits of a password: double hashing (Kirsch and Mitzenmacher, 2006)."""
    digest = blake2b(password.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first, step = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return ((first + index * step) % size for index in range(_PROBES))
