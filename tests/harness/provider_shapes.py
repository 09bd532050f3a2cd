"""What the well-known providers answer with, as their public documentation shows it, for our own provider to serve.

Each shape names the pages that it was made from. Names and numbers of people are made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness.social import CLIENT_ID, CLIENT_SECRET, MintingProvider, send

# A number that no double holds exactly: a subject must come through unchanged.
BIG = 9007199254740993
DIRECTORY = "2b1e4b3c-5d6f-4a7b-8c9d-0e1f2a3b4c5d"


@dataclass(frozen=True, slots=True)
class Shape:
    """One provider.

    `claims` go into its id token, `userinfo` is the whole answer of its call about the person, `emails` of that about
    addresses. `subject`, `email`, `verified`, `trusted` and `names` are what we have to understand. `user` is what it
    posts at somebody's first login, `token` goes into the answer of its token endpoint, and `revokes` tells whether it
    has a revocation endpoint.
    """

    preset: str
    subject: str
    email: str | None
    verified: bool
    names: tuple[str | None, str | None]
    trusted: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict)
    userinfo: Mapping[str, Any] | None = None
    emails: tuple[Mapping[str, Any], ...] | None = None
    path: str = ""
    announced_issuer: Callable[[str], str] | None = None
    refusal: tuple[int, Mapping[str, Any]] = (400, {"error": "invalid_grant", "error_description": "Bad code"})
    secret_signs: bool = False
    user: str | None = None
    token: Mapping[str, Any] = field(default_factory=dict)
    revokes: bool = False
    sends_nonce: bool = True

    @property
    def is_openid(self) -> bool:
        """Whether a code brings an id token."""
        return self.userinfo is None

    def entry(self, issuer: str) -> dict[str, Any]:
        """Return the provider's entry in a tenants file, whose endpoints are ours."""
        entry: dict[str, Any] = {"provider": self.preset, "issuer": f"{issuer}{self.path}", "client_id": CLIENT_ID}
        entry["client_secret"] = CLIENT_SECRET
        if self.userinfo is not None:
            entry |= {
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
            }
        if self.revokes and not self.is_openid:
            entry["revocation_endpoint"] = f"{issuer}/revoke"
        if self.emails is not None:
            entry["emails_endpoint"] = f"{issuer}/emails"
        return entry

    def serve(self, minted: MintingProvider) -> None:
        """Have the provider answer as this one does."""
        minted.claims = {"email": None, "email_verified": None, **self.claims}
        minted.token = dict(self.token)
        minted.posted = {"user": self.user}
        if self.revokes and self.is_openid:
            minted.announced["revocation_endpoint"] = f"{minted.issuer}/revoke"
        if not self.sends_nonce:
            minted.claims |= {"nonce": None}
        if self.path:
            document = f"{self.path}/.well-known/openid-configuration"
            minted.answers[document] = lambda handler: send(handler, minted.discovery())
        if self.announced_issuer is not None:
            minted.announced["issuer"] = self.announced_issuer(minted.issuer)
        if self.userinfo is not None:
            minted.token = {"id_token": None, **self.token}
            minted.answers["/userinfo"] = lambda handler: send(handler, self.userinfo)
        if self.emails is not None:
            minted.answers["/emails"] = lambda handler: send(handler, list(self.emails or ()))


def microsoft(directory: str, issuer: str) -> str:
    """Return the issuer of a directory."""
    return f"{issuer}/{directory}/v2.0"


