"""Who may call which root field, as the schema declares it, and the table of it in app/graphql/README.md.

`python -m tests.harness.access` rewrites that table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from graphql import GraphQLField, GraphQLSchema

from app.domain.principal import TokenKind
from app.graphql.fields import Allow
from app.graphql.schema import build_schema
from tests.harness.source import ROOT

README = ROOT / "app" / "graphql" / "README.md"
BEGIN = "<!-- Made by scripts/schema: -->"
END = "<!-- until here -->"
MAY = "✓"


class Bearer(StrEnum):
    """Whoever may come with a token, or without one; the words are the head of the table."""

    NOBODY = "no token"
    ANONYMOUS = "anonymous"
    CUSTOMER = "customer"
    FORMER = "inactive customer"
    ON_BEHALF = "on behalf"
    INTEGRATION = "integration"
    SCOPED_INTEGRATION = "with the scope"
    STRANGER = "other shop"


_KINDS = {
    Bearer.ANONYMOUS: TokenKind.ANONYMOUS,
    Bearer.CUSTOMER: TokenKind.CUSTOMER,
    Bearer.STRANGER: TokenKind.CUSTOMER,
    Bearer.ON_BEHALF: TokenKind.ON_BEHALF,
    Bearer.INTEGRATION: TokenKind.INTEGRATION,
    Bearer.SCOPED_INTEGRATION: TokenKind.INTEGRATION,
}


class Verdict(StrEnum):
    """What a bearer is told."""

    ALLOWED = MAY
    UNAUTHENTICATED = "U"
    FORBIDDEN = "F"


@dataclass(frozen=True, slots=True)
class RootField:
    """A root field with its rule: who may call it."""

    root: str
    name: str
    shown: GraphQLField
    rule: Allow

    @property
    def scopes(self) -> str:
        """What an integration needs, for the table."""
        of_owner = f"`{self.rule.owner_scope}`, of the owner too" if self.rule.owner_scope else ""
        return f"`{self.rule.scope}`" if self.rule.scope else of_owner

    @property
    def session_scope(self) -> str | None:
        """The word for it in the scope of a session's token."""
        return self.rule.session_scope or None

    def verdict(self, bearer: Bearer) -> Verdict:
        """Return what the rule means for this bearer."""
        if not self.rule.kinds:
            return Verdict.ALLOWED
        kind = _KINDS.get(bearer)
        if kind is None:
            return Verdict.UNAUTHENTICATED
        lacks_scope = bearer is Bearer.INTEGRATION and bool(self.scopes)
        return Verdict.FORBIDDEN if kind not in self.rule.kinds or lacks_scope else Verdict.ALLOWED


def root_fields() -> Iterator[RootField]:
    """Yield every root field of the schema; raises `ValueError` for one that has no rule."""
    served = served_schema()
    for root in filter(None, (served.query_type, served.mutation_type, served.subscription_type)):
        for name, shown in root.fields.items():
            yield RootField(root.name, name, shown, rule_of(root.name, name, shown))


def served_schema() -> GraphQLSchema:
    """Return the schema as it is served, with whatever the libraries have added to it."""
    return build_schema()._schema


def rule_of(root: str, name: str, shown: GraphQLField) -> Allow:
    """Return the rule that a root field declares; raises `ValueError` when there is none."""
    declared = shown.extensions.get("strawberry-definition")
    rules = [each for each in getattr(declared, "directives", ()) if isinstance(each, Allow)]
    if len(rules) != 1:
        raise ValueError(f"{root}.{name} does not declare who may call it.")
    return rules[0]


def table(rows: Iterable[tuple[RootField, Mapping[Bearer, Verdict]]]) -> str:
    """Return the rows as Markdown: what each bearer of a token is told, with the scopes that stand for it."""
    lines = [["operation", *Bearer, "`scope` of a session"], ["---", *[":-:"] * len(Bearer), "---"]]
    for field, verdicts in rows:
        cells = [verdicts[bearer].value for bearer in Bearer]
        if field.scopes:
            cells[list(Bearer).index(Bearer.SCOPED_INTEGRATION)] += f" {field.scopes}"
        lines.append([f"`{field.name}`", *cells, f"`{field.session_scope}`" if field.session_scope else ""])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def declared_table() -> str:
    """Return the table as the rules of the schema make it."""
    return table((field, {bearer: field.verdict(bearer) for bearer in Bearer}) for field in root_fields())


def read_table() -> str:
    """Return the table that stands there."""
    return README.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def write_table() -> None:
    """Put the table of the schema there, between its marks."""
    before, begin, rest = README.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    README.write_text(f"{before}{begin}\n{declared_table()}\n{end}{after}")


if __name__ == "__main__":
    write_table()
