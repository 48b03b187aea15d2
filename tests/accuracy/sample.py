"""How far the measures of the sample calls are from their known truth. Run `make demo` first, then

    python -m tests.accuracy.sample [LAKE]

prints, over the two-channel calls: talk time, overlap, talk ratio, level, SNR, words and events against
data/sample/truth. The calls are synthetic speech: this shows the machinery, not a centre.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import mean

import polars as pl

from pipelines.contracts.conversation import EVENTS
from pipelines.contracts.metrics import INTERACTION_METRICS, OUTCOMES
from pipelines.lake import Lake
from tests.accuracy.figure import Figure, table

REPOSITORY = Path(__file__).resolve().parents[2]
TRUTH = REPOSITORY / "data" / "sample" / "truth"
COUNTED = ("interruption", "retrieval", "dead_air", "hold")


def measured(lake: Lake) -> tuple[dict, dict]:
    """{interaction: {(metric, party): value}} of the scored calls, and {interaction: [event kinds]}."""
    metrics, events = {}, {}
    for day in lake.days(OUTCOMES):
        eligible = lake.read(OUTCOMES, day).filter(outcome="eligible")["interaction_id"]
        rows = lake.read(INTERACTION_METRICS, day).filter(pl.col("interaction_id").is_in(eligible.implode()))
        for i, metric, party, value in rows.select("interaction_id", "metric", "party", "value").iter_rows():
            metrics.setdefault(i, {})[metric, party] = value
        for i, kind in lake.read(EVENTS, day).select("interaction_id", "kind").iter_rows():
            events.setdefault(i, []).append(kind)
    return metrics, events


def compare(lake: Lake) -> list[tuple[str, int, float, str]]:
    """(measure, number of values, mean absolute error, unit)."""
    metrics, events = measured(lake)
    errors: dict[tuple[str, str], list[float]] = {}

    def note(name: str, unit: str, found: float | None, true: float | None) -> None:
        if found is not None and true is not None:
            errors.setdefault((name, unit), []).append(abs(found - true))

    for path in sorted(TRUTH.glob("*.json")):
        truth = json.loads(path.read_text())
        found = metrics.get(path.stem)
        parties = truth["parties"]
        if found is None or set(parties) != {"agent", "customer"}:
            continue
        talk = {p: sum(s["end_s"] - s["start_s"] for s in about["segments"]) for p, about in parties.items()}
        for party, about in parties.items():
            note("talk time", "% of truth", 100 * found["talk_s", party] / talk[party], 100)
            note("active level", "dB", found["level_dbfs", party], about["active_level_dbfs"])
            note("SNR", "dB", found["snr_db", party], about["snr_db"])
            note("words", "% of truth", 100 * found["word_count", party] / about["n_words"], 100)
        note("agent's talk ratio", "", found["talk_ratio", "agent"], talk["agent"] / sum(talk.values()))
        note("overlap", "s", found["overlap_ratio", "call"] * found["conversation_s", "call"], truth["overlap_s"])
        for kind in COUNTED:
            true = sum(1 for e in truth["events"] if e["kind"] == kind)
            note(f"{kind.replace('_', ' ')} events", "count a call", events.get(path.stem, []).count(kind), true)
    return [(name, len(values), mean(values), unit) for (name, unit), values in errors.items()]


def figures(quick: bool = False, root: Path = REPOSITORY / "data" / "demo" / "lake") -> list[Figure]:
    """Mean absolute errors over the sample's two-channel calls; FileNotFoundError without a demo's lake."""
    if not root.is_dir():
        raise FileNotFoundError(f"there is no lake at {root}: run `make demo` first")
    note = "synthetic speech: shows the machinery, not a centre"
    return [
        Figure(f"{name}, mean absolute error", "sample calls with known truth", n, error, unit, note=note)
        for name, n, error, unit in compare(Lake(root))
    ]


if __name__ == "__main__":
    print(table(figures(root=Path(sys.argv[1])) if len(sys.argv) > 1 else table(figures())))
