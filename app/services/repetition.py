"""Runs a unit of work again when the database has ended it because of another one: three times, after growing pauses.

Nothing is left of such a unit. It is not run again when something else is: when a unit beside it was committed, as that
which counts the tries of a code or uses up what a provider is asked about, when a challenge or the old shop was asked,
or when counts were changed that a second run would change once more. A call with an `Idempotency-Key` is not either
once its COMMIT is refused, for its answer is made by then; the key makes it safe to send again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.domain.errors import ConflictError
from app.domain.tools import Tools

Result = TypeVar("Result")

MOST_REPETITIONS = 3
# Seconds that the first pause takes at most, and how much longer each of the others may be than the last.
_PAUSE, _GROWTH = 0.05, 4

_log = logging.getLogger(__name__)


async def pause_or_raise(tools: Tools, conflict: ConflictError, repeated: int, *, may_begin_again: bool = True) -> None:
    """Return when the unit may run again, after it was repeated so many times; raise the conflict where it may not."""
    if repeated >= MOST_REPETITIONS or not may_begin_again:
        tools.metrics.conflict_met("given_up")
        raise conflict
    tools.metrics.conflict_met("repeated")
    _log.info("A transaction is run again that another one was in the way of", extra={"repeated": repeated + 1})
    # 10 to 100 % of the longest, so that those that were in each other's way are so no more.
    await asyncio.sleep(_PAUSE * _GROWTH**repeated * int(tools.random.digits(3)) / 1000)


async def repeating(tools: Tools, work: Callable[[], Awaitable[Result]]) -> Result:
    """Do work that is one unit of work, and has no effect but that; it is run again after a conflict."""
    repeated = 0
    while True:
        try:
            return await work()
        except ConflictError as conflict:
            await pause_or_raise(tools, conflict, repeated)
        repeated += 1
