"""Mixins: a shop's own data on a customer, JSON objects by name, within limits and by the schemas of the shop."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.errors import FieldError, UserErrorCode
from app.domain.texts import is_well_formed

MAXIMUM_BYTES = 16_384
MAXIMUM_DEPTH = 8
# Larger numbers lose digits in programs that read numbers as IEEE 754 doubles (RFC 7493 section 2.2).
_LARGEST_INTEGER = 2**53 - 1

Path = tuple[str, ...]


def check_mixins(mixins: object, schemas: Mapping[str, Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """Return all errors, each with its path inside `mixins`; an empty list if there are none.

    `mixins` must be a JSON object of objects: at most 16,384 bytes as JSON, 8 levels deep, with finite numbers and
    without NUL or lone surrogates. If the shop has schemas (`mixin_schemas.py`), each mixin
    must have one and match it, formats included. If it has none, any data is accepted.
    """
    faults = tuple(_limits(mixins, ()))
    if faults:
        return faults
    if not isinstance(mixins, dict):
        return (_fault((), "Please give a JSON object with one object for each mixin."),)
    if len(json.dumps(mixins, ensure_ascii=False, separators=(",", ":")).encode()) > MAXIMUM_BYTES:
        return (_fault((), f"Please use at most {MAXIMUM_BYTES} bytes for all mixins.", UserErrorCode.TOO_LONG),)
    found = (fault for name, mixin in mixins.items() for fault in _check_mixin(name, mixin, schemas))
    return tuple(dict.fromkeys(found))


def merge_patch(target: object, patch: object) -> object:
    """Return the target with the patch applied (RFC 7396): what is left out stays, null removes; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = _copy_object(target)
    # A list of open work instead of recursion, because the patch may be deeper than the stack.
    pending: list[tuple[dict[str, object], dict[str, object]]] = [(merged, patch)]
    while pending:
        into, changes = pending.pop()
        for name, value in changes.items():
            if value is None:
                into.pop(name, None)
            elif isinstance(value, dict):
                member = into[name] = _copy_object(into.get(name))
                pending.append((member, value))
            else:
                into[name] = value
    return merged


def _copy_object(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _limits(value: object, path: Path) -> Iterator[FieldError]:
    if not isinstance(value, dict | list):
        fault = _judge_leaf(value)
        if fault is not None:
            yield _fault(path, fault)
    elif len(path) >= MAXIMUM_DEPTH:
        yield _fault(path, f"Please nest the data at most {MAXIMUM_DEPTH} levels deep.")
    else:
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            if isinstance(name, str) and not is_well_formed(name):
                yield _fault(path, "Please use names without hidden characters.")
            else:
                yield from _limits(member, (*path, str(name)))


def _judge_leaf(value: object) -> str | None:
    match value:
        case str():
            return None if is_well_formed(value) else "Please use text without hidden characters."
        case int():
            good = abs(value) <= _LARGEST_INTEGER
            return None if good else f"Please use a number from -{_LARGEST_INTEGER} to {_LARGEST_INTEGER}."
        case float():
            return None if math.isfinite(value) else "Please use a finite number."
        case _:
            return None if value is None else "Please use JSON values only."


def _check_mixin(name: str, mixin: object, schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[FieldError]:
    if not isinstance(mixin, dict):
        yield _fault((name,), "Please give a JSON object for this mixin.")
    elif not schemas:
        return
    elif name not in schemas:
        yield _fault((name,), f"Please use one of the mixins that the shop has: {', '.join(sorted(schemas))}.")
    else:
        # Imported here because few shops have schemas, and it takes 4 MiB.
        from app.domain.mixin_schemas import judge_mixin

        yield from judge_mixin(name, mixin, schemas[name])


def _fault(path: Path, message: str, code: UserErrorCode = UserErrorCode.INVALID) -> FieldError:
    return FieldError(code, path, message)
