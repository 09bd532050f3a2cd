"""Root fields: who may call them, and the one place where a transaction ends.

`@query(...)` and `@mutation(...)` take the kinds of token that a field allows, the scope of an integration token, and
the word in the `scope` of a session's token that stands for the field.
A mutation runs in a unit of work: returning commits, raising rolls back; a `DomainError` becomes the `userErrors` of
the payload, an `AccessError` a top-level error.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection
from typing import Any, get_type_hints

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.schema_directive import Location
from strawberry.types.base import StrawberryObjectDefinition, StrawberryOptional, get_object_definition
from strawberry.types.field import StrawberryField

from app.domain.errors import ConflictError, DomainError, UnauthenticatedReason, forbidden
from app.domain.principal import Principal, TokenKind
from app.domain.refresh_cookies import RefreshCookie, is_page_of, require_page_of
from app.domain.scopes import SESSION_SCOPES, Scope, SessionScope, has_scope, kinds_with, may_see_payments
from app.graphql.context import Context, Info
from app.graphql.enums import describe_enum
from app.graphql.errors import present
from app.graphql.refresh_cookies import cookie_client, take_tokens
from app.graphql.selections import mentions, selects
from app.services.caller import Caller

describe_enum(
    TokenKind,
    "What kind of access token it is.",
    {
        TokenKind.ANONYMOUS: "Of a visitor who is not logged in: `anonymousLogin` and `refresh` issue it.",
        TokenKind.CUSTOMER: "Of a customer who is logged in: `login`, `socialLogin` and `refresh` issue it, for "
        "example.",
        TokenKind.ON_BEHALF: "Of staff who act for a customer: `loginOnBehalf` issues it.",
        TokenKind.INTEGRATION: "Of another system of the shop: `POST /oauth/token` issues it.",
    },
)
ANYONE: tuple[TokenKind, ...] = ()
PAYMENTS = "paymentInstruments"
EMAIL_BOUNCED = "emailBounced"


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="allow",
    description="Who may call the field: bearers of these kinds of access token, or with no kinds anyone without one. "
    "`scope` is what an integration token must have; `ownerScope` as well, and then the token must have an owner. "
    "A token with an owner has only those scopes that the client and the owner both have. `sessionScope` is the word "
    "in the `scope` of every other token that may; a guest who asks without it gets null. With `initialPassword` a "
    "session may too whose customer has yet to change a password that somebody else chose; its token says "
    "`password.initial` and nothing else.",
)
class Allow:
    """The rule of one root field; what it does not set, the SDL does not print."""

    kinds: list[TokenKind]
    scope: str | None = strawberry.UNSET
    owner_scope: str | None = strawberry.UNSET
    session_scope: str | None = strawberry.UNSET
    initial_password: bool | None = strawberry.UNSET


# Strawberry has no way to describe the arguments of a directive: the schema takes these when it is made.
ALLOW_ARGUMENTS = {
    "kinds": "The kinds of access token that may call it: `[CUSTOMER, ON_BEHALF]`. Empty: no token is needed.",
    "scope": "The scope that an integration token must have: `customers.read`.",
    "ownerScope": "The scope that an integration token must have, and it must have an owner: `customers.privacy`.",
    "initialPassword": "True: a customer may call it who has yet to change a password that staff chose.",
    "sessionScope": "What the `scope` of any other token contains if it may call the field: `profile.read`.",
}


class Access(FieldExtension):
    """Lets a root field be called by those whom it allows.

    Raises `ValueError` for kinds that are not those whose tokens have the session scope: what a token says that it may
    do is what it may. Only of a field that is `null_for_guests` a guest may ask without the word.
    """

    def __init__(
        self,
        kinds: Collection[TokenKind],
        scope: Scope | None,
        owner_scope: Scope | None = None,
        session_scope: SessionScope | None = None,
        *,
        null_for_guests: bool = False,
        initial_password: bool = False,
        is_repeatable: bool = False,
    ) -> None:
        self._is_repeatable = is_repeatable
        self._kinds = frozenset(kinds)
        self._scope = scope
        self._owner_scope = owner_scope
        self._session_scope = session_scope
        self._initial_password = initial_password
        named = kinds_with(session_scope) if session_scope is not None else frozenset()
        asking = {TokenKind.ANONYMOUS} if null_for_guests else frozenset()
        if self._kinds & SESSION_SCOPES.keys() != named | asking:
            raise ValueError(f"The kinds {sorted(self._kinds)} are not those whose tokens say {session_scope}.")

    @property
    def is_for_anyone(self) -> bool:
        """Whether no access token is asked for, and one that is there is ignored."""
        return not self._kinds

    def apply(self, field: StrawberryField) -> None:
        """Write the rule into the SDL."""
        kinds = [kind for kind in TokenKind if kind in self._kinds]
        # Called for each schema that is built of the field, which keeps one rule all the same.
        others = [each for each in field.directives if not isinstance(each, Allow)]
        field.directives = [
            *others,
            Allow(
                kinds=kinds,
                scope=self._scope or strawberry.UNSET,
                owner_scope=self._owner_scope or strawberry.UNSET,
                session_scope=self._session_scope or strawberry.UNSET,
                initial_password=self._initial_password or strawberry.UNSET,
            ),
        ]

    @property
    def needs_token(self) -> bool:
        """Whether nobody may call the field without a token."""
        return bool(self._kinds)

    def check(self, info: Info) -> None:
        """Raise UNAUTHENTICATED or FORBIDDEN unless the caller may, and may see all that is selected."""
        bearer = info.context.principal
        if bearer is not None and not may_see_payments(bearer) and selects(info, PAYMENTS):
            raise forbidden(f"{PAYMENTS} needs the scope {Scope.PAYMENTS_READ.value}.")
        if bearer is not None and bearer.kind is not TokenKind.INTEGRATION and _selects_bounced(info):
            raise forbidden(f"{EMAIL_BOUNCED} is for integrations.")
        if not self._kinds:
            return
        caller: Caller = info.context.caller
        if self._is_repeatable and caller.principal is None and caller.refusal is UnauthenticatedReason.REVOKED:
            return  # Maybe by this very call: the service knows, or raises the same.
        principal = caller.require_principal()
        if principal.kind not in self._kinds:
            raise forbidden(f"This operation is not for {principal.kind.value} tokens.")
        if principal.must_change_password and not self._initial_password:
            raise forbidden("Somebody else chose this customer's password: call changePassword first.")
        if principal.kind is not TokenKind.INTEGRATION:
            return
        if self._scope is not None and not has_scope(principal, self._scope):
            raise forbidden(f"This operation needs the scope {self._scope.value}.")
        if self._owner_scope is not None and not _acts_in_a_name(principal, self._owner_scope):
            raise forbidden(
                f"This operation needs a token with an owner: both the client and the owner must have the scope "
                f"{self._owner_scope.value}."
            )

    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        """Check, then resolve."""
        self.check(info)
        return next_(source, info, **arguments)

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **arguments: Any
    ) -> Any:
        """Check, then resolve."""
        self.check(info)
        return await next_(source, info, **arguments)


def _selects_bounced(info: Info) -> bool:
    return mentions(info, EMAIL_BOUNCED) and selects(info, EMAIL_BOUNCED)


def _acts_in_a_name(principal: Principal, scope: Scope) -> bool:
    """Tell whether the token has an owner, and the scope, which it has only where the owner has it too."""
    return principal.owner is not None and has_scope(principal, scope)


class Transaction(FieldExtension):
    """Runs a root mutation field in a unit of work of its own."""

    def __init__(
        self, access: Access, payload: Callable[..., Any], *, takes_credentials: bool, ends_session: bool
    ) -> None:
        self._access = access
        self._payload = payload
        self._ends_session = ends_session
        self._gives_tokens = "tokens" in get_type_hints(payload)
        self.takes_credentials = takes_credentials

    def apply(self, field: StrawberryField) -> None:
        """Write the rule into the SDL, and describe the argument `input` as its type is described."""
        self._access.apply(field)
        for argument in field.arguments:
            type_ = argument.type.of_type if isinstance(argument.type, StrawberryOptional) else argument.type
            argument.description = get_object_definition(type_, strict=True).description

    async def resolve_async(
        self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **arguments: Any
    ) -> Any:
        """Run the field, and run it again after a conflict with another transaction, as long as it may."""
        context: Context = info.context
        repeated = 0
        while True:
            try:
                return await self._run(context, lambda: next_(source, info, **arguments), info)
            except ConflictError as conflict:
                await context.begin_again(conflict, repeated)
            repeated += 1

    async def _run(self, context: Context, resolve: Callable[[], Awaitable[Any]], info: Info) -> Any:
        """Commit what the resolver wrote, or forget it and answer with the payload's `userErrors`; note their codes."""
        await context.begin_field()
        if self._ends_session:
            await context.accept_cookie()
        self._access.check(info)
        facts = context.caller.facts.as_sent
        self._check_page(context)
        if context.keyed_call is not None and self._access.needs_token:
            await context.keyed_call.begin(context.uow)
        cookies: list[RefreshCookie] = []
        try:
            async with context.uow:
                payload = await resolve()
                cookies = take_tokens(context.tools, facts, payload)
        except DomainError as error:
            payload = self._payload(user_errors=present(error))
        if context.keyed_call is not None:
            context.keyed_call.note_payload()
        client = context.cookie_client if self._ends_session else None
        if client is not None and is_page_of(client, facts):
            cookies = [RefreshCookie(client)]
        context.refresh_cookies += cookies
        context.user_error_codes += [each.code.value for each in payload.user_errors]
        return payload

    def _check_page(self, context: Context) -> None:
        """Refuse early, before anything is used up, what could not be answered with a cookie at the end."""
        principal = context.principal
        if self._gives_tokens and not self._access.is_for_anyone and principal is not None:
            client = cookie_client(context.tools, principal.client_id)
            if client is not None:
                require_page_of(client, context.caller.facts.as_sent)


