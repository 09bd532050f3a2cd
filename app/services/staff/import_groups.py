"""The groups that an import names, by code or by name; made on demand where the shop has them not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Self

from app.domain.errors import DomainError, UserErrorCode
from app.domain.moving.records import Record
from app.domain.problems import Problems
from app.services.staff.groups import create_customer_group
from app.services.unit_of_work import UnitOfWork

_LONGEST_CODE = 64


class Groups:
    """The shop's groups, as they are named."""

    def __init__(self, by_code: Mapping[str, str], by_name: Mapping[str, str]) -> None:
        self._by_code = by_code
        self._by_name = by_name

    @classmethod
    async def of(cls, uow: UnitOfWork, records: Iterable[Record]) -> Self:
        """Return the groups, if one of these records names any."""
        return await cls.every(uow) if any(map(_names, records)) else cls({}, {})

    @classmethod
    async def every(cls, uow: UnitOfWork) -> Self:
        """Return all groups of the shop."""
        every = await uow.groups.list()
        return cls({each.code: each.id for each in every}, {_folded(each.name): each.id for each in reversed(every)})

    def find_id(self, name: str) -> str | None:
        """Return the id of the group with this code or name."""
        return self._by_code.get(name) or self._by_name.get(_folded(name))

    def find(self, problems: Problems, names: Sequence[str]) -> list[str]:
        """Return the ids of these groups; NOT_FOUND is noted for one that there is not."""
        found: set[str] = set()
        for index, name in enumerate(names):
            group_id = self.find_id(name)
            if group_id is None:
                problems.add(
                    UserErrorCode.NOT_FOUND, "The shop has no customer group with this code.", "groups", str(index)
                )
            else:
                found.add(group_id)
        return sorted(found)


def _names(record: Record) -> list[str]:
    told = (record.content or {}).get("groups")
    return [name for name in told if isinstance(name, str) and name.strip()] if isinstance(told, list | tuple) else []


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


async def create_groups(uow: UnitOfWork, records: Iterable[Record]) -> None:
    """Make the groups that these records name and the shop has not, as far as they can be made."""
    named = list(dict.fromkeys(name for each in records for name in _names(each)))
    if not named:
        return
    groups = await Groups.every(uow)
    missing = {_folded(name): name for name in reversed(named) if groups.find_id(name) is None}
    for name in missing.values():
        await _create(uow, name)


async def _create(uow: UnitOfWork, name: str) -> None:
    """Make a group, under a code of its own where another has that of its name; not where the name is none."""
    digest = blake2b(_folded(name).encode(), digest_size=4).hexdigest()
    for code in (_code(name), f"{_code(name)[: _LONGEST_CODE - 10] or 'group'}-{digest}"):
        try:
            await create_customer_group(uow, {"name": name, "code": code})
        except DomainError:
            continue
        return


def _code(name: str) -> str:
    """Return a code that can be typed: the name itself where it is one, empty where none can be made of it."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain)[:_LONGEST_CODE].strip("._-")
