"""Turns one tenant's table into the form of the domain: names from keys, secrets from variables, texts from files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.adapters.social.presets import fill_preset
from app.adapters.tenants.faults import dotted
from app.adapters.tenants.signatures import Signature, sign
from app.domain.client_credentials import MAKE_SECRET, SHORTEST_SECRET, WELL_KNOWN_SECRET
from app.domain.operation_lists import read_operations
from app.domain.profile import Profile

# Replaces a missing secret, so that the rest of the table is still checked.
_STAND_IN = "whsec_" + "A" * 32

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is needed to read a tenants file: its folder, the variables, the profile, and whether it is our demo."""

    folder: Path
    environment: Mapping[str, str]
    profile: Profile
    built_in: bool


class TenantTable:
    """One tenant's table. `prepared` is the input of the domain's model; `faults` is what is wrong.

    `beside` has the files that it names, each as it was before it was read.
    """

    def __init__(self, tenant_id: str, content: Table, surroundings: Surroundings) -> None:
        self.tenant_id = tenant_id
        self.content = content
        self.faults: list[str] = []
        self.beside: dict[str, Signature] = {}
        self._surroundings = surroundings
        self.prepared = self._prepare()

    def _prepare(self) -> Table:
        prepared = dict(self.content)
        self._check_absent(prepared, "id", "the tenant's id is the name of its table")
        prepared["id"] = self.tenant_id
        self._name_entries(prepared, "sites", "id")
        self._name_entries(prepared, "mixins", "name")
        self._take_file(prepared, "operation_list", "operations_file", read_operations)
        self._take_texts(prepared)
        for path, entry in self._entries(prepared, "clients"):
            self._refuse_short_secret(entry, *path)
            self._take_secret(entry, "secret", *path)
            self._take_file(entry, "jwks", "jwks_file", _check_keys, *path)
        for path, entry in self._entries(prepared, "webhooks"):
            self._take_secret(entry, "secret", *path)
            self._take_secret(entry, "previous_secret", *path)
        for path, entry in self._entries(prepared, "social"):
            self._take_secret(entry, "client_secret", *path)
            self._take_signing(entry, *path)
            fill_preset(entry)
        for name in ("challenge", "phone_codes", "password_hook"):
            if isinstance(prepared.get(name), dict):
                prepared[name] = dict(prepared[name])
                self._take_secret(prepared[name], "secret", name)
        for path, entry in self._entries(prepared, "mixins"):
            self._take_file(entry, "json_schema", "schema_file", _check_schema, *path)
        return prepared

    def _name_entries(self, prepared: Table, noun: str, key: str) -> None:
        """Turn a table of tables into a list whose entries carry their name."""
        if noun not in prepared:
            return
        tables = prepared[noun]
        if not isinstance(tables, dict):
            prepared[noun] = None
            return
        for name, table in tables.items():
            if isinstance(table, dict):
                self._check_absent(table, key, "it is the name of the table", noun, name)
        prepared[noun] = [{**table, key: name} if isinstance(table, dict) else table for name, table in tables.items()]

    def _entries(self, prepared: Table, noun: str) -> Iterator[tuple[tuple[str | int, ...], Table]]:
        """Copy the entries of a list, to leave the file's content unchanged, and return each with its path."""
        entries = prepared.get(noun)
        if not isinstance(entries, list):
            return
        prepared[noun] = copies = [dict(entry) if isinstance(entry, dict) else entry for entry in entries]
        for index, copy in enumerate(copies):
            if isinstance(copy, dict):
                yield self.path(noun, index), copy

    def path(self, *location: str | int) -> tuple[str | int, ...]:
        """Return the place in the table for a place in `prepared`: named entries by their name."""
        match location:
            case ("sites" | "mixins" as noun, int(index), *rest):
                return (noun, list(self.content[noun])[index], *rest)
        return location

    def _take_secret(self, entry: Table, key: str, *path: str | int) -> None:
        """Replace `<key>_env`, the name of a variable, by `<key>`, its value."""
        self._check_absent(entry, key, f"write {key}_env and set that environment variable to the secret", *path)
        variable = entry.pop(f"{key}_env", None)
        if variable is None:
            return
        entry[key] = self._find_secret(variable, *path, f"{key}_env")

    def _find_secret(self, variable: object, *path: str | int) -> str:
        if not isinstance(variable, str) or not variable:
            self._add("must be the name of an environment variable", *path)
            return _STAND_IN
        # As in the settings, the line break does not count with which a file of a secret often ends.
        secret = self._surroundings.environment.get(variable, "").strip()
        in_production = self._surroundings.profile is Profile.PRODUCTION
        if not secret and self._surroundings.built_in and not in_production:
            return WELL_KNOWN_SECRET + variable.lower().replace("_", "-")
        if not secret:
            self._add(f"names {variable}, which is not set: set this environment variable to the secret", *path)
            return _STAND_IN
        if in_production and secret.startswith(WELL_KNOWN_SECRET):
            self._add(f"names {variable}, which holds a well-known development secret: choose one of your own", *path)
        return secret

    def _refuse_short_secret(self, client: Table, *path: str | int) -> None:
        """Note a secret that production does not take because it could be guessed."""
        variable = client.get("secret_env")
        secret = self._surroundings.environment.get(variable, "") if isinstance(variable, str) else ""
        is_short = 0 < len(secret) < SHORTEST_SECRET and not secret.startswith(WELL_KNOWN_SECRET)
        if is_short and self._surroundings.profile is Profile.PRODUCTION:
            self._add(
                f"names {variable}, which holds fewer than {SHORTEST_SECRET} characters: put there what "
                f"{MAKE_SECRET} prints",
                *path,
                "secret_env",
            )

    def _take_file(
        self, entry: Table, key: str, file_key: str, check: Callable[[Any], object], *path: str | int
    ) -> None:
        """Replace `file_key`, the name of a JSON file beside the tenants file, by `key`, its checked text."""
        self._check_absent(entry, key, f"write {file_key} and put it into that file", *path)
        name = entry.pop(file_key, None)
        if name is None:
            return
        entry[key] = "{}"
        if not isinstance(name, str):
            self._add("must be the name of a file", *path, file_key)
            return
        try:
            content = json.loads(self._file_beside(name).read_text(encoding="utf-8-sig"))
            check(content)
        except OSError as error:
            self._add(f"names '{name}', which cannot be read: {error.strerror}", *path, file_key)
        except (ValueError, JoseError) as error:
            self._add(f"names '{name}', which is wrong: {error}", *path, file_key)
        else:
            entry[key] = json.dumps(content)

    def _take_texts(self, prepared: Table) -> None:
        """Replace the name of the folder with the shop's own mails by their texts, each of them tried."""
        self._check_absent(prepared, "own_texts", "write templates_dir and put the texts into that folder")
        name = prepared.pop("templates_dir", None)
        if name is None:
            return
        if not isinstance(name, str):
            self._add("must be the name of a folder", "templates_dir")
            return
        from app.adapters.mail.own_texts import read_own_texts

        try:
            folder = self._file_beside(name)
            self.beside.update({str(path): sign(str(path)) for path in folder.glob("*.jinja")})
            prepared["own_texts"], faults = read_own_texts(folder)
        except OSError as error:
            self._add(f"names '{name}', which cannot be read: {error.strerror}", "templates_dir")
        else:
            for fault in faults:
                self._add(f"names '{name}', whose {fault}", "templates_dir")

    def _file_beside(self, name: str) -> Path:
        """Return the path of a file that the table names, and note it: the shop changes when that file does."""
        path = self._surroundings.folder / name
        self.beside[str(path)] = sign(str(path))
        return path

    def _take_signing(self, entry: Table, *path: str | int) -> None:
        """Replace the name of the variable that has the signing key for a provider by the text of the key."""
        if not isinstance(entry.get("signing"), dict):
            return
        entry["signing"] = signing = dict(entry["signing"])
        named = "private_key_env" in signing
        faults = len(self.faults)
        self._take_secret(signing, "private_key", *path, "signing")
        if named and len(self.faults) == faults:
            from app.adapters.social.secrets import read_private_key

            try:
                read_private_key(signing["private_key"], _algorithm(signing))
            except ValueError as error:
                self._add(str(error), *path, "signing", "private_key_env")

    def _check_absent(self, table: Table, key: str, instead: str, *path: str | int) -> None:
        if key in table:
            self._add(f"is not known: {instead}", *path, key)

    def _add(self, fault: str, *path: str | int) -> None:
        self.faults.append(f"{dotted('tenants', self.tenant_id, *path)} {fault}")


def _algorithm(signing: Table) -> str:
    """Return what a key is to sign with; whether it is one that we know is checked with the other keys."""
    algorithm = signing.get("algorithm")
    return algorithm if isinstance(algorithm, str) else "ES256"


def _check_keys(content: Any) -> None:
    """Raise `ValueError` or `JoseError` unless this is a JWK set of public keys (RFC 7517)."""
    if not isinstance(content, dict) or not isinstance(content.get("keys"), list) or not content["keys"]:
        raise ValueError('write a JWK set: {"keys": […]}')
    if any(key.is_private for key in KeySet.import_key_set({"keys": content["keys"]}).keys):
        raise ValueError("it holds a private or secret key: give the public keys only")


def _check_schema(content: Any) -> None:
    """Raise `ValueError` unless this is a JSON Schema without references to other documents."""
    if not isinstance(content, dict):
        raise ValueError("write a JSON object")
    from app.domain.mixin_schemas import check_schema

    check_schema(content)
