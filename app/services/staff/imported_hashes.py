"""The password hashes of an import: what becomes of each, and that refused logins then tell nothing of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from app.domain.errors import UserErrorCode
from app.domain.foreign_hashes import HashSecrets, JudgedHash
from app.domain.problems import Problems
from app.models.credentials import HASH_LENGTH
from app.services.unit_of_work import UnitOfWork

# How many are wrapped at once: enough for the cores, and fewer than may wait for one.
_AT_ONCE = 16


def check_hash(uow: UnitOfWork, problems: Problems, written: str | None, secrets: HashSecrets) -> JudgedHash | None:
    """Return the hash that the old password goes on working with; without one, at `passwordHash` is noted why."""
    if not written or not written.strip():
        return None
    judged = uow.tools.passwords.judge(written, secrets)
    if judged.is_taken:
        return judged
    code = UserErrorCode.TOO_LONG if len(written) > HASH_LENGTH else UserErrorCode.INVALID
    problems.add(code, judged.reason, "passwordHash")
    return None


async def take_over_hashes(uow: UnitOfWork, judged: Mapping[int, JudgedHash]) -> dict[int, str]:
    """Return what is stored of each hash, by the same numbers; call it before the first write.

    Refused logins of the shop take from then on as long as the slowest kind, lest their time tell who has one.
    """
    taken: dict[int, str] = {}
    waiting = list(judged)
    while numbers := waiting[len(taken) : len(taken) + _AT_ONCE]:
        encoded = await asyncio.gather(*(uow.adopt_hash(judged[number]) for number in numbers))
        taken.update(zip(numbers, encoded, strict=True))
    for kind in sorted(set(filter(None, map(uow.tools.passwords.kind_of, taken.values())))):
        await uow.password_hash_kinds.add_unless_known(kind)
    return taken