def query(
    *,
    kinds: Collection[TokenKind],
    scope: Scope | None = None,
    session_scope: SessionScope | None = None,
    null_for_guests: bool = False,
    initial_password: bool = False,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator of a root query field; its docstring is the SDL's description.

    `session_scope`: the word for it in the `scope` of a session's token.
    `null_for_guests`: an anonymous session may ask without that word, and gets null.
    `initial_password`: a customer may ask before the initial password is changed.
    `name`: what a specification calls the field, where that is not the name of the resolver.
    """

    def decorate(resolver: Callable[..., Any]) -> Any:
        access = Access(
            kinds,
            scope,
            session_scope=session_scope,
            null_for_guests=null_for_guests,
            initial_password=initial_password,
        )
        return strawberry.field(resolver=resolver, name=name, description=_description(resolver), extensions=[access])

    return decorate


def mutation(
    *,
    kinds: Collection[TokenKind],
    scope: Scope | None = None,
    owner_scope: Scope | None = None,
    session_scope: SessionScope | None = None,
    initial_password: bool = False,
    takes_credentials: bool = False,
    ends_session: bool = False,
    is_repeatable: bool = False,
) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator of a root mutation field; its docstring is the SDL's description.

    `owner_scope`: what an integration's token must have, and a user of the organisation as its owner.
    `session_scope`: the word for it in the `scope` of a session's token.
    `initial_password`: a customer may call it before the initial password is changed.
    `takes_credentials`: somebody could guess with it, so a document may hold one such field only.
    `ends_session`: it may be called by the cookie with a refresh token alone, and has the browser forget it.
    `is_repeatable`: it replaces the caller's tokens, and its service answers the same call again with those that it has
    ended by that (`services.sessions.repeated_calls`).
    """

    def decorate(resolver: Callable[..., Any]) -> Any:
        payload = get_type_hints(resolver)["return"]
        access = Access(
            kinds,
            scope,
            owner_scope,
            session_scope,
            initial_password=initial_password,
            is_repeatable=is_repeatable,
        )
        return strawberry.mutation(
            resolver=resolver,
            description=_description(resolver),
            extensions=[Transaction(access, payload, takes_credentials=takes_credentials, ends_session=ends_session)],
        )

    return decorate


def credential_fields(schema: strawberry.Schema) -> frozenset[str]:
    """Return the names of the root mutation fields that take credentials."""
    mutation_type = schema.get_type_by_name("Mutation")
    if not isinstance(mutation_type, StrawberryObjectDefinition):
        return frozenset()
    return frozenset(
        schema.config.name_converter.get_graphql_name(field)
        for field in mutation_type.fields
        for extension in field.extensions
        if isinstance(extension, Transaction) and extension.takes_credentials
    )


def _description(resolver: Callable[..., Any]) -> str:
    return inspect.cleandoc(resolver.__doc__ or "")
