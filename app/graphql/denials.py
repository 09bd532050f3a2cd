"""Records the refusals of an operation in the audit."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import FieldNode, GraphQLError

from app.domain.errors import AccessError
from app.services.audit import record_denial
from app.services.unit_of_work import UnitOfWork


async def record_denials(uow: UnitOfWork, errors: Iterable[GraphQLError]) -> None:
    """Have the refusals among an operation's errors written down, each with the name of its field."""
    for error in errors:
        node = error.nodes[0] if error.nodes else None
        if isinstance(error.original_error, AccessError) and isinstance(node, FieldNode):
            await record_denial(uow, error.original_error, node.name.value)
