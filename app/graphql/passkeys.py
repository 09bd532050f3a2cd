"""Passkeys in GraphQL: the ceremonies, and the customer's list of them."""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.changed_customers import ChangesCustomer, ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.graphql.sign_in_methods import Passkey, present_passkey
from app.services.accounts import passkeys as service
from app.services.sign_in.passkey_registration import begin_passkey_registration, register_passkey
from app.services.sign_in.passkeys import begin_passkey_login

_TICKET = (
    "The ticket, `cg_st_…`: keep it in this session, and send it with the browser's answer. It works once, for five "
    "tries."
)
_EXPIRES_IN = "Seconds until the ticket expires: `600`."


@strawberry.input(description="Nothing, or the ticket of a login that goes on.")
class BeginPasskeyLoginInput:
    """Ticket."""

    ticket: str | None = strawberry.field(
        default=None,
        description="The ticket of `nextStep`, whose `methods` have `PASSKEY`: the same ticket comes back. Left out at "
        "the beginning of a login, and with a customer's token.",
    )


@strawberry.type(description="What the browser is to be asked, or what to correct.")
class BeginPasskeyLoginPayload:
    """Answer of `beginPasskeyLogin`."""

    ticket: str | None = strawberry.field(default=None, description=_TICKET)
    options: JSON | None = strawberry.field(
        default=None,
        description="A PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3): "
        "`navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })`.",
    )
    expires_in: int | None = strawberry.field(default=None, description=_EXPIRES_IN)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="Nothing, or the ticket of a login for which a second factor is enrolled.")
class BeginPasskeyRegistrationInput:
    """Ticket."""

    ticket: str | None = strawberry.field(
        default=None,
        description="In an anonymous session: the ticket of `nextStep`, where the shop wants a second factor and the "
        "customer has none. The same ticket comes back. Left out with a customer's token.",
    )


@strawberry.type(description="What the browser is to make a passkey by, or what to correct.")
class BeginPasskeyRegistrationPayload:
    """Answer of `beginPasskeyRegistration`."""

    ticket: str | None = strawberry.field(default=None, description=_TICKET)
    options: JSON | None = strawberry.field(
        default=None,
        description="A PublicKeyCredentialCreationOptionsJSON (WebAuthn Level 3): "
        "`navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })`.",
    )
    expires_in: int | None = strawberry.field(default=None, description=_EXPIRES_IN)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="The passkey that the browser has made.")
class RegisterPasskeyInput:
    """Ticket, credential and name."""

    ticket: str = strawberry.field(description="The ticket of `beginPasskeyRegistration` in the same session.")
    credential: JSON = strawberry.field(
        description="What the browser answered: `credential.toJSON()`, a RegistrationResponseJSON (WebAuthn Level 3)."
    )
    name: str | None = strawberry.field(
        default=None,
        description="What the customer calls it, at most 100 characters: `Ada's phone`. Left out, it is called after "
        "browser and system: `Chrome, Windows`.",
    )


