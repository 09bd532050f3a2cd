"""What a change of the models needs and is easily forgotten: said before the tests, sixty of which would fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine
from sqlalchemy.schema import SchemaItem

from app.adapters.database.migrator import migrate
from app.models import METADATA, TABLES
from app.models.personal_data import IMPERSONAL_TABLES, PERSONAL_TABLES


def omissions(metadata: MetaData = METADATA) -> list[str]:
    """Return a sentence for each thing that is missing: to be listed, migrated, or decided about."""
    return [*_not_listed(metadata), *_not_migrated(metadata), *_not_decided(metadata)]


def _not_listed(metadata: MetaData) -> Iterator[str]:
    listed = {model.__table__.name for model in TABLES}
    for name in sorted(metadata.tables.keys() - listed):
        yield f"The table {name} is missing in TABLES of app/models/__init__.py."


def _not_migrated(metadata: MetaData) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'gateway.db'}"
        migrate(url)
        engine = create_engine(url)
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), metadata)
        engine.dispose()
    for difference in differences:
        yield f"A migration is missing in app/migrations/versions: {_describe(difference)}."


def _describe(difference: Any) -> str:
    """Return one of Alembic's differences in words: a tuple of what to do and with what, or a list of such."""
    if isinstance(difference, list):
        return ", ".join(map(_describe, difference))
    action: str = difference[0]
    subject = " ".join(_name(part) for part in difference[1:] if isinstance(part, str | SchemaItem))
    return f"{action.replace('_', ' ')} {subject}"


def _name(part: str | SchemaItem) -> str:
    return part if isinstance(part, str) else str(getattr(part, "name", part))


def _not_decided(metadata: MetaData) -> Iterator[str]:
    decided: dict[str, set[str]] = {
        **{model.__table__.name: set(columns) for model, columns in IMPERSONAL_TABLES.items()},
        **{table.model.__table__.name: {*table.shown, *table.withheld} for table in PERSONAL_TABLES},
    }
    for name, table in sorted(metadata.tables.items()):
        for column in table.columns:
            if column.name != "tenant_id" and column.name not in decided.get(name, ()):
                yield (
                    f"app/models/personal_data.py does not know {name}.{column.name}: "
                    "decide what a customer is shown of it, and what becomes of it at the erasure."
                )
