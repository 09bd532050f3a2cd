"""What a unit of work has counted against limits, so that nothing is counted twice when it is run again."""

from __future__ import annotations

Key = tuple[str, ...]


class CountedOnce:
    """The hits of one unit of work; a key names the limit and whom it is about."""

    __slots__ = ("_before", "_hits")

    def __init__(self) -> None:
        self._hits: dict[Key, int] = {}
        self._before: dict[Key, int] = {}

    def begin_again(self) -> None:
        """Take note that all that was counted so far was counted by a run of which nothing is left."""
        for key, amount in self._hits.items():
            self._before[key] = self._before.get(key, 0) + amount
        self._hits.clear()

    def has_before(self, key: Key) -> bool:
        """Tell whether the next hit was counted by an earlier run."""
        return self._before.get(key, 0) > 0

    def add(self, key: Key) -> None:
        """Take note of a hit, whichever run has counted it."""
        if self.has_before(key):
            self._before[key] -= 1
        self._hits[key] = self._hits.get(key, 0) + 1

    def give_back(self, key: Key) -> bool:
        """Forget a hit that is given back; False if it is none of this unit's."""
        if self._hits.get(key, 0) == 0:
            return False
        self._hits[key] -= 1
        return True
