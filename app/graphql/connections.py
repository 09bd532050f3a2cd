"""What Relay connections share (GraphQL Cursor Connections Specification)."""

from __future__ import annotations

import strawberry
import strawberry.federation


@strawberry.federation.type(shareable=True, description="Whether there are more pages, and how to read them.")
class PageInfo:
    """Whether there are more pages, and the cursors of the first and the last entry of this one."""

    has_next_page: bool = strawberry.field(description="Whether a page follows. Read it with `after: endCursor`.")
    has_previous_page: bool = strawberry.field(
        description="Whether a page came before this one: true if `after` was given."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry. Null if the page is empty.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last entry. Null if the page is empty.")
