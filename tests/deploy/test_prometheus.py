"""Alerts and the dashboard: read by their own tools, and of metrics that are there."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.deploy import DEPLOY, ROOT, needs

FOLDER = DEPLOY / "prometheus"
RULES = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
CASES = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "optout.json").read_text())
PAGE = (ROOT / "docs" / "metrics.md").read_text()
METRICS = set(re.findall(r"^\| `(optout_[a-z_]+)`", PAGE, re.MULTILINE))


def measured(expression: str) -> set[str]:
    """The metrics an expression is about; a histogram has three names more."""
    names = re.findall(r"\boptout_[a-z_]+", expression)
    return {re.sub("_(bucket|count|sum)$", "", name) for name in names}


@needs.without("promtool")
@pytest.mark.parametrize("command", ["check rules alerts.yaml", "test rules alerts_test.yaml"])
def test_the_alerts_are_what_prometheus_reads_and_come_when_they_must(command: str) -> None:
    ran = subprocess.run(
        ["promtool", *command.split()], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_tried_both_ways_and_the_page_says_what_to_do(rule: dict[str, Any]) -> None:
    tried = {
        bool(one.get("exp_alerts"))
        for case in CASES
        for one in case["alert_rule_test"]
        if one["alertname"] == rule["alert"]
    }
    assert tried == {True, False}
    page = (ROOT / "docs" / "operations.md").read_text()
    (row,) = re.findall(rf"^\| `{rule['alert']}` \|(.*)\|$", page, re.MULTILINE)
    means, to_do = row.split(" | ")
    assert len(means.split()) > 4
    assert len(to_do.split()) > 10


def test_the_page_shows_the_very_alerts() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert shown == (FOLDER / "alerts.yaml").read_text()


def test_alerts_and_panels_are_of_metrics_that_are_there() -> None:
    expressions = [rule["expr"] for rule in RULES]
    expressions += [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    used = set().union(*map(measured, expressions))
    assert len(used) > 15
    assert used - METRICS == set()


def test_no_panel_lies_on_another_and_each_has_a_number() -> None:
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24


@needs.without("promtool")
@pytest.mark.parametrize("panel", BOARD["panels"], ids=lambda panel: panel["title"])
def test_a_panel_asks_what_prometheus_can_read(panel: dict[str, Any], tmp_path: Any) -> None:
    rules = [
        {"record": "panel", "expr": target["expr"].replace("$__rate_interval", "5m")}
        for target in panel["targets"]
    ]
    (tmp_path / "rules.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "p", "rules": rules}]})
    )
    ran = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "rules.yaml"], capture_output=True, check=False
    )
    # It objects to rules of one name, and has read them by then.
    assert b"could not parse" not in ran.stdout + ran.stderr
