"""Media types as clients and proxies write them."""

from __future__ import annotations

import pytest

from app.http.media_types import FORM, GRAPHQL_RESPONSE, HTML, JSON, choose_answer_type, is_in_utf8


class TestIsInUtf8:
    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json",
            "Application/JSON",
            " application/json ; charset=UTF-8",
            'application/json;charset="utf-8"',
            "application/json; charset=utf8",
            "application/json; profile=x; Charset=utf-8",
            'application/json; profile="a;b, c"; charset=utf-8',
            "application/json;",
        ],
    )
    def test_is_true_however_it_is_written(self, content_type: str) -> None:
        assert is_in_utf8(content_type, JSON)

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            ";",
            "json",
            "application",
            "application/json/x",
            "application/jsonx",
            "application/problem+json",
            "text/plain",
            "application/json; charset=latin1",
            "application/json; charset=",
            "application/json; charset",
            "application/json; charset=utf-8; charset=utf-16",
            "application/json, text/plain",
            "multipart/form-data; boundary=application/json",
            "\xff\xfe",
        ],
    )
    def test_is_false_for_all_others(self, content_type: str) -> None:
        assert not is_in_utf8(content_type, JSON)

    def test_is_asked_for_one_type(self) -> None:
        assert is_in_utf8("application/x-www-form-urlencoded; charset=utf-8", FORM)
        assert not is_in_utf8("application/json", FORM)


class TestChooseAnswerType:
    @pytest.mark.parametrize(
        ("accept", "chosen"),
        [
            ("", JSON),
            ("*/*", JSON),
            ("application/*", JSON),
            ("application/json", JSON),
            ("application/graphql-response+json, application/json;q=0.9", GRAPHQL_RESPONSE),
            ("application/json, application/graphql-response+json", GRAPHQL_RESPONSE),
            ("application/graphql-response+json;q=0.5, application/json", JSON),
            ('application/graphql-response+json; x="a,b;q=0", */*;q=0.1', GRAPHQL_RESPONSE),
            ("text/html, image/gif, *; q=.2, */*; q=.2", JSON),
            ("application/json;q=0, */*", GRAPHQL_RESPONSE),
            ("application/json;Q=0.2, application/graphql-response+json;q=0.1", JSON),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=nan", None),
            ("application/json;q=2", None),
            ("application/json; charset=latin1", None),
            ("nonsense", None),
            (",", None),
        ],
    )
    def test_is_what_the_client_likes_best_of_ours(self, accept: str, chosen: str | None) -> None:
        assert choose_answer_type(accept) == chosen

    def test_is_html_for_a_browser_where_there_is_a_page(self) -> None:
        accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        assert choose_answer_type(accept, html=True) == HTML
        assert choose_answer_type(accept) == JSON
        assert choose_answer_type("*/*", html=True) == JSON
