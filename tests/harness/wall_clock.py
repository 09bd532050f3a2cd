"""How slow the machine is at this moment: what tests that read the wall clock multiply their limits with.

Only what no clock of the processor can show is measured so: that something waits, or ends, in time. A test that does
it is marked `wall_clock`, and `scripts/test` runs it when nothing else runs.
"""

from __future__ import annotations

import time

# Seconds of computing: long enough to be interrupted where others want the processor too.
_SAMPLE = 0.1


def slowness() -> float:
    """Return how many times longer than its computing some computing takes just now: 1 on a machine at rest."""
    began, computed = time.perf_counter(), time.thread_time()
    while time.thread_time() - computed < _SAMPLE:
        pass
    return max(1.0, (time.perf_counter() - began) / _SAMPLE)
