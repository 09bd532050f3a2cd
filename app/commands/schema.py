"""`schema`: what the gateway offers, as SDL."""

from __future__ import annotations

import sys

from app.graphql.schema import build_schema
from app.settings import Settings


def print_schema(_settings: Settings, *, federation: bool) -> None:
    """Print the SDL, for clients or for the composition with other subgraphs."""
    schema = build_schema()
    sys.stdout.write((schema.subgraph_sdl if federation else schema.as_str()) + "\n")