@strawberry.type(description="The new passkey, or what to correct.")
class RegisterPasskeyPayload(ChangesCustomer):
    """Answer of `registerPasskey`."""

    passkey: Passkey | None = strawberry.field(default=None, description="The new passkey.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="A passkey, and its new name.")
class RenamePasskeyInput:
    """The passkey's id and name."""

    id: strawberry.ID = strawberry.field(description="The id of the passkey.")
    name: str = strawberry.field(
        description="What the customer calls it from now on, at most 100 characters: `Ada's phone`."
    )


@strawberry.type(description="The passkey with its new name, or what to correct.")
class RenamePasskeyPayload(ChangesOwnCustomer):
    """Answer of `renamePasskey`."""

    passkey: Passkey | None = strawberry.field(default=None, description="The passkey with its new name.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="The passkey to delete.")
class DeletePasskeyInput:
    """The passkey's id."""

    id: strawberry.ID = strawberry.field(description="The id of the passkey to delete.")


@strawberry.type(description="The id of the deleted passkey, or what to correct.")
class DeletePasskeyPayload(ChangesOwnCustomer):
    """Answer of `deletePasskey`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the deleted passkey.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class PasskeyMutations:
    """Root mutation fields of passkeys."""

    @mutation(kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER), session_scope=SessionScope.LOGIN_BEGIN)
    async def begin_passkey_login(
        self, info: Info, input: BeginPasskeyLoginInput | None = None
    ) -> BeginPasskeyLoginPayload:
        """Begin to sign in with a passkey; send the browser's answer to `completeLogin`.

        No address is asked for: the browser shows the passkeys of the site, and the answer here is the same for
        everybody. For conditional UI call it as the login page opens, and the browser with `mediation: "conditional"`.
        As the second step of a login give the ticket of `nextStep`. With a customer's token it is for `reauthenticate`.
        Who: an anonymous session, or a customer who is to prove once more who they are.
        User errors: `METHOD_OFF`: offer another way; `TICKET_INVALID` at `ticket`: begin the login again.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN` for other tokens; `RATE_LIMITED`: wait
        `retryAfter` seconds.
        """
        begun = await begin_passkey_login(info.context.uow, input.ticket if input is not None else None)
        return BeginPasskeyLoginPayload(ticket=begun.ticket, options=JSON(begun.options), expires_in=begun.expires_in)

    @mutation(kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER), session_scope=SessionScope.LOGIN_BEGIN)
    async def begin_passkey_registration(
        self, info: Info, input: BeginPasskeyRegistrationInput | None = None
    ) -> BeginPasskeyRegistrationPayload:
        """Begin to register a passkey; send what the browser has made to `registerPasskey`.

        Who: a customer whose login is fresh; or an anonymous session with the ticket of a login that cannot go on
        before a second factor is enrolled.
        User errors: `METHOD_OFF`: the shop has no passkeys; `LIMIT_REACHED`: have the customer delete one first;
        `REQUIRED`, `TICKET_INVALID` at `ticket`: log in, or begin the login again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN` for other tokens; `REAUTHENTICATION_REQUIRED`: prove
        it by one of `methods` with `reauthenticate`; `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        begun = await begin_passkey_registration(info.context.uow, input.ticket if input is not None else None)
        return BeginPasskeyRegistrationPayload(
            ticket=begun.ticket, options=JSON(begun.options), expires_in=begun.expires_in
        )

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER), session_scope=SessionScope.LOGIN_BEGIN, takes_credentials=True
    )
    async def register_passkey(self, info: Info, input: RegisterPasskeyInput) -> RegisterPasskeyPayload:
        """Register the passkey that the browser has made: from now on the customer can sign in with it alone.

        The customer is told by mail. With the ticket of a login go on afterwards with `beginPasskeyLogin` and
        `completeLogin`.
        Who: the session that called `beginPasskeyRegistration`.
        User errors: `PASSKEY_INVALID` at `credential`: begin again, at most five times with one ticket;
        `TICKET_INVALID` at `ticket`: begin again; `REQUIRED`, `INVALID`, `TOO_LONG` at `name`: show them there;
        `LIMIT_REACHED`: have the customer delete one first; `METHOD_OFF`: the shop has no passkeys.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN` for other tokens; `RATE_LIMITED`: wait `retryAfter`
        seconds.
        """
        passkey = await register_passkey(info.context.uow, input.ticket, input.credential, input.name)
        return RegisterPasskeyPayload(changed_id=passkey.customer_id, passkey=present_passkey(passkey))

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE)
    async def rename_passkey(self, info: Info, input: RenamePasskeyInput) -> RenamePasskeyPayload:
        """Give a passkey another name.

        Who: a customer; not staff on their behalf.
        User errors: `NOT_FOUND` at `id`: read the passkeys again; `REQUIRED`, `INVALID`, `TOO_LONG` at `name`: show
        them there.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself.
        """
        passkey = await service.rename_passkey(info.context.uow, input.id, input.name)
        return RenamePasskeyPayload(passkey=present_passkey(passkey))

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE)
    async def delete_passkey(self, info: Info, input: DeletePasskeyInput) -> DeletePasskeyPayload:
        """Delete a passkey: nobody signs in with it any more, and the sessions that it opened end, this one too.

        The customer is told by mail. Tell them that the device goes on showing the passkey until it is deleted there.
        Who: a customer who has just signed in with two factors or a passkey; not staff on their behalf.
        User errors: `NOT_FOUND` at `id`: read the passkeys again; `LAST_SIGN_IN_METHOD` at `id`: have the customer add
        another way to sign in first.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: prove
        it by one of `methods` with `reauthenticate`.
        """
        deleted = await service.delete_passkey(info.context.uow, input.id)
        return DeletePasskeyPayload(deleted_id=strawberry.ID(deleted))
