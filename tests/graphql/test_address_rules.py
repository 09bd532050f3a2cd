"""What the form of an address is made from, over the public API."""

from __future__ import annotations

import pytest

from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

RULES = """query ($country: String!) {
  addressRules(country: $country) {
    requiredFields format formatLatin zipCodePattern zipCodeExamples states { code name latinName }
  }
}"""


class TestAddressRules:
    async def test_say_how_a_country_writes_addresses(self, gateway: Gateway) -> None:
        token = (await gateway.anonymous()).access
        rules = (await gateway.graphql(RULES, {"country": "jp"}, token))["addressRules"]
        assert rules["states"][12] == {"code": "13", "name": "東京都", "latinName": "Tokyo"}
        assert rules["zipCodePattern"] == r"\d{3}-?\d{4}"
        assert "154-0023" in rules["zipCodeExamples"]
        assert rules["format"] == "〒{zipCode}\n{state}\n{street}\n{companyName}\n{contactName}"
        assert rules["formatLatin"] == "{contactName}\n{companyName}\n{street}, {state}\n{zipCode}"
        assert rules["requiredFields"] == ["zipCode", "state", "street", "contactName"]

    async def test_are_null_where_there_is_no_such_country(self, gateway: Gateway) -> None:
        token = (await gateway.anonymous()).access
        for country in ("XX", "", "../de", "ZZ", "Germany"):
            assert (await gateway.graphql(RULES, {"country": country}, token))["addressRules"] is None

    async def test_leave_out_what_a_country_does_not_have(self, gateway: Gateway) -> None:
        token = (await gateway.anonymous()).access
        rules = (await gateway.graphql(RULES, {"country": "AE"}, token))["addressRules"]
        assert (rules["zipCodePattern"], rules["zipCodeExamples"]) == (None, [])
        rules = (await gateway.graphql(RULES, {"country": "AD"}, token))["addressRules"]
        assert rules["states"] == []
