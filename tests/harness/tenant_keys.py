"""Every key of a tenants file, as the models declare it, and the tables of them in the README beside their adapter.

`python -m tests.harness.tenant_keys` rewrites those tables. What a key means is the docstring below its field.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.adapters.social.presets import PRESETS
from app.adapters.tenants.faults import FILE_KEYS
from app.domain.tenants import Mixin, Site, SocialProvider, Tenant
from tests.harness.source import ROOT

README = ROOT / "app" / "adapters" / "tenants" / "README.md"
BEGIN = "<!-- Made by scripts/schema: -->"
END = "<!-- until here -->"

# Tables of tables, each of which has a name; that name is no key.
_NAMED = {"sites", "mixins"}
_NAMES_OF_TABLES: set[tuple[type[BaseModel], str]] = {(Tenant, "id"), (Site, "id"), (Mixin, "name")}
_UNITS = {
    "_months": "months",
    "_days": "days",
    "_seconds": "seconds",
    "_hours": "hours",
    "_bytes": "bytes",
    "_per_second": "a second",
    "_per_minute": "a minute",
    "_per_5_minutes": "in 5 minutes",
    "_per_10_minutes": "in 10 minutes",
    "_per_hour": "an hour",
    "_per_day": "a day",
}
_LENGTHS = ("password_min_length", "password_max_length")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file; `default` is TOML, or says in words that there is none."""

    name: str
    type: str
    default: str
    unit: str
    meaning: str

    @property
    def row(self) -> str:
        """Its row of the table."""
        cells = (f"`{self.name}`", self.type, self.default, self.unit, self.meaning)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the file with its keys, as the README shows it."""

    head: str
    about: str
    keys: tuple[Key, ...]

    @property
    def text(self) -> str:
        """The section as Markdown."""
        rows = "\n".join(key.row for key in self.keys)
        head = "| key | type | default | unit | meaning |\n| --- | --- | --- | --- | --- |"
        return f"### `{self.head}`\n\n{self.about}\n\n{head}\n{rows}"


def sections() -> Iterator[Section]:
    """Yield every table of the file; raises `ValueError` for a key that does not say what it means."""
    yield from _sections(Tenant, "[tenants.SHOP]", "tenants.SHOP")


def _sections(model: type[BaseModel], head: str, path: str) -> Iterator[Section]:
    keys, below = [], []
    # What the model adds itself goes before what it goes on from.
    for name, field in sorted(
        model.model_fields.items(), key=lambda each: each[0] not in vars(model)["__annotations__"]
    ):
        if (model, name) in _NAMES_OF_TABLES:
            continue
        nested = _model_in(field.annotation)
        if nested is not None:
            below.append((name, nested, field))
        keys.append(_key(model, name, field, f"{path}.{name}"))
    yield Section(head, _first_sentence(model), tuple(keys))
    for name, nested, field in below:
        yield from _sections(nested, _head(field, f"{path}.{name}", named=name in _NAMED), f"{path}.{name}")


def _head(field: FieldInfo, path: str, *, named: bool) -> str:
    if named:
        return f"[{path}.NAME]"
    return f"[[{path}]]" if get_origin(field.annotation) is tuple else f"[{path}]"


def _key(model: type[BaseModel], name: str, field: FieldInfo, path: str) -> Key:
    meaning = meanings(model).get(name)
    if not meaning:
        raise ValueError(f"{model.__name__}.{name} does not say what it means: put a docstring below it.")
    shown = FILE_KEYS.get(name, name)
    default = _default(field)
    if model is SocialProvider and any(name in preset for preset in PRESETS.values()):
        default = f"the preset's, or {'the id, capitalized' if name == 'name' else default}"
    return Key(shown, _type(field, shown, path), default, _unit(name), meaning)


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each field, of the model and of those that it goes on from."""
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if not issubclass(each, BaseModel) or each is BaseModel:
            continue
        (declared,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(declared, ast.ClassDef)
        for statement, after in zip(declared.body, declared.body[1:], strict=False):
            match statement, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = " ".join(text.split())
    return found


def _first_sentence(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").partition("\n\n")[0].split())


def _unit(name: str) -> str:
    if name in _LENGTHS:
        return "characters"
    return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be there"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel) or value in ((), frozenset(), {}):
        return "none"
    if isinstance(value, frozenset):
        value = sorted(value)
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _type(field: FieldInfo, shown: str, path: str) -> str:
    if shown.endswith("_env"):
        return "name of an environment variable"
    if shown.endswith("_dir"):
        return "name of a folder beside the tenants file"
    if shown.endswith("_file"):
        return "name of a JSON file beside the tenants file"
    nested = _model_in(field.annotation)
    if nested is not None:
        head = _head(field, path, named=shown in _NAMED)
        return f"table{'s' if head.startswith('[[') or shown in _NAMED else ''} `{head}`"
    return _word(field.annotation) + _bounds(field.metadata)


def _word(annotation: Any) -> str:
    """Return what a value has to be, in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _word(next(each for each in arguments if each is not NoneType))
    if origin in (tuple, frozenset):
        return f"list of {_plural(_word(_bare(arguments[0])))}"
    if origin is dict:
        return f"table of {_plural(_word(_bare(arguments[1])))}"
    if origin is Literal:
        return _choice(arguments)
    if hasattr(annotation, "__metadata__"):
        return _word(_bare(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _choice(annotation)
    return {bool: "`true` or `false`", int: "whole number", str: "text", SecretStr: "text"}[annotation]


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation


def _choice(values: Any) -> str:
    return " or ".join(f'`"{value}"`' for value in values)


def _plural(word: str) -> str:
    return {"text": "texts"}.get(word, word)


def _bounds(metadata: list[Any]) -> str:
    """Return the least and the most that is allowed."""
    flat = [each for entry in metadata for each in (entry.metadata if isinstance(entry, FieldInfo) else [entry])]
    least = next((each.ge for each in flat if isinstance(each, Ge)), None)
    most = next((each.le for each in flat if isinstance(each, Le)), None)
    longest = next((each.max_length for each in flat if isinstance(each, MaxLen)), None)
    shortest = next((each.min_length for each in flat if isinstance(each, MinLen)), 0)
    if least is not None and most is not None:
        return f", {least:,} to {most:,}"
    return f" of {f'{shortest} to' if shortest else 'at most'} {longest:,} characters" if longest is not None else ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model whose tables a value holds, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def preset_table() -> str:
    """Return what the presets fill in, as Markdown."""
    lines = ["| provider | fills in |", "| --- | --- |"]
    for provider, values in PRESETS.items():
        filled = "<br>".join(f"`{key} = {_toml(value)}`" for key, value in values.items())
        lines.append(f"| `{provider}` | {filled} |")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def declared_reference() -> str:
    """Return the reference as the models make it."""
    presets = f"### Presets of social providers\n\nA key that the file has itself goes before.\n\n{preset_table()}"
    return "\n\n".join([*(section.text for section in sections()), presets])


def read_reference() -> str:
    """Return the reference that stands in the README."""
    return README.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def write_reference() -> None:
    """Put the reference of the models into the README, between its marks."""
    before, begin, rest = README.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    README.write_text(f"{before}{begin}\n{declared_reference()}\n{end}{after}")


if __name__ == "__main__":
    write_reference()
