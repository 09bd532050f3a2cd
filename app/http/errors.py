"""Turns exceptions into the errors of a GraphQL answer; faults of our own are masked and logged."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from app.domain.errors import AccessCode, AccessError

_log = logging.getLogger(__name__)


def bad_request(message: str) -> AccessError:
    """Return the error for a malformed request."""
    return AccessError(AccessCode.BAD_REQUEST, message)


def present_access_error(error: AccessError) -> dict[str, Any]:
    """Return the entry for an error that the calling program must handle."""
    return {"message": error.message, "extensions": error.extensions}


def present_request_errors(code: AccessCode, errors: Iterable[GraphQLError]) -> list[dict[str, Any]]:
    """Return the error entries of a document or of variables that we do not execute."""
    return [_entry(error, error.message, {"code": code.value}) for error in errors]


def present_execution_errors(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """Return the error entries of an execution: ours in full, those about the input without values, others masked."""
    return [_present(error, request_id) for error in errors]


def present_bug(error: BaseException, request_id: str) -> dict[str, Any]:
    """Log an unexpected error, and return the entry, which says only how to find it in the log."""
    _log.error("Unexpected error", exc_info=error, extra={"request_id": request_id})
    return {"message": "Internal error", "extensions": _internal(request_id)}


def _present(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = _root_cause(error)
    if isinstance(cause, AccessError):
        return _entry(error, cause.message, cause.extensions)
    if error.path is None and isinstance(cause, GraphQLError):
        return _entry(error, error.message, {"code": AccessCode.BAD_REQUEST.value})
    _log.error("Unexpected error", exc_info=cause, extra={"request_id": request_id})
    return _entry(error, "Internal error", _internal(request_id))


def _root_cause(error: Exception) -> Exception:
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def _internal(request_id: str) -> dict[str, Any]:
    return {"code": AccessCode.INTERNAL.value, "requestId": request_id}


def _entry(error: GraphQLError, message: str, extensions: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": message}
    if error.locations is not None:
        entry["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        entry["path"] = error.path
    entry["extensions"] = extensions
    return entry
