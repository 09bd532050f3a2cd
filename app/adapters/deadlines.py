"""Ends of spans of time by a clock that may be set back meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta


def is_still_ahead(end: datetime | None, now: datetime, longest: timedelta) -> bool:
    """Tell whether the span goes on that ends then; `None` is no span.

    One that would go on for more than the `longest` has ended: nobody began such a span, so the clock was set back.
    """
    return end is not None and timedelta(0) < end - now <= longest
