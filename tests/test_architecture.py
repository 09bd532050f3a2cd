"""The rules of the house, held by reading the source: a failure is the sentence that was broken, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import FunctionType

import pytest
from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, build_ast_schema, get_named_type, parse
from sqlalchemy import Table, UniqueConstraint
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from app.domain.errors import AccessCode, UnauthenticatedReason, UserErrorCode
from app.domain.principal import TokenKind
from app.graphql.fields import Allow
from app.graphql.schema import build_schema
from app.models import METADATA, TABLES
from app.models.base import TenantRow
from tests.harness.source import ROOT, Import, Module, read_modules

MODULES = read_modules("app")
TESTS = read_modules("tests")

# Each floor, and what it may see below. Rows are handed up as their models, so all that hand them on know those.
FLOORS: dict[str, set[str]] = {
    "domain": set(),
    "models": {"domain"},
    "repositories": {"models", "domain"},
    "services": {"models", "domain"},
    "graphql": {"services", "models", "domain"},
    "http": {"graphql", "services", "domain"},
    "adapters": {"domain"},
    "migrations": {"models"},
    "settings": {"domain"},
    "wiring": {"adapters", "settings", "domain"},
    "worker": {"services", "models", "domain"},
    "reloading": {"wiring", "domain"},
    "ending": set(),
    "packed": set(),
    "listening": {"http", "domain"},
    "server": {"ending", "listening", "packed", "wiring", "http", "settings"},
    "main": {"ending", "reloading", "worker", "wiring", "http", "graphql", "services", "settings", "domain"},
    "commands": {
        "ending",
        "server",
        "reloading",
        "worker",
        "wiring",
        "http",
        "graphql",
        "services",
        "settings",
        "domain",
    },
    "__main__": {"commands"},
}
# What one floor may not see, some of its files may.
DOORS: dict[str, set[str]] = {
    "app.services.unit_of_work": {"repositories"},
    "app.services.callers.lookups": {"repositories"},
    "app.wiring": {"repositories"},
}

# The rooms of a crowded floor from top to bottom: a room uses those that come later in its list, never an earlier one.
# Files that stand on the floor itself come last, in any room's reach; they use no room.
ROOMS: dict[str, tuple[str, ...]] = {
    "services": (
        "privacy",
        "worker",
        "staff",
        "sign_in",
        "social",
        "accounts",
        "sessions",
        "integrations",
        "outgoing",
        "callers",
    ),
    "adapters": ("tenants", "social", "keys", "database", "limits", "mail"),
}

ALL_ROOMS = {
    floor: {path.name for path in (ROOT / "app" / floor).iterdir() if path.is_dir()} - {"__pycache__"}
    for floor in ROOMS
}

# Who may import a library; a dotted name is one module, any other a floor.
OWNERS: dict[str, set[str]] = {
    "strawberry": {"graphql"},
    "graphql": {"graphql", "app.http.graphql", "app.http.errors"},
    "starlette": {"http", "main"},
    "uvicorn": {"server", "listening"},
    "pydantic_settings": {"settings"},
    "sqlmodel": {"models", "repositories"},
    "alembic": {"adapters", "migrations"},
    "jinja2": {"adapters", "app.http.pages"},
    "secrets": {"app.adapters.clock"},
    "random": {"app.adapters.clock"},
    "uuid": {"app.adapters.clock"},
    "uuid_utils": {"app.adapters.clock"},
    "time": {"app.adapters.clock"},
    "pyotp": {"app.domain.totp"},
    "socket": {"adapters", "listening", "server"},
    # A second SQLite, which must not meet the first one in one process.
    "sqlean": {"app.adapters.database.sqlite_page_file"},
    "tqdm": {"app.services.staff.import_files"},
    "ijson": {"app.domain.moving.json_records"},
    **{
        library: {"adapters"}
        for library in (
            "aiosmtplib",
            "argon2",
            "bcrypt",
            "asyncpg",
            "authlib",
            "cryptography",
            "httpx2",
            "joserfc",
            "limits",
            "opentelemetry",
            "prometheus_client",
            "redis",
            "smtplib",
            "sqlite3",
            "ssl",
            "standardwebhooks",
            "webauthn",
        )
    },
}
# What takes megabytes, and not every process needs, is imported by whoever knows that it is needed.
LATE_IMPORTS: dict[str, set[str]] = {
    "app.adapters.passkeys": {"app.adapters.webauthn_ceremonies"},
    "app.adapters.database.opening": {"app.adapters.database.postgresql", "app.adapters.database.sqlite"},
    "app.adapters.tenants.tables": {
        "app.adapters.mail.own_texts",
        "app.adapters.social.secrets",
        "app.domain.mixin_schemas",
    },
    "app.http.pages": {"jinja2"},
    "app.domain.mixins": {"app.domain.mixin_schemas"},
    "app.domain.web_origins": {"publicsuffixlist"},
    "app.domain.passwords": {"zxcvbn"},
    "app.wiring": {
        "app.adapters.challenges",
        "app.adapters.database.migrator",
        "app.adapters.limits.redis",
        "app.adapters.mail.previews",
        "app.adapters.mail.smtp",
        "app.adapters.mail.texts",
        "app.adapters.metrics",
        "app.adapters.social.providers",
        "app.adapters.traces",
        "app.adapters.webhooks",
        "app.repositories.sessions",
    },
}
STATEMENTS = {"select", "insert", "update", "delete"}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv"}
SYSTEM_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def owns(module: Module, owners: set[str]) -> bool:
    return module.floor in owners or module.name in owners


def broken_by(rule: Callable[[Module], Iterable[int]], modules: list[Module] = MODULES) -> list[str]:
    """Return the places where a rule is broken."""
    return [module.place(line) for module in modules for line in rule(module)]


def imports_where(module: Module, is_wrong: Callable[[Import], bool]) -> list[int]:
    return [each.line for each in module.imports if is_wrong(each)]


def own_floor(imported: Import) -> str:
    """Return the floor of an import from the program itself; `from app import x` names it after the import."""
    first, _, rest = imported.module.partition(".")
    if first != "app":
        return ""
    return rest.partition(".")[0] or imported.name


def room_of(module: str) -> str:
    """Return the room of a module such as app.services.accounts.signup; empty for a file on the floor itself."""
    _, floor, *rest = [*module.split("."), ""]
    return rest[0] if floor in ROOMS and rest[0] in ALL_ROOMS[floor] else ""


def rooms_in(imported: Import) -> set[str]:
    """Return the rooms that an import may mean: `from app.services import social` names one after the import."""
    return {room_of(imported.module), room_of(f"{imported.module}.{imported.name}")} - {""}


class TestFloors:
    @pytest.mark.parametrize("floor", sorted(FLOORS))
    def test_see_only_what_is_below_them(self, floor: str) -> None:
        def sees_too_much(module: Module) -> list[int]:
            if module.floor != floor:
                return []
            allowed = FLOORS[floor] | DOORS.get(module.name, set()) | {floor, ""}
            return imports_where(module, lambda each: own_floor(each) not in allowed)

        below = ", ".join(sorted(FLOORS[floor])) or "nothing of the app"
        assert broken_by(sees_too_much) == [], f"`{floor}` imports only: {below}."

    @pytest.mark.parametrize(("floor", "room"), [(floor, room) for floor in ROOMS for room in (*ROOMS[floor], "")])
    def test_have_rooms_that_use_only_those_below_them(self, floor: str, room: str) -> None:
        rooms = ROOMS[floor]
        below = rooms[rooms.index(room) + 1 :] if room else ()

        def sees_too_much(module: Module) -> list[int]:
            if module.floor != floor or room_of(module.name) != room:
                return []
            above = set(rooms) - {*below, room}
            return imports_where(
                module, lambda each: each.module.startswith(f"app.{floor}") and bool(rooms_in(each) & above)
            )

        name = f"{floor}/{room}" if room else f"A file on the floor of {floor} itself"
        assert broken_by(sees_too_much) == [], f"{name} uses no room above it, only: {', '.join(below) or 'none'}."

    @pytest.mark.parametrize("floor", sorted(ROOMS))
    def test_have_no_room_without_its_place(self, floor: str) -> None:
        rooms = {room_of(module.name) for module in MODULES if module.floor == floor} - {""}
        assert rooms == set(ROOMS[floor]), f"Every room of {floor} has its place in the order."

    def test_are_the_whole_program(self) -> None:
        floors = {module.floor for module in MODULES} - {"__init__"}
        assert floors <= set(FLOORS), "Every file of the program stands on a floor that has its rule here."

    def test_have_no_circle(self) -> None:
        names = {module.name for module in MODULES}
        graph = {
            module.name: {
                name
                for each in module.imports
                for name in (f"{each.module}.{each.name}", each.module)
                if name in names and name != module.name
            }
            for module in MODULES
        }
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            pytest.fail(f"There is no circle: {' imports '.join(error.args[1])}")


class TestImports:
    @pytest.mark.parametrize("library", sorted(OWNERS))
    def test_leave_a_library_to_its_owner(self, library: str) -> None:
        def takes_it(module: Module) -> list[int]:
            if owns(module, OWNERS[library]):
                return []
            return imports_where(module, lambda each: each.module.partition(".")[0] == library)

        owners = " and ".join(sorted(OWNERS[library]))
        assert broken_by(takes_it) == [], f"Outside {owners} nobody imports `{library}`."

    def test_leave_statements_to_the_repositories(self) -> None:
        def makes_statements(module: Module) -> list[int]:
            if module.floor == "repositories":
                return []
            return imports_where(
                module,
                lambda each: each.module.partition(".")[0] in {"sqlalchemy", "sqlmodel"} and each.name in STATEMENTS,
            )

        assert broken_by(makes_statements) == [], "Outside repositories nobody makes statements."

    def test_stand_at_the_top(self) -> None:
        def is_hidden(module: Module) -> list[int]:
            late = LATE_IMPORTS.get(module.name, set())
            return imports_where(module, lambda each: each.is_inside_function and each.module not in late)

        assert broken_by(is_hidden, MODULES + TESTS) == [], (
            "There is no import inside a function, but of what few need."
        )


class TestSurroundings:
    def mentions(self, names: set[str], *owners: str) -> list[str]:
        def does(module: Module) -> list[int]:
            if owns(module, set(owners)):
                return []
            from_os = imports_where(module, lambda each: f"{each.module}.{each.name}" in names)
            return from_os + [line for name, line in module.attributes() if name in names]

        return broken_by(does)

    def test_the_environment_is_read_by_the_settings_alone(self) -> None:
        assert self.mentions(ENVIRONMENT, "settings") == [], "Nobody but the settings reads the environment."

    def test_the_time_comes_from_the_clock_alone(self) -> None:
        assert self.mentions(SYSTEM_CLOCK, "app.adapters.clock") == [], "Nobody but adapters/clock reads the time."

    def test_transactions_end_in_the_unit_of_work_alone(self) -> None:
        def ends_it(module: Module) -> list[int]:
            # The others are connections themselves, and pass on what the unit of work asks of them.
            connections = {"app.services.one_at_a_time", "app.services.visit_connection"}
            if owns(module, {"adapters", "app.services.unit_of_work", *connections}):
                return []
            return [line for name, line in module.attributes() if name.endswith((".commit", ".rollback"))]

        assert broken_by(ends_it) == [], "Services never commit: returning commits, raising rolls back."


class TestRows:
    def test_get_another_type_where_they_are_presented_alone(self) -> None:
        def casts(module: Module) -> list[int]:
            if owns(module, {"adapters", "app.graphql.presenting"}):
                return []
            return imports_where(module, lambda each: (each.module, each.name) == ("typing", "cast")) + [
                line for name, line in module.attributes() if name == "typing.cast"
            ]

        assert broken_by(casts) == [], "Rows have their true types: outside adapters and presenting nobody casts."

    @pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
    def test_have_all_that_their_model_has(self, model: type[TenantRow]) -> None:
        own = {
            name
            for each in model.__mro__[: model.__mro__.index(TenantRow)]
            for name, member in vars(each).items()
            if isinstance(member, FunctionType | property | classmethod | staticmethod) and not name.startswith("_")
        }
        assert own == set(), "A row has columns and nothing else, so a model has no methods."


class TestFiles:
    def test_open_with_their_duty(self) -> None:
        def is_silent(module: Module) -> list[int]:
            first = module.tree.body[0] if module.tree.body else None
            text = getattr(getattr(first, "value", None), "value", None)
            return [] if isinstance(text, str) and text.strip() else [1]

        assert broken_by(is_silent, MODULES + TESTS) == [], "Every file opens with one sentence that gives its duty."

    def test_have_names_that_say_what_is_in_them(self) -> None:
        hollow = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}

        def words(name: str) -> set[str]:
            return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}

        def file_says_nothing(module: Module) -> list[int]:
            return [1 for part in module.path.relative_to(ROOT).parts if words(part) & hollow]

        def class_says_nothing(module: Module) -> list[int]:
            return [line for name, line in module.classes() if words(name) & hollow]

        broken = broken_by(file_says_nothing, MODULES + TESTS) + broken_by(class_says_nothing)
        assert broken == [], "There are no utils, helpers, common or managers."

    @pytest.mark.parametrize("script", sorted((ROOT / "scripts").rglob("*")), ids=lambda path: str(path.name))
    def test_scripts_are_short(self, script: Path) -> None:
        if script.is_file() and not script.suffix:
            assert len(script.read_text().splitlines()) < 30, "A script is under 30 lines."


def unique_keys(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the columns of everything that is unique in a table."""
    yield f"primary key of {table.name}", [column.name for column in table.primary_key]
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield f"{constraint.name} of {table.name}", [column.name for column in constraint.columns]
    for index in table.indexes:
        if index.unique:
            yield f"{index.name} of {table.name}", [column.name for column in index.columns]


