"""Ids of visits: UUIDv7 (RFC 9562) with the time to the microsecond in them, so that no column need hold it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION = 7
_VARIANT = 0b10
_TAIL_BITS = 62


def visit_id_at(moment: datetime, secret: bytes) -> bytes:
    """Return the 16 bytes of a new id: method 3 of RFC 9562, section 6.2, and 62 of these random bits."""
    return _id(moment, int.from_bytes(secret) & ((1 << _TAIL_BITS) - 1))


def first_visit_id_at(moment: datetime) -> bytes:
    """Return what is no greater than any id of a visit that begins then or later."""
    return _id(moment, 0)


def begun_at(visit_id: bytes) -> datetime:
    """Return when the visit of this id has begun."""
    number = int.from_bytes(visit_id)
    fraction = number >> 64 & 0xFFF
    return _EPOCH + timedelta(milliseconds=number >> 80, microseconds=fraction * 1000 >> 12)


def text_of(visit_id: bytes) -> str:
    """Return the id in its canonical text form: that of the session."""
    digits = visit_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _id(moment: datetime, tail: int) -> bytes:
    milliseconds, microseconds = divmod((moment - _EPOCH) // _MICROSECOND, 1000)
    # Rounded up, so that rounding down finds the same microsecond again.
    fraction = (microseconds << 12) // 1000 + (1 if microseconds else 0)
    number = milliseconds << 80 | _VERSION << 76 | fraction << 64 | _VARIANT << _TAIL_BITS | tail
    return number.to_bytes(16)
