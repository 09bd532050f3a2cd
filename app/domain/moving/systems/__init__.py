"""The systems whose files the import knows, a file for each."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.moving.drafts import System
from app.domain.moving.systems.auth0 import AUTH0
from app.domain.moving.systems.bigcommerce import BIGCOMMERCE
from app.domain.moving.systems.commercetools import COMMERCETOOLS
from app.domain.moving.systems.firebase import FIREBASE
from app.domain.moving.systems.keycloak import KEYCLOAK
from app.domain.moving.systems.magento import MAGENTO
from app.domain.moving.systems.medusa import MEDUSA
from app.domain.moving.systems.saleor import SALEOR
from app.domain.moving.systems.shopify import SHOPIFY
from app.domain.moving.systems.woocommerce import WOOCOMMERCE

SYSTEMS: Mapping[str, System] = {
    system.name: system
    for system in (
        SHOPIFY,
        WOOCOMMERCE,
        MAGENTO,
        BIGCOMMERCE,
        COMMERCETOOLS,
        SALEOR,
        MEDUSA,
        AUTH0,
        FIREBASE,
        KEYCLOAK,
    )
}