class TestTables:
    @pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: str(table.name))
    def test_belong_to_a_tenant_in_every_unique_key(self, table: Table) -> None:
        assert "tenant_id" in table.c, "Every table has tenant_id."
        without = [name for name, columns in unique_keys(table) if "tenant_id" not in columns]
        assert without == [], "tenant_id is part of every unique key."

    @pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: str(table.name))
    def test_refer_to_rows_of_their_own_tenant(self, table: Table) -> None:
        without = [
            str(constraint.name)
            for constraint in table.foreign_key_constraints
            if "tenant_id" not in constraint.column_keys
        ]
        assert without == [], "A foreign key includes tenant_id."

    def test_are_all_listed(self) -> None:
        listed = {model.__table__.name for model in TABLES}
        assert {table.name for table in METADATA.sorted_tables} == listed, "Every table is in models.TABLES."


SCHEMA = build_schema()
SDL = SCHEMA.as_str() + "\n"
TYPES = build_ast_schema(parse(SDL)).type_map
CODES = {code.value for codes in (UserErrorCode, AccessCode, UnauthenticatedReason, TokenKind) for code in codes}


def root_fields() -> Iterator[tuple[str, StrawberryField, GraphQLField]]:
    """Yield each root field's name, as the code declares it and as the SDL shows it."""
    for root in ("Query", "Mutation"):
        declared = SCHEMA.get_type_by_name(root)
        shown = TYPES[root]
        assert isinstance(declared, StrawberryObjectDefinition)
        assert isinstance(shown, GraphQLObjectType)
        for field in declared.fields:
            name = SCHEMA.config.name_converter.get_graphql_name(field)
            yield name, field, shown.fields[name]


