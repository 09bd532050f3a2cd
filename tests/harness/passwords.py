"""Passwords that are hashed at little cost: argon2id as in production took half of what most tests take.

What a hash costs, and the journey through a whole shop, are tested at production's cost: by real server processes,
which know nothing of this, by the adapter's own tests, and by tests that ask for `costly_passwords`.
"""

from __future__ import annotations

from argon2 import PasswordHasher

from app.adapters.keys.passwords import Argon2Passwords


class CheapPasswords(Argon2Passwords):
    """argon2id as in production at a hundredth of its cost."""

    _CHEAP = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1)
    _DUMMY = _CHEAP.hash("nobody's")

    def __init__(self, *, threads: int, waiting: int = 64) -> None:
        super().__init__(threads=threads, waiting=waiting)
        self._hasher, self._dummy = self._CHEAP, self._DUMMY
