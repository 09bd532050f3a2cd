"""Reads the parameters of a GraphQL request from the body or the query string (GraphQL over HTTP, section 5)."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Any
from urllib.parse import parse_qsl

from app.domain.value_objects import value_object
from app.http.errors import bad_request
from app.http.strict_json import BadJsonError, read_json

_HASH = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


@value_object
class GraphQLRequest:
    """The parameters of one request, each of its right type.

    `known_as` is the hash of a persisted operation, in place of `query` or together with it.
    """

    query: str | None
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    known_as: str | None = None


def read_body(body: bytes) -> GraphQLRequest:
    """Return the parameters of a POST; raises `AccessError` BAD_REQUEST."""
    if not body:
        raise bad_request("The request has no body.")
    parameters = _read_json(body, "body")
    if isinstance(parameters, list):
        raise bad_request("Batching is not supported: send one operation per request.")
    if not isinstance(parameters, dict):
        raise bad_request("The body must be a JSON object.")
    return _read_parameters(parameters)


def read_query_string(query_string: bytes) -> GraphQLRequest:
    """Return the parameters of a GET; raises `AccessError` BAD_REQUEST."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError:
        raise bad_request("The query string is not URL-encoded UTF-8.") from None
    parameters: dict[str, Any] = {}
    for name, value in pairs:
        if name in parameters:
            raise bad_request("The query string has the same parameter twice.")
        parameters[name] = value
    if not parameters.get("operationName"):
        # Empty is the same as left out, in a query string (GraphQL over HTTP).
        parameters.pop("operationName", None)
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = _read_json(parameters[name].encode(), name)
    return _read_parameters(parameters)


def _read_json(text: bytes, what: str) -> Any:
    try:
        return read_json(text)
    except BadJsonError as error:
        raise bad_request(f"Cannot read the {what}: {error}") from None


def _read_parameters(parameters: dict[str, Any]) -> GraphQLRequest:
    query = parameters.get("query")
    name = parameters.get("operationName")
    variables = parameters.get("variables")
    extensions = parameters.get("extensions")
    if name is not None and not isinstance(name, str):
        raise bad_request("The parameter 'operationName' must be a string.")
    if variables is not None and not isinstance(variables, dict):
        raise bad_request("The parameter 'variables' must be an object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise bad_request("The parameter 'extensions' must be an object.")
    known_as = _read_hash((extensions or {}).get("persistedQuery"))
    if not (isinstance(query, str) or (query is None and known_as is not None)):
        raise bad_request("Give the document as a string in the parameter 'query'.")
    return GraphQLRequest(query, name, variables or {}, known_as)


def _read_hash(persisted: Any) -> str | None:
    """Return the hash of `extensions.persistedQuery`, as Apollo's clients and urql write it."""
    if persisted is None:
        return None
    known_as = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(known_as, str) or not _HASH.fullmatch(known_as) or persisted.get("version") != 1:
        raise bad_request("A persistedQuery must have the version 1 and a sha256Hash of 64 hexadecimal digits.")
    return known_as.lower()
