"""Alerts to try the delivery with, and patience that costs no time."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.alerts.messages import COLUMNS, Alert
from pipelines.outbound import Patience

TODAY = date(2026, 3, 5)


@pytest.fixture
def quick() -> Patience:
    return Patience(tries=3, first_wait_s=0.01, longest_wait_s=0.2, timeout_s=2)


@pytest.fixture
def alert():
    """Makes an alert; what is not given is that of a call with little empathy."""

    def make(key: str = "empathy:c1", **given) -> Alert:
        plain = dict.fromkeys(COLUMNS) | {
            "dedupe_key": key,
            "rule": key.split(":")[0],
            "version": 1,
            "severity": "warning",
            "meaning": "An unhappy customer met little empathy",
            "interaction_id": key.split(":")[1],
            "call_date": TODAY,
            "agent_id": "007",
            "agent_name": "Ann",
            "route": "S01",
            "measure": "empathy_score",
            "party": "agent",
            "value": 12.0,
            "comparison": "below",
            "threshold": 70.0,
            "evidence": "That is the policy. Your card is [card].",
            "evidence_start_s": 65.2,
            "iqs": 41.5,
            "channels": "all",
            "send_within_days": 7,
            "acknowledged": False,
        }
        return Alert(**(plain | given))

    return make
