"""What must be so in the file for Patroni; run it with ``python -m tests.scaling``."""

import yaml

from tests.scaling.patroni import FILE


def test_only_a_standby_that_has_all_commits_takes_over() -> None:
    dcs = yaml.safe_load(FILE.read_text())["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is True
    assert dcs["maximum_lag_on_failover"] == 0


def test_an_old_primary_has_stepped_down_before_another_is_made() -> None:
    dcs = yaml.safe_load(FILE.read_text())["bootstrap"]["dcs"]
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]


def test_nothing_that_the_service_refuses_is_set() -> None:
    parameters = yaml.safe_load(FILE.read_text())["bootstrap"]["dcs"]["postgresql"]["parameters"]
    assert not parameters.keys() & {"fsync", "full_page_writes", "synchronous_commit"}
