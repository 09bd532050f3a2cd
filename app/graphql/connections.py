"""What Relay connections share (GraphQL Cursor Connections Specification)."""

from __future__ import annotations

import strawberry
import strawberry.federation


@strawberry.federation.type(shareable=True, description="Where a page of a connection stands in the whole.")
class PageInfo:
    """Whether there is more, and the cursors of the first and the last of the page."""

    has_next_page: bool = strawberry.field(description="Whether more follow: ask again with `after: endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether any came before, as far as `after` tells.")
    start_cursor: str | None = strawberry.field(description="Null for an empty page.")
    end_cursor: str | None = strawberry.field(description="Null for an empty page.")
