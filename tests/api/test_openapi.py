"""OpenAPI is the contract with frontends: complete, and the same for every operation."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.main import create_app
from encore.settings import Settings
from tests.api.openapi import OpenApi


@pytest.fixture
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return create_app(Settings(_env_file=None)).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_every_path_of_the_loop_is_there(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == {
        "/api/v1/network",
        "/api/v1/creators",
        "/api/v1/creators/{creator_id}",
        "/api/v1/creators/{creator_id}/metrics",
        "/api/v1/creators/{creator_id}/allocation",
        "/api/v1/creators/{creator_id}/transactions",
        "/api/v1/creators/{creator_id}/revenue",
        "/api/v1/creators/{creator_id}/revenue/distributions",
        "/api/v1/creators/{creator_id}/revenue/preview",
        "/api/v1/coins",
        "/api/v1/coins/{address}",
        "/api/v1/coins/{address}/holders",
        "/api/v1/coins/{address}/trades",
        "/api/v1/coins/{address}/candles",
        "/api/v1/coins/{address}/quote",
        "/api/v1/coins/{address}/limits",
        "/api/v1/coins/{address}/transactions",
        "/api/v1/coins/{address}/permit",
        "/api/v1/market",
        "/api/v1/wallets/{address}/portfolio",
        "/api/v1/wallets/{address}/holdings",
        "/api/v1/wallets/{address}/stakes",
        "/api/v1/wallets/{address}/liquidity",
        "/api/v1/wallets/{address}/revenue",
        "/api/v1/wallets/{address}/profits",
        "/api/v1/wallets/{address}/recommendations",
        "/api/v1/wallets/{address}/history",
        "/api/v1/wallets/{address}/history.csv",
        "/api/v1/governance",
        "/api/v1/governance/proposals",
        "/api/v1/governance/proposals/{proposal_id}",
        "/api/v1/governance/proposals/{proposal_id}/votes",
        "/api/v1/governance/voters/{address}",
        "/api/v1/governance/transactions",
        "/api/v1/auth/challenges",
        "/api/v1/auth/sessions",
        "/api/v1/auth/tokens",
        "/api/v1/auth/session",
        "/api/v1/me",
        "/api/v1/me/sessions",
        "/api/v1/me/sessions/{session_id}",
        "/api/v1/me/wallets",
        "/api/v1/me/wallets/challenges",
        "/api/v1/me/wallets/{address}",
        "/api/v1/webhooks",
        "/api/v1/webhooks/{webhook_id}",
        "/api/v1/webhooks/{webhook_id}/secrets",
        "/api/v1/webhooks/{webhook_id}/deliveries",
        "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/retries",
        "/api/v1/webhooks/{webhook_id}/replays",
        "/api/v1/events",
        "/api/v1/prices",
        "/api/v1/me/events",
        "/healthz",
        "/readyz",
    }


def test_every_operation_is_named_and_described(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"] if tag["description"]}, path
        assert all("description" in parameter for parameter in operation.get("parameters", [])), path


def test_every_error_is_declared_as_a_problem(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        declared = {status: answer for status, answer in operation["responses"].items() if not status.startswith("2")}
        assert "default" in declared, path
        for answer in declared.values():
            assert answer["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
        if operation.get("parameters"):
            assert "422" in declared, path


def test_a_parameter_that_may_be_left_out_is_not_also_null(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", []), (path, parameter["name"])


def test_whoever_waits_for_a_block_is_told_that_it_may_not_come(document: dict[str, Any]) -> None:
    waiting = [
        operation
        for _, operation in operations(document)
        if any(parameter["name"] == "min_block" for parameter in operation.get("parameters", []))
    ]
    assert len(waiting) > 20
    for operation in waiting:
        problem = operation["responses"]["409"]["content"]["application/problem+json"]
        assert "block-not-indexed" in problem["examples"]


def test_answers_hold_all_their_fields(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if not name.endswith(("Request", "Change")):
            assert set(schema.get("properties", {})) - set(schema.get("required", [])) <= {"errors"}, name


def test_every_list_has_items_a_cursor_and_its_block(document: dict[str, Any]) -> None:
    pages = {name: schema for name, schema in document["components"]["schemas"].items() if name.endswith("Page")}
    assert set(pages) == {
        "ActivityPage",
        "CandlePage",
        "CoinPage",
        "CreatorPage",
        "DistributionPage",
        "HolderPage",
        "HoldingPage",
        "LiquidityPage",
        "ProfitPage",
        "ProposalPage",
        "RecommendationPage",
        "RevenueDuePage",
        "RevenueSharePage",
        "StakingPage",
        "TradePage",
        "VotePage",
    }
    for schema in pages.values():
        assert schema["required"] == ["items", "next_cursor", "indexed_block"]


def test_every_field_is_shown_by_example_or_explained(document: dict[str, Any]) -> None:
    plain = {"title", "type"}
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if described.get("type") in {"integer", "number"}:
                assert set(described) - plain, f"{name}.{field}"


def test_every_answer_and_every_body_is_shown_by_an_example_of_its_form(document: dict[str, Any]) -> None:
    checker, shown = OpenApi(document), 0
    for path, operation in operations(document):
        given = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for media_type, content in (
            (media_type, content)
            for part in [*given, operation.get("requestBody", {})]
            for media_type, content in part.get("content", {}).items()
        ):
            examples = [example["value"] for example in content.get("examples", {}).values()] or [content["example"]]
            for example in examples:
                shown += 1
                if media_type != "text/event-stream":
                    checker.check(example, content["schema"], path)
    assert shown > 60


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known
