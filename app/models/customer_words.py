"""The index of the words by which staff find customers."""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger
from sqlmodel import Field

from app.domain.search_words import ORDER_KEY_LENGTH, WORD_LENGTH
from app.models.base import ID_LENGTH, TenantRow, searched_text


class CustomerWord(TenantRow, table=True):
    """A word of a customer. `shared` counts the letters with which the customer's order key begins too: `WordRow`.

    The primary key is in the order of the search, and has the customer's order key, so that nothing but the index is
    read until it is known who comes first.
    """

    __tablename__ = "customer_word"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
            # The last release deletes customers without knowing of their words.
            ondelete="CASCADE",
        ),
        Index("ix_customer_word_customer", "tenant_id", "customer_id"),
        {"sqlite_with_rowid": False},
    )

    shared: int = Field(primary_key=True, sa_type=SmallInteger)
    word: str = Field(primary_key=True, sa_type=searched_text(WORD_LENGTH))
    search_key: str = Field(primary_key=True, sa_type=searched_text(ORDER_KEY_LENGTH))
    customer_id: str = Field(primary_key=True, max_length=ID_LENGTH)