ROOT_FIELDS = {name: (declared, shown) for name, declared, shown in root_fields()}
# What a payload says of an account even where the answer is a refusal: then nothing.
TOLD_IN_ANY_CASE = {"remarks", "keptUnprovenData", "otherSignInMethods"}
MUTATIONS = sorted(getattr(TYPES["Mutation"], "fields", {}))


def description(name: str) -> str:
    return ROOT_FIELDS[name][1].description or ""


class TestRootFields:
    @pytest.mark.parametrize("name", sorted(ROOT_FIELDS))
    def test_declare_who_may_call_them(self, name: str) -> None:
        rules = [each for each in ROOT_FIELDS[name][0].directives if isinstance(each, Allow)]
        assert len(rules) == 1, "Every root field declares who may call it."

    @pytest.mark.parametrize("name", sorted(ROOT_FIELDS))
    def test_describe_who_and_which_errors(self, name: str) -> None:
        text = description(name)
        assert re.search(r"^Who: ", text, re.MULTILINE), "Every description says who may call it."
        assert re.search(r"^Errors: ", text, re.MULTILINE), "Every description names each error and what to do."
        (rule,) = [each for each in ROOT_FIELDS[name][0].directives if isinstance(each, Allow)]
        if rule.kinds:
            assert "`UNAUTHENTICATED`" in text, "What wants a token says what comes without one."
            if set(rule.kinds) != set(TokenKind):
                assert "`FORBIDDEN`" in text, "What is not for every token says what comes for the others."

    @pytest.mark.parametrize("name", MUTATIONS)
    def test_describe_the_user_errors_of_a_mutation(self, name: str) -> None:
        assert re.search(r"^User errors: ", description(name), re.MULTILINE), "Every mutation names its user errors."

    @pytest.mark.parametrize("name", MUTATIONS)
    def test_take_one_input_and_give_a_payload_of_nullable_results(self, name: str) -> None:
        shown = ROOT_FIELDS[name][1]
        assert set(shown.args) <= {"input"}, "A mutation takes one `input`."
        payload = get_named_type(shown.type)
        assert isinstance(shown.type, GraphQLNonNull), "A payload is never null."
        assert isinstance(payload, GraphQLObjectType)
        assert payload.name.endswith("Payload"), "A mutation gives a …Payload."
        results = {key: field.type for key, field in payload.fields.items()}
        assert str(results.pop("userErrors", None)) == "[UserError!]!", "A payload has `userErrors`."
        always = {key for key, type_ in results.items() if isinstance(type_, GraphQLNonNull)}
        assert always <= TOLD_IN_ANY_CASE, "The results of a payload are nullable."


class TestSchemaFile:
    def test_shows_the_same_when_it_is_built_again(self) -> None:
        assert build_schema.__wrapped__().as_str() == SCHEMA.as_str()

    def test_is_the_schema(self) -> None:
        assert (ROOT / "schema.graphql").read_text() == SDL, "schema.graphql is the schema: run scripts/schema."