SHAPES = {
    shape.preset: shape
    for shape in (
        # https://developers.google.com/identity/openid-connect/openid-connect
        Shape(
            "google",
            "110169484474386276334",
            "ada@example.com",
            verified=True,
            trusted=True,
            names=("Ada", "Lovelace"),
            claims={
                "sub": "110169484474386276334",
                "azp": CLIENT_ID,
                "email": "ada@example.com",
                "email_verified": True,
                "hd": "example.com",
                "given_name": "Ada",
                "family_name": "Lovelace",
                "name": "Ada Lovelace",
            },
        ),
        # https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple
        # https://developer.apple.com/documentation/signinwithapplejs/configuring-your-webpage-for-sign-in-with-apple
        # https://developer.apple.com/documentation/signinwithapplerestapi/revoke-tokens
        Shape(
            "apple",
            "001999.5cb1d6f9e1234b8f8f3a3cb0d6f0.0123",
            "x7k2@privaterelay.appleid.com",
            verified=True,
            names=(None, None),
            claims={
                "sub": "001999.5cb1d6f9e1234b8f8f3a3cb0d6f0.0123",
                "email": "x7k2@privaterelay.appleid.com",
                "email_verified": "true",
                "is_private_email": "true",
                "nonce_supported": True,
            },
            user='{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"x7k2@privaterelay.appleid.com"}',
            token={"access_token": "a7c1.0.mxyz.Kk", "expires_in": 3600, "refresh_token": "r4d5.0.mxyz.Xw"},
            revokes=True,
        ),
        # https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
        Shape(
            "microsoft",
            "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "ada@example.com",
            verified=True,
            trusted=True,
            names=("Ada", "Lovelace"),
            path="/common/v2.0",
            announced_issuer=lambda issuer: microsoft("{tenantid}", issuer),
            claims={
                "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
                "ver": "2.0",
                "tid": DIRECTORY,
                "oid": "00000000-0000-0000-66f3-3332eca7ea81",
                "email": "ada@example.com",
                "xms_edov": True,
                "name": "Ada Lovelace",
                "preferred_username": "ada@example.com",
            },
        ),
        # https://developers.facebook.com/docs/graph-api/reference/user
        Shape(
            "facebook",
            "10224971234567890",
            "ada@example.com",
            verified=False,
            names=("Ada", "Lovelace"),
            userinfo={
                "id": "10224971234567890",
                "email": "ada@example.com",
                "first_name": "Ada",
                "last_name": "Lovelace",
            },
            refusal=(
                400,
                {"error": {"message": "Bad code", "type": "OAuthException", "code": 100, "fbtrace_id": "A1"}},
            ),
        ),
        # https://docs.github.com/rest/users/users, https://docs.github.com/rest/users/emails
        Shape(
            "github",
            str(BIG),
            "ada@example.com",
            verified=True,
            names=("Ada", "Lovelace"),
            userinfo={"login": "ada", "id": BIG, "node_id": "MDQ6VXNlcjE=", "name": "Ada Lovelace", "email": None},
            emails=(
                {"email": "old@example.com", "verified": True, "primary": False, "visibility": None},
                {"email": "ada@example.com", "verified": True, "primary": True, "visibility": "private"},
            ),
            refusal=(200, {"error": "bad_verification_code", "error_description": "Bad code", "error_uri": "/docs"}),
        ),
        # https://developers.line.biz/en/docs/line-login/verify-id-token/
        Shape(
            "line",
            "U1234567890abcdef1234567890abcdef",
            "ada@example.com",
            verified=False,
            names=("Ada", "Lovelace"),
            secret_signs=True,
            claims={
                "sub": "U1234567890abcdef1234567890abcdef",
                "amr": ["linesso"],
                "name": "Ada Lovelace",
                "email": "ada@example.com",
            },
        ),
        # https://developers.kakao.com/docs/latest/en/kakaologin/rest-api#req-user-info
        Shape(
            "kakao",
            str(BIG),
            "ada@example.com",
            verified=True,
            names=(None, "Ada"),
            userinfo={
                "id": BIG,
                "connected_at": "2026-04-11T01:45:28Z",
                "kakao_account": {
                    "profile": {"nickname": "Ada"},
                    "is_email_valid": True,
                    "is_email_verified": True,
                    "email": "ada@example.com",
                },
            },
            refusal=(400, {"error": "invalid_grant", "error_description": "Bad code", "error_code": "KOE320"}),
        ),
        # https://developers.tiktok.com/doc/tiktok-api-v2-get-user-info/
        Shape(
            "tiktok",
            "723f24d7-e717-40f8-a2b6-cb8464cd23b4",
            None,
            verified=False,
            names=("Ada", "Lovelace"),
            userinfo={
                "data": {"user": {"open_id": "723f24d7-e717-40f8-a2b6-cb8464cd23b4", "display_name": "Ada Lovelace"}},
                "error": {"code": "ok", "message": "", "log_id": "2026"},
            },
            refusal=(400, {"error": "invalid_grant", "error_description": "Bad code", "log_id": "2026"}),
        ),
        # https://discord.com/developers/docs/resources/user#user-object
        Shape(
            "discord",
            "80351110224678912",
            "ada@example.com",
            verified=True,
            names=("Ada", "Lovelace"),
            userinfo={
                "id": "80351110224678912",
                "username": "ada",
                "global_name": "Ada Lovelace",
                "verified": True,
                "email": "ada@example.com",
            },
            token={"expires_in": 604800, "refresh_token": "D43f5y0ahjqew82jZ4NViEr2YafMKhue", "scope": "identify"},
            revokes=True,
        ),
        # https://docs.x.com/x-api/users/user-lookup-me
        Shape(
            "x",
            "2244994945",
            "ada@example.com",
            verified=False,
            names=("Ada", "Lovelace"),
            userinfo={
                "data": {
                    "id": "2244994945",
                    "name": "Ada Lovelace",
                    "username": "ada",
                    "confirmed_email": "ada@example.com",
                }
            },
            refusal=(400, {"error": "invalid_request", "error_description": "Bad code"}),
            token={"expires_in": 7200, "refresh_token": "bWRWa3gzdnk3WHRGU1o0bmRRcTJ5VHY"},
            revokes=True,
        ),
        # https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
        Shape(
            "linkedin",
            "782bbtaQ",
            "ada@example.com",
            verified=True,
            names=("Ada", "Lovelace"),
            sends_nonce=False,
            claims={
                "sub": "782bbtaQ",
                "name": "Ada Lovelace",
                "given_name": "Ada",
                "family_name": "Lovelace",
                "locale": "en-US",
                "email": "ada@example.com",
                "email_verified": True,
            },
            refusal=(400, {"error": "invalid_request", "error_description": "Bad code"}),
        ),
    )
}
