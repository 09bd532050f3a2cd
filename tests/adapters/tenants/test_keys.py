"""The reference of the tenants file: whole, true, and in the words of the models."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from app.adapters.social.presets import PRESETS
from app.domain.tenants import clients, receivers, rules, sites, social, tenant
from tests.harness.tenant_keys import declared_reference, meanings, read_reference, sections

MODELS = [
    model
    for module in (clients, receivers, rules, sites, social, tenant)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
]


class TestReference:
    def test_stands_in_the_readme_as_the_models_make_it(self) -> None:
        assert read_reference() == declared_reference(), "scripts/schema rewrites it"

    def test_has_every_key_of_every_table(self) -> None:
        shown = {section.head: [key.name for key in section.keys] for section in sections()}
        assert list(shown) == [
            "[tenants.SHOP]",
            "[tenants.SHOP.sites.NAME]",
            "[[tenants.SHOP.clients]]",
            "[tenants.SHOP.clients.links]",
            "[[tenants.SHOP.users]]",
            "[[tenants.SHOP.social]]",
            "[tenants.SHOP.social.signing]",
            "[tenants.SHOP.social.claim_names]",
            "[[tenants.SHOP.webhooks]]",
            "[tenants.SHOP.mixins.NAME]",
            "[tenants.SHOP.password_hook]",
            "[tenants.SHOP.phone_codes]",
            "[tenants.SHOP.challenge]",
            "[tenants.SHOP.limits]",
        ]
        # All fields of all models, but for the three names that the heads of their tables are.
        assert sum(map(len, shown.values())) == sum(len(model.model_fields) for model in MODELS) - 3 - len(
            rules.Lifetimes.model_fields
        )

    @pytest.mark.parametrize("model", MODELS)
    def test_says_of_every_key_what_it_means(self, model: type[BaseModel]) -> None:
        said = meanings(model)
        assert set(said) == set(model.model_fields)
        assert [name for name, text in said.items() if len(text) < 10 or not text.endswith((".", "`"))] == []

    def test_calls_the_keys_what_the_file_calls_them(self) -> None:
        keys = {(section.head, key.name) for section in sections() for key in section.keys}
        assert ("[[tenants.SHOP.clients]]", "secret_env") in keys
        assert ("[[tenants.SHOP.webhooks]]", "previous_secret_env") in keys
        assert ("[tenants.SHOP.mixins.NAME]", "schema_file") in keys
        assert ("[tenants.SHOP.social.signing]", "private_key_env") in keys

    @pytest.mark.parametrize(
        "row",
        [
            '| `signup` | `"open"` or `"confirm_email"` or `"employee_activation"` | must be there |  |',
            "| `access_token_seconds` | whole number, 1 to 315,360,000 | `900` | seconds |",
            "| `anonymization_delay_hours` | whole number, 0 to 8,784 | `24` | hours |",
            '| `anonymization_by` | list of `"integration"` or `"customer"` | `["integration"]` |  |',
            "| `login_tells_status` | `true` or `false` | `true` |  |",
            "| `password_min_length` | whole number, 8 to 15 | `8` | characters |",
            '| `reset_path` | text | `"/reset-password"` |  |',
            "| `name` | text of 1 to 100 characters | must be there |  |",
            "| `operations_file` | name of a JSON file beside the tenants file | none |  |",
            "| `secret_env` | name of an environment variable | must be there |  |",
            "| `login_failures_per_account_per_5_minutes` | whole number, 1 to 1,000,000 | `5` | in 5 minutes |",
            "| `limits` | table `[tenants.SHOP.limits]` | none |  |",
            "| `issuer` | text of at most 300 characters | the preset's, or must be there |  |",
            "| `webhooks` | tables `[[tenants.SHOP.webhooks]]` | none |  |",
        ],
    )
    def test_tells_type_default_and_unit(self, row: str) -> None:
        assert row in declared_reference()

    def test_gives_every_number_that_has_one_its_unit(self) -> None:
        numbers = [key for section in sections() for key in section.keys if key.type.startswith("whole number")]
        assert len(numbers) > 50
        assert [key.name for key in numbers if not key.unit and re.search(r"_(seconds|hours|bytes)$", key.name)] == []

    @pytest.mark.parametrize("provider", PRESETS)
    def test_tells_what_a_preset_fills_in(self, provider: str) -> None:
        (row,) = [line for line in declared_reference().splitlines() if line.startswith(f"| `{provider}` |")]
        assert [key for key in PRESETS[provider] if f"`{key} = " not in row] == []
