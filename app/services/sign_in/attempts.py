"""What a verifier gets, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app.domain.sign_in import Factor
from app.models.sign_in_tickets import SignInTicket
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class Attempt:
    """One try to prove who one is.

    `answer` is what was given for the method, a text or the JSON of a passkey; `field` is where in the input it stands.
    `customer_id` is whose proof is wanted, or None where the answer itself has to tell (a passkey at the beginning).
    `ticket` is None only in `reauthenticate`, for methods that need none.
    """

    answer: Any
    field: str
    customer_id: str | None
    ticket: SignInTicket | None = None
    ticket_text: str = ""

    @property
    def text(self) -> str:
        """The answer of a method whose answer is a text."""
        return str(self.answer)


@dataclass(frozen=True, slots=True)
class Proved:
    """Who somebody is, and by which method that was proved; `passkey_id` names the passkey, if it was one.

    `proves_email`: the answer came to the mailbox that signs in, so that it proves the address too. `is_new`: the
    customer was made by it, and stays whatever comes of the login.
    """

    customer_id: str
    factor: Factor
    passkey_id: str | None = None
    proves_email: bool = False
    is_new: bool = False


Verifier = Callable[[UnitOfWork, Attempt], Awaitable[Proved]]
