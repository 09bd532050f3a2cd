"""Which kinds of hashes from other systems there are, so that the time of a refused login does not tell who has one."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OURS = "$argon2id$v=19$m=19456,t=2,p=1$"
_AT_ONCE = 10_000
_BCRYPT_SALTED = 53
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


def upgrade() -> None:
    """Bring the database to this revision, with the kinds of the hashes that it has."""
    kinds = op.create_table(
        "password_hash_kind",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind"),
    )
    found: set[tuple[str, str]] = set()
    hashes = sa.table("credential", sa.column("tenant_id"), sa.column("password_hash"))
    statement = sa.select(hashes.c.tenant_id, hashes.c.password_hash).where(
        hashes.c.password_hash.is_not(None), sa.not_(hashes.c.password_hash.startswith(_OURS, autoescape=True))
    )
    for rows in op.get_bind().execute(statement).partitions(_AT_ONCE):
        found.update((row.tenant_id, _kind_of(row.password_hash)) for row in rows)
    if found:
        op.bulk_insert(kinds, [{"tenant_id": tenant_id, "kind": kind} for tenant_id, kind in sorted(found)])


def _kind_of(encoded: str) -> str:
    """Return a hash of the same kind and cost that has nothing of this one, as the program of this revision does."""
    if found := _BCRYPT.search(encoded):
        return encoded[: found.end() - _BCRYPT_SALTED] + "." * _BCRYPT_SALTED
    parts = encoded.split("$")
    for place in (2 if encoded.startswith("scrypt$") else -2, -1):
        parts[place] = re.sub("[^=]", "A", parts[place])
    return "$".join(parts)
