"""Two accounts of one customer, joined, in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.changed_customers import ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.graphql.presenting import Presenter
from app.services.social import merges as service


@strawberry.input(description="The other account of the customer, and whether only to look what would be.")
class MergeAccountsInput:
    """The access token of the other account."""

    other_access_token: str = strawberry.field(
        description="The `accessToken` of a session of the other account, in which the customer logged in within the "
        "last ten minutes: `cg_ca_…`. That account is closed. Let the customer log in to it in an anonymous session "
        "of its own, beside this one."
    )
    preview: bool | None = strawberry.field(
        default=False,
        description="True: nothing is changed, and `merged` says what would come. Show it, and ask before the second "
        "call.",
    )


@strawberry.type(description="How much comes, or would come, from the closed account to the one that stays.")
class MergedBelongings:
    """Counts."""

    identities: int = strawberry.field(description="How many social accounts, which sign in here from now on: `1`.")
    addresses: int = strawberry.field(description="How many addresses, with the ids that they had: `2`.")
    product_lists: int = strawberry.field(
        description="How many lists, with all their items and with the ids that they had: `1`. Lists of the same name "
        "stay two lists."
    )
    payment_instruments: int = strawberry.field(
        description="How many payment instruments, with the ids that they had: `1`."
    )
    orders: int = strawberry.field(description="How many orders, which count for `status` here from now on: `3`.")
    groups: int = strawberry.field(description="How many groups that the account was not in itself: `1`.")
    legal_entities: int = strawberry.field(
        description="How many companies that the account did not have itself, or only unconfirmed: `0`."
    )


present_merged = Presenter(service.Merged, MergedBelongings)


@strawberry.type(description="The account that stays, and what has come to it; or why the accounts stay two.")
class MergeAccountsPayload(ChangesOwnCustomer):
    """Answer of `mergeAccounts`."""

    merged: MergedBelongings | None = strawberry.field(
        default=None, description="What has come from the other account; with `preview`, what would."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class MergeMutations:
    """Root mutation fields about accounts that should be one."""

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def merge_accounts(self, info: Info, input: MergeAccountsInput) -> MergeAccountsPayload:
        """Join another account of the same customer with this one, for good: this one stays, the other is closed.

        For who has two accounts, say a first one by Facebook, without an address, and a later one with it. The customer
        logs in to both, each in a session of its own, and the app calls this with the token of the account that is
        to stay: first with `preview`, then, when the customer has agreed, without.

        What comes along: social accounts, addresses, lists, payment instruments, orders, groups and companies, with
        their ids. Where both accounts have a default, that of this account stays it. `status` is counted anew. Data
        that nobody proved to be the owner's stay marked (`discardUnprovenData`). The profile and `mixins` are not
        mixed: those of this account stay.

        How the customer signs in to this account stays as it is; the social accounts come in addition. If this account
        has no e-mail address, that of the other is the one to sign in with from now on, confirmed or not as it is. All
        else of the other account ends: sessions and tokens of every kind, password, passkeys, app with codes, proved
        phone number, mailed links. An address that is left over is free again: it can be the new one of this account
        (`changeEmail`), and somebody can sign up with it, who is then told by mail that an account with it was joined
        with another one.

        Both addresses get a mail, and each social account that came along one with the link that takes it out again.
        Staff see `mergedInto` on the closed account. Called again with the same tokens, the answer is the same.
        Who: the customer of the account that stays; not staff on their behalf. The customer has logged in to both
        accounts within ten minutes, or called `reauthenticate` there: with an app with codes or a passkey where the
        account has one. A refresh does not count.
        User errors: at `otherAccessToken`: `TOKEN_INVALID`: it is not the token of a customer who is logged in, let
        them log in to the other account; `TOKEN_EXPIRED`: the token, or the login, is too old or too weak, do the same
        or call `reauthenticate` with that token; `INVALID`: it is the same account, or one with a password that the
        shop chose and nobody changed, or one whose address was changed so lately that this can still be undone: show
        `message`; `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`: refer to the shop; `ANONYMIZATION_OPEN`: the
        other account waits for its erasure; `ACCOUNT_MERGED`: it was joined with a third account; `LIMIT_REACHED`:
        both have too many of something together, `message` says of what: let the customer delete some. At no field:
        `EMAIL_NOT_CONFIRMED`: the address of the other account is confirmed and that of this one is not, so that
        whoever confirms it later would get all of both; let the customer log in with a mailed code (`requestLoginCode`)
        or by a new password (`requestPasswordReset`), and come back.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: the
        login to this account is too long ago, call `reauthenticate` with one of `methods`.
        """
        merged = await service.merge_accounts(
            info.context.uow, input.other_access_token, preview=input.preview or False
        )
        return MergeAccountsPayload(merged=present_merged(merged))
