"""Operations by the hash of their text: those on the tenants' lists, and those that clients have sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping

from app.domain.errors import AccessCode, AccessError
from app.domain.operation_lists import hash_operation
from app.domain.tenants import Tenant
from app.graphql.documents import BadDocumentError, Documents

MAX_OPERATIONS = 1_000
MAX_CHARACTERS = 1024 * 1024
MAX_TEXT = 8 * 1024


class KnownOperations:
    """The texts of this process by their hash.

    Those on the tenants' lists, which `find_listed` finds, stay; of the others only the recent ones. It does not matter
    which client has sent a text: the hash replaces only the text, and the access rules are the same as for the text.
    """

    def __init__(self, find_listed: Callable[[str], str | None] = lambda _: None) -> None:
        self._find_listed = find_listed
        self._sent: OrderedDict[str, str] = OrderedDict()
        self._sent_characters = 0

    def find(self, known_as: str) -> str:
        """Return the text with this hash; raises `AccessError` PERSISTED_QUERY_NOT_FOUND if it is not known."""
        text = self._find_listed(known_as) or self._sent.get(known_as)
        if text is None:
            # Apollo's clients look for exactly this message.
            raise AccessError(AccessCode.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        if known_as in self._sent:
            self._sent.move_to_end(known_as)
        return text

    def check(self, known_as: str, text: str) -> None:
        """Raise `AccessError` BAD_REQUEST unless this is the hash of the text."""
        if known_as != hash_operation(text):
            raise AccessError(AccessCode.BAD_REQUEST, "The sha256Hash does not fit the document.")

    def remember(self, known_as: str, text: str) -> None:
        """Keep a valid text, unless it is very long."""
        if len(text) > MAX_TEXT or known_as in self._sent or self._find_listed(known_as):
            return
        self._sent[known_as] = text
        self._sent_characters += len(text)
        while len(self._sent) > MAX_OPERATIONS or self._sent_characters > MAX_CHARACTERS:
            _, oldest = self._sent.popitem(last=False)
            self._sent_characters -= len(oldest)


def faults_of_lists(tenants: Iterable[Tenant], documents: Documents) -> Iterator[str]:
    """Yield a line for each operation on the tenants' lists that this schema cannot run."""
    for tenant in tenants:
        for known_as, reason in _faults(tenant.operations or {}, documents):
            yield f"tenants.{tenant.id}.operations_file lists {known_as}, which is wrong: {reason}"


def _faults(operations: Mapping[str, str], documents: Documents) -> Iterator[tuple[str, str]]:
    for known_as, text in operations.items():
        try:
            documents.get(text)
        except BadDocumentError as refusal:
            for error in refusal.errors:
                yield known_as, error.message
