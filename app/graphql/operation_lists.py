"""Operations that are known by the hash of their text: those that tenants list, and those that clients have sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

from app.domain.errors import AccessCode, AccessError
from app.domain.operation_lists import hash_operation
from app.domain.tenants import Tenant
from app.graphql.documents import DocumentRefusedError, Documents

MAX_OPERATIONS = 1_000
MAX_CHARACTERS = 1024 * 1024
MAX_TEXT = 8 * 1024


class KnownOperations:
    """The texts of this process by their hash. Those of the tenants' lists stay, of the others the recent ones do.

    It does not matter whose client has sent a text: the hash stands for the text alone, and who may run it is decided
    as if the text itself had been sent.
    """

    def __init__(self, tenants: Iterable[Tenant] = ()) -> None:
        self._listed = {known_as: text for tenant in tenants for known_as, text in (tenant.operations or {}).items()}
        self._sent: OrderedDict[str, str] = OrderedDict()
        self._sent_characters = 0

    def find(self, known_as: str) -> str:
        """Return the text of this hash; raises `AccessError` PERSISTED_QUERY_NOT_FOUND, then the client sends it."""
        text = self._listed.get(known_as) or self._sent.get(known_as)
        if text is None:
            # The words are those that Apollo's clients look for.
            raise AccessError(AccessCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        if known_as in self._sent:
            self._sent.move_to_end(known_as)
        return text

    def check(self, known_as: str, text: str) -> None:
        """Raise `AccessError` BAD_REQUEST unless this is the hash of the text."""
        if known_as != hash_operation(text):
            raise AccessError(AccessCode.BAD_REQUEST, "The sha256Hash does not fit the document.")

    def remember(self, known_as: str, text: str) -> None:
        """Keep a text that was found good, unless it is a very long one."""
        if len(text) > MAX_TEXT or known_as in self._listed or known_as in self._sent:
            return
        self._sent[known_as] = text
        self._sent_characters += len(text)
        while len(self._sent) > MAX_OPERATIONS or self._sent_characters > MAX_CHARACTERS:
            _, oldest = self._sent.popitem(last=False)
            self._sent_characters -= len(oldest)


def faults_of_lists(tenants: Iterable[Tenant], documents: Documents) -> Iterator[str]:
    """Yield a line for each thing in the tenants' lists that this schema does not run."""
    for tenant in tenants:
        for known_as, reason in _faults(tenant.operations or {}, documents):
            yield f"tenants.{tenant.id}.operations_file lists {known_as}, which is wrong: {reason}"


def _faults(operations: Mapping[str, str], documents: Documents) -> Iterator[tuple[str, str]]:
    for known_as, text in operations.items():
        try:
            documents.get(text)
        except DocumentRefusedError as refusal:
            for error in refusal.errors:
                yield known_as, error.message
