"""Reads and checks the tenants files. Each fault is one line that says where it is and what to write instead."""

from __future__ import annotations

import gc
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.adapters.tenants.demo import DEMO, at_address
from app.adapters.tenants.faults import describe, dotted
from app.adapters.tenants.signatures import Signature, sign, sign_all
from app.adapters.tenants.tables import Surroundings, TenantTable
from app.domain.profile import Profile
from app.domain.tenants import Tenant, TenantDirectory

Signatures = dict[str, Signature]


class TenantsFileError(Exception):
    """What is wrong with the tenants file; `faults` has a line for each."""

    def __init__(self, faults: list[str], beside: Mapping[str, Signature] | None = None) -> None:
        """`beside` are files that faulty tables name."""
        super().__init__("\n".join(faults))
        self.faults = faults
        self.beside = beside or {}


@dataclass(frozen=True, slots=True)
class _Shop:
    """One table as it was read, from which file; `beside` are the files that it names."""

    file: str
    tenant: Tenant
    digest: bytes
    beside: Mapping[str, Signature]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read at some time, to be handed to another process.

    `files` has the shops of each TOML file, by the name of their table, and `signatures` those of all files that were
    read.
    """

    signatures: Mapping[str, Signature] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, _Shop]] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)
    tenants: TenantDirectory = field(default_factory=lambda: TenantDirectory(()))


@dataclass(frozen=True, slots=True)
class Change:
    """What a later reading has: the tenants that are new or have changed, and the ids of those that are gone."""

    reading: Reading
    tenants: tuple[Tenant, ...]
    gone: tuple[str, ...]


def load_tenants(path: Path | None, environment: Mapping[str, str], profile: Profile) -> TenantDirectory:
    """Return the tenants of a TOML file, of all in a folder, or of the built-in demo where `path` is None.

    `environment` has the secrets that the file names. Raises `TenantsFileError` with every fault found.
    """
    return TenantFiles(path, environment, profile).read_all().tenants


class TenantFiles:
    """The tenants as a file or a folder has them (`reading`), and what has changed there since.

    Only what has changed is read and checked anew. `reading` is one of another process, to begin with.
    """

    def __init__(
        self,
        path: Path | None,
        environment: Mapping[str, str],
        profile: Profile,
        reading: Reading | None = None,
        address: str | None = None,
    ) -> None:
        """`address` is where the built-in demo has its sites."""
        self._path = str(path or DEMO)
        self.is_built_in = path is None
        self._address = address if self.is_built_in else None
        self._environment = environment
        self._profile = profile
        self.reading = reading or Reading()
        self._seen: Signatures | None = None
        self._examined: Signatures | None = None
        # What tables name that were not taken up: mending that may be all that is needed.
        self._untaken: Mapping[str, Signature] = {}

    def read_all(self) -> Reading:
        """Read all there is, and return it; raises `TenantsFileError`."""
        # Thousands of shops are a million objects, none of them garbage.
        collects = gc.isenabled()
        gc.disable()
        try:
            change = self.look(at_once=True)
        finally:
            if collects:
                gc.enable()
        if change is not None:
            self.accept(change)
        return self.reading

    def look(self, *, at_once: bool) -> Change | None:
        """Return what has changed, for `accept`, or None; raises `TenantsFileError`, once for each state of the files.

        A change is returned when two looks have found the same, so that nobody is caught in the middle of writing;
        with `at_once` it is returned now, and a fault is raised again.
        """
        signatures = self._sign()
        is_settled, self._seen = signatures == self._seen, signatures
        if not at_once and (signatures == self._examined or not is_settled):
            return None
        self._examined = signatures
        known = self.reading.signatures
        if self.reading.files and known == {
            path: of for path, of in signatures.items() if path in known or path not in self._untaken
        }:
            return None
        try:
            change = self._compare(signatures)
        except TenantsFileError as error:
            self._note_untaken(signatures, error.beside)
            if self._sign() == signatures:
                raise
            # They were changed while we read them: what we have found is of no state that they were ever in.
            self._examined = None
            return self.look(at_once=True) if at_once else None
        self._note_untaken(signatures, change.reading.signatures)
        return change

    def _note_untaken(self, signatures: Signatures, beside: Mapping[str, Signature]) -> None:
        """Watch these files as well until a change is accepted, and add them to what was seen and examined."""
        self._untaken = {path: of for path, of in beside.items() if path not in signatures}
        signatures.update(self._untaken)

    def accept(self, change: Change) -> None:
        """Go on from this change."""
        self.reading = change.reading
        self._untaken = {}

    def _sign(self) -> Signatures:
        """Return the signatures of the files as they are now, with those that their tables name."""
        signatures = sign_all(self._path)
        for beside in (self.reading.signatures.keys() - self.reading.files.keys()) | self._untaken.keys():
            signatures[beside] = sign(beside)
        return signatures

    def _compare(self, signatures: Signatures) -> Change:
        """Read the files that are not as they were; raises `TenantsFileError` with every fault found."""
        before = self.reading
        listed = [file for file in sign_all(self._path) if file in signatures]
        if not listed:
            raise TenantsFileError([f"{self._path}: has no file whose name ends with .toml: put a shop there"])
        touched = self._touched(signatures)
        fresh = _Fresh(before.tenants, self._address)
        files = {file: before.files.get(file, {}) for file in listed}
        for file in listed:
            if file in touched or file not in before.files:
                surroundings = Surroundings(Path(file).parent, self._environment, self._profile, self.is_built_in)
                files[file] = fresh.read(file, before.files.get(file, {}), surroundings)
        replaced = [shop for file in touched & before.files.keys() for shop in before.files[file].values()]
        return self._conclude(fresh, files, signatures, replaced)

    def _touched(self, signatures: Signatures) -> set[str]:
        """Return the TOML files that have changed, or one of the files that their tables name."""
        known = self.reading.signatures
        changed = {path for path, _ in known.items() ^ signatures.items()}
        naming = changed & (known.keys() - self.reading.files.keys())
        if naming:
            shops = (shop for shops in self.reading.files.values() for shop in shops.values())
            changed |= {shop.file for shop in shops if not naming.isdisjoint(shop.beside)}
        return changed

    def _conclude(
        self, fresh: _Fresh, files: Mapping[str, Mapping[str, _Shop]], signatures: Signatures, replaced: list[_Shop]
    ) -> Change:
        """Put together what was read and what was left; raises `TenantsFileError`."""
        before, were_there = self.reading, {shop.tenant.id for shop in replaced}
        homes = {**before.homes}
        for tenant_id in were_there:
            del homes[tenant_id]
        for file, tenant_ids in fresh.homes.items():
            for tenant_id in tenant_ids:
                home = homes.setdefault(tenant_id, file)
                if home != file:
                    fresh.faults.append(f"{file}: {dotted('tenants', tenant_id)} is in {home} too: keep one of them")
        fresh.faults += [f"{self._path}: {fault}" for fault in fresh.shared_clients(were_there)]
        if fresh.faults:
            raise TenantsFileError(fresh.faults, fresh.beside)
        gone = tuple(tenant_id for tenant_id in were_there if tenant_id not in homes)
        all_signatures = {file: signatures[file] for file in files}
        # Whatever names one of these was read again if it has changed.
        all_signatures.update({path: signatures[path] for path in before.signatures.keys() - before.files.keys()})
        for file in fresh.homes:
            for shop in files[file].values():
                all_signatures.update(shop.beside)
        tenants = before.tenants.with_changes(fresh.tenants, gone)
        return Change(Reading(all_signatures, files, homes, tenants), tuple(fresh.tenants), gone)


class _Fresh:
    """What one look has read: the tenants that are new or have changed, and everything that is wrong."""

    def __init__(self, before: TenantDirectory, address: str | None) -> None:
        self._before = before
        self._address = address
        self._owners: Counter[str] = Counter()
        self.tenants: list[Tenant] = []
        self.homes: dict[str, list[str]] = {}
        self.faults: list[str] = []
        self.beside: dict[str, Signature] = {}

    def read(self, file: str, was: Mapping[str, _Shop], surroundings: Surroundings) -> Mapping[str, _Shop]:
        """Return the shops of one file; what is wrong is noted."""
        shops: dict[str, _Shop] = {}
        faults: list[str] = []
        for tenant_id, content in self._tables(file, faults):
            self._owners.update(_client_ids(content))
            self.homes.setdefault(file, []).append(tenant_id)
            shop = self._shop(file, tenant_id, content, was.get(tenant_id), surroundings, faults)
            if shop is not None:
                shops[tenant_id] = shop
        self.faults += [f"{file}: {fault}" for fault in faults]
        return shops

    def _tables(self, file: str, faults: list[str]) -> Iterable[tuple[str, Any]]:
        try:
            # Some editors begin a file with a mark of its encoding, which is none of its text.
            document = tomllib.loads(Path(file).read_text(encoding="utf-8-sig"))
        except OSError as error:
            faults.append(f"cannot be read: {error.strerror}")
            return []
        except ValueError as error:
            faults.append(f"is not TOML in UTF-8: {error}")
            return []
        if self._address is not None:
            document = at_address(document, self._address)
        faults += [
            f"{dotted(key)} is not known: put everything under [tenants.…]" for key in document.keys() - {"tenants"}
        ]
        tables = document.get("tenants")
        if not isinstance(tables, dict) or not tables:
            faults.append("tenants is missing: write at least one table [tenants.…]")
            return []
        return tables.items()

    def _shop(
        self,
        file: str,
        tenant_id: str,
        content: Any,
        was: _Shop | None,
        surroundings: Surroundings,
        faults: list[str],
    ) -> _Shop | None:
        """Return the shop of a table: the one that is known already, if nothing of it has changed."""
        if not isinstance(content, dict):
            faults.append(f"{dotted('tenants', tenant_id)} must be a table: write [{dotted('tenants', tenant_id)}]")
            return None
        digest = blake2b(repr(content).encode(), digest_size=16).digest()
        if was is not None and was.digest == digest and all(sign(path) == of for path, of in was.beside.items()):
            return was
        table = TenantTable(tenant_id, content, surroundings)
        faults += table.faults
        self.beside.update(table.beside)
        try:
            tenant = Tenant.model_validate(table.prepared, context={"profile": surroundings.profile})
        except ValidationError as error:
            faults += describe(error, tenant_id, table.path)
            return None
        self.tenants.append(tenant)
        return _Shop(file, tenant, digest, table.beside)

    def shared_clients(self, replaced: set[str]) -> list[str]:
        """Return a fault for each client id that more than one tenant uses; those of `replaced` tenants are free."""
        for client_id in self._owners:
            found = self._before.find_client(client_id)
            if found is not None and found[0].id not in replaced:
                self._owners[client_id] += 1
        return [
            f"tenants: client id '{client_id}' is used by {count} tenants: give each client its own"
            for client_id, count in self._owners.items()
            if count > 1
        ]


def _client_ids(table: object) -> set[str]:
    clients = table.get("clients") if isinstance(table, dict) else None
    if not isinstance(clients, list):
        return set()
    return {client["id"] for client in clients if isinstance(client, dict) and isinstance(client.get("id"), str)}
