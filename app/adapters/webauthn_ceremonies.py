"""The steps of a passkey ceremony by the library `webauthn`; see the port `Passkeys`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.domain.passkeys import (
    CREDENTIAL_ID_LENGTH,
    KeyUse,
    KnownKey,
    NewKey,
    PasskeyUser,
    RelyingParty,
    StoredKey,
    invalid_passkey,
)

Result = TypeVar("Result")

# What an authenticator that does not tell its model says (WebAuthn Level 3 section 6.5.1).
_NO_MODEL = "00000000-0000-0000-0000-000000000000"
_MILLISECONDS = 1_000


def creation_options(
    party: RelyingParty, user: PasskeyUser, challenge: bytes, exclude: Sequence[KnownKey], seconds: int
) -> dict[str, Any]:
    """Return what the browser makes a passkey by."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user.handle,
        user_name=user.name,
        user_display_name=user.display_name,
        challenge=challenge,
        timeout=seconds * _MILLISECONDS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_descriptor(key) for key in exclude],
    )
    return options_to_json_dict(options)


def request_options(party: RelyingParty, challenge: bytes, allow: Sequence[KnownKey], seconds: int) -> dict[str, Any]:
    """Return what the browser finds a passkey by."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=seconds * _MILLISECONDS,
        allow_credentials=[_descriptor(key) for key in allow],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def _descriptor(key: KnownKey) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(each) for each in key.transports]
    return PublicKeyCredentialDescriptor(id=key.credential_id, transports=transports or None)


def verify_registration(party: RelyingParty, challenge: bytes, answer: Any) -> NewKey:
    """Return the passkey that was made; PASSKEY_INVALID."""
    return _refuse_whatever_is_wrong(lambda: _registered(party, challenge, answer))


def verify_use(party: RelyingParty, challenge: bytes, answer: Any, key: StoredKey) -> KeyUse:
    """Return what the use of a passkey proves; PASSKEY_INVALID."""
    return _refuse_whatever_is_wrong(lambda: _used(party, challenge, answer, key))


def _refuse_whatever_is_wrong(read: Callable[[], Result]) -> Result:
    """Return what `read` makes of a stranger's bytes, or raise PASSKEY_INVALID.

    For broken CBOR, keys and structures the library raises far more than its own errors.
    """
    try:
        return read()
    except Exception as error:
        raise invalid_passkey() from error


def _registered(party: RelyingParty, challenge: bytes, answer: Any) -> NewKey:
    if not isinstance(answer, dict):
        raise invalid_passkey()
    credential = parse_registration_credential_json(answer)
    _refuse_foreign_frames(credential.response.client_data_json)
    verified = verify_registration_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=list(party.origins),
        require_user_verification=True,
    )
    # The id outside of what the authenticator has made is only what the browser says.
    if credential.raw_id != verified.credential_id or len(verified.credential_id) > CREDENTIAL_ID_LENGTH:
        raise invalid_passkey()
    return NewKey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        is_synced=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
        transports=tuple(dict.fromkeys(each.value for each in credential.response.transports or ())),
        aaguid=verified.aaguid if verified.aaguid != _NO_MODEL else None,
    )


def _used(party: RelyingParty, challenge: bytes, answer: Any, key: StoredKey) -> KeyUse:
    if not isinstance(answer, dict):
        raise invalid_passkey()
    credential = parse_authentication_credential_json(answer)
    _refuse_foreign_frames(credential.response.client_data_json)
    verified = verify_authentication_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=list(party.origins),
        credential_public_key=key.public_key,
        credential_current_sign_count=key.sign_count,
        require_user_verification=True,
    )
    handle = credential.response.user_handle
    if handle != key.handle if handle is not None else key.must_name_owner:
        raise invalid_passkey()
    # Whether a key may have a backup never changes (WebAuthn Level 3 section 6.1.3).
    if key.is_synced is not (verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE):
        raise invalid_passkey()
    return KeyUse(verified.new_sign_count, verified.credential_backed_up)


def _refuse_foreign_frames(client_data_json: bytes) -> None:
    """Refuse an answer from a frame in another site's page, where a person can be made to click (section 13.4.9)."""
    if parse_client_data_json(client_data_json).cross_origin:
        raise invalid_passkey()
