"""Who was at it within a window: the members of the `distinct` limits, in this process or in Redis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

# KEYS: the set. ARGV: how many there may be, the window in seconds, and whoever wants in; nobody to only look.
# Returns the milliseconds to wait, 0 for none. Members are sorted by when they last came in.
ENTER = """
local moment = redis.call('TIME')
local now = moment[1] * 1000 + math.floor(moment[2] / 1000)
local window = ARGV[2] * 1000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local surplus = redis.call('ZCARD', KEYS[1]) - ARGV[1]
if surplus >= 0 then
    local leaving = redis.call('ZRANGE', KEYS[1], surplus, surplus, 'WITHSCORES')
    return math.max(1, leaving[2] + window - now)
end
if ARGV[3] then
    redis.call('ZADD', KEYS[1], now, ARGV[3])
    redis.call('PEXPIRE', KEYS[1], window)
end
return 0
"""


class MemberMemory:
    """Members in this process; `most` sets of them, of which the one that was longest at rest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sets: OrderedDict[str, dict[str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sets)

    def wait(self, key: str, amount: int, seconds: int, now: float) -> float:
        """Return how many seconds it takes until there are fewer than `amount` members; 0 for none."""
        members = self._sets.get(key)
        if members is None:
            return 0.0
        for member in [member for member, moment in members.items() if moment <= now - seconds]:
            del members[member]
        surplus = len(members) - amount
        if surplus < 0:
            return 0.0
        return _moments(members)[surplus] + seconds - now

    def enter(self, key: str, member: str, now: float) -> None:
        """Let somebody in, or note that somebody came again."""
        self._sets.setdefault(key, {})[member] = now
        self._sets.move_to_end(key)
        while len(self._sets) > self._most:
            self._sets.popitem(last=False)

    def leave(self, key: str, member: str) -> None:
        """Forget one member."""
        members = self._sets.get(key, {})
        members.pop(member, None)
        if not members:
            self._sets.pop(key, None)

    def clear(self, key: str) -> None:
        """Forget all members."""
        self._sets.pop(key, None)


def _moments(members: Mapping[str, float]) -> list[float]:
    return sorted(members.values())
