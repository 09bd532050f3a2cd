"""Records the refusals of an operation in the audit."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import FieldNode, GraphQLError

from app.domain.errors import AccessError
from app.services.audit import record_access_refusal
from app.services.unit_of_work import UnitOfWork


async def note_refusals(uow: UnitOfWork, errors: Iterable[GraphQLError]) -> None:
    """Record the refusals among an operation's errors, each with the name of its field."""
    for error in errors:
        node = error.nodes[0] if error.nodes else None
        if isinstance(error.original_error, AccessError) and isinstance(node, FieldNode):
            await record_access_refusal(uow, error.original_error, node.name.value)
