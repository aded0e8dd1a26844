"""The dashboards and alert rules of deploy/ against the metrics that the processes really export."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from api.telemetry import Telemetry as ApiTelemetry
from api.webhooks.telemetry import Telemetry as WebhooksTelemetry
from encore import PROJECT_ROOT
from indexer.telemetry import Telemetry as IndexerTelemetry
from oracle.telemetry import Telemetry as OracleTelemetry

DEPLOY: Final = PROJECT_ROOT / "deploy"
DASHBOARDS: Final = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
PROCESSES: Final[dict[str, Callable[[], bytes]]] = {
    "encore-api": ApiTelemetry().exposition,
    "encore-indexer": IndexerTelemetry().exposition,
    "encore-oracle": OracleTelemetry(lambda: datetime.now(UTC)).exposition,
    "encore-webhooks": WebhooksTelemetry(time.time).exposition,
}
SUFFIXES: Final = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
ADDED_BY_PROMETHEUS: Final = {"job", "instance", "up"}
AGGREGATIONS: Final = {"max", "min", "sum", "topk", "by"}
FUNCTIONS: Final = {"absent", "changes", "histogram_quantile", "increase", "rate", "vector", "and", "on", "or"}
LABELS: Final = {"operation", "status", "endpoint", "reason", "outcome", "le"}


def exported() -> set[str]:
    """The names of all series that the processes serve from their start, or will once there is something to tell."""
    return {
        family.name + suffix
        for expose in PROCESSES.values()
        for family in text_string_to_metric_families(expose().decode())
        for suffix in SUFFIXES[family.type]
    }


def used(expression: str) -> set[str]:
    """What is named in PromQL outside quotes, ranges and matchers: series, labels, functions."""
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    return set(re.findall(r"[a-zA-Z_]\w*", bare))


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]:
        yield from group["rules"]


def panels(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["panels"]
    return found


def queries(path: Path) -> Iterator[str]:
    for panel in panels(path):
        for target in panel.get("targets", []):
            yield target["expr"]


def test_every_metric_that_a_rule_or_a_dashboard_names_is_exported() -> None:
    known = exported() | ADDED_BY_PROMETHEUS | AGGREGATIONS | FUNCTIONS | LABELS
    for rule in rules():
        assert used(rule["expr"]) <= known, rule["alert"]
    for path in DASHBOARDS:
        for query in queries(path):
            assert used(query) <= known, path.name


def test_every_metric_of_ours_is_on_a_dashboard() -> None:
    shown = set().union(*(used(query) for path in DASHBOARDS for query in queries(path)))
    ours = {name for name in exported() if name.startswith("encore_") and not name.endswith("_created")}
    assert ours <= shown


def test_every_rule_says_for_how_long_how_bad_what_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert re.fullmatch(r"[1-9]\d*[mh]", rule["for"])
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert all(len(rule["annotations"][name]) > 10 for name in ("summary", "runbook"))


def test_every_rule_is_tested() -> None:
    tests = (DEPLOY / "prometheus" / "alerts_test.yml").read_text()
    with_tests_of_their_own = ("EncoreOracle", "EncoreIndexer", "EncoreChain")  # tests/oracle/test_alerts.py
    for rule in rules():
        assert rule["alert"].startswith(with_tests_of_their_own) or rule["alert"] in tests


def test_the_jobs_that_rules_and_dashboards_name_are_scraped() -> None:
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert [job["job_name"] for job in scraped] == list(PROCESSES)
    texts = [rule["expr"] for rule in rules()] + [query for path in DASHBOARDS for query in queries(path)]
    named = {name for text in texts for name in re.findall(r'job="([^"]*)"', text)}
    assert named == PROCESSES.keys()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_s_panels_have_their_own_places_and_ask_the_chosen_prometheus(path: Path) -> None:
    found = panels(path)
    assert len({panel["id"] for panel in found}) == len(found)
    places = [panel["gridPos"] for panel in found]
    for place in places:
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
    for panel in found:
        for target in panel.get("targets", []):
            assert panel["datasource"] == target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_grafana_finds_what_is_provisioned() -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    (provider,) = yaml.safe_load((folder / "dashboards" / "encore.yml").read_text())["providers"]
    assert provider["type"] == "file"
    assert {json.loads(path.read_text())["uid"] for path in DASHBOARDS} == PROCESSES.keys()
