"""Valid values to begin a test from; a test changes what it is about."""

from __future__ import annotations

from typing import Any

PASSWORD = "violet-harbour-42"


def signup_input(**changes: Any) -> dict[str, Any]:
    """Return the smallest valid `SignupInput`, with these changes."""
    return {"email": "ada@example.com", "password": PASSWORD, **changes}


def address_input(**changes: Any) -> dict[str, Any]:
    """Return a valid `AddressInput`, with these changes."""
    return {
        "contactName": "Ada Lovelace",
        "street": "Unter den Linden",
        "streetNumber": "77a",
        "zipCode": "10117",
        "city": "Berlin",
        "country": "DE",
        **changes,
    }


def tutorial_address(**changes: Any) -> dict[str, Any]:
    """Return an `AddressInput` that says everything, with the values of a tutorial, and these changes."""
    return {
        "contactName": "John Doe",
        "companyName": "Emporix",
        "street": "Fritz-Elsas-Straße",
        "streetNumber": "20",
        "streetAppendix": "Building B",
        "extraLine1": "Entrance at the back",
        "extraLine2": "Third floor",
        "extraLine3": "Room 12",
        "extraLine4": "Ring twice",
        "zipCode": "70173",
        "city": "Stuttgart",
        "country": "DE",
        "state": "Baden-Württemberg",
        "contactPhone": "+49 711 2345678",
        "tags": ["shipping", "billing"],
        **changes,
    }


def tutorial_signup(**changes: Any) -> dict[str, Any]:
    """Return a `SignupInput` that says everything, with the values of a tutorial, and these changes."""
    return {
        "email": "john.doe@example.com",
        "password": PASSWORD,
        "customerDetails": {
            "title": "MR",
            "firstName": "John",
            "lastName": "Doe",
            "contactEmail": "john.doe@office.example.com",
            "contactPhone": "+49 711 1234567",
            "company": "Emporix",
            "preferredLanguage": "en_US",
            "preferredCurrency": "EUR",
            "preferredSite": "main",
            "businessModel": "B2B",
            "b2b": {
                "companyRegistrationId": "123-456-789",
                "legalEntities": [{"name": "Emporix AG"}, {"name": "Emporix Poland"}],
            },
        },
        "customerAddress": tutorial_address(),
        **changes,
    }
