"""Turns measured against people: remote consultations whose two channels were timed and transcribed by hand.

    python -m tests.accuracy.turns [FOLDER]

FOLDER holds gold_turn_metrics.csv and a TextGrid per consultation and party (primock57, CC BY 4.0); default is
realdata/timed_consultations beside the repository. Prints, for each figure, its mean and ours, and the mean
absolute error over the consultations: of the floor built from the hand-timed intervals, then of the same
intervals shifted by random errors of the size that voice activity makes. Two gold columns are of another
definition: its words per minute take every word (the rows "all words"), ours the turns of 5 and more words; its
starts over the other have a rule that isn't documented, ours count overlaps of more than 0.5 s.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pipelines.conversation import Segment, Utterance, conversation_measures, find_events, floor_of
from pipelines.conversation.floor import length_s
from tests.accuracy.figure import REAL_DATA, Figure

FOLDER = REAL_DATA / "timed_consultations"
PARTY_OF = {"doctor": "agent", "patient": "customer"}
INTERVAL = re.compile(r'xmin = ([\d.]+)\s+xmax = ([\d.]+)\s+text = "((?:[^"]|"")*)"')
MARK = re.compile(r"<[^>]*>")


def utterances(folder: Path, consultation: str) -> list[Utterance]:
    """The hand-timed intervals of both parties that hold words or unintelligible speech."""
    found = []
    for role, party in PARTY_OF.items():
        text = (folder / f"{consultation}_{role}.TextGrid").read_text(encoding="utf-8")
        for start, end, said in INTERVAL.findall(text):
            if said.strip():
                words = MARK.sub(" ", said).replace('""', '"')
                found.append(Utterance(party, float(start), float(end), words, len(words.split())))
    return found


def measured(gold: dict[str, str], said: list[Utterance], shift_s: float, seed: int) -> tuple[dict, Counter]:
    """Our figures under the gold columns' names, and the count of each event."""
    noise = random.Random(seed)

    def moved(u: Utterance) -> Segment:
        start_s = max(0.0, u.start_s + noise.gauss(0, shift_s))
        return Segment(u.party, start_s, max(start_s, u.end_s + noise.gauss(0, shift_s)))

    floor = floor_of([moved(u) for u in said], said)
    events = find_events(floor, said)
    measures = conversation_measures(floor, events, said)
    kinds = Counter((e["kind"], e["party"]) for e in events)
    outside_s = float(gold["dur"]) - floor.conversation_s
    starts = {
        party: sum(
            any(o.start_s < s.start_s and min(o.end_s, s.end_s) - s.start_s > 0.5 for o in floor.of(other))
            for s in floor.of(party)
        )
        for party, other in (("agent", "customer"), ("customer", "agent"))
    }
    ours = {
        "agent_talk_s": measures["talk_s", "agent"],
        "cust_talk_s": measures["talk_s", "customer"],
        "agent_share": measures["talk_ratio", "agent"],
        "overlap_s": length_s(floor.overlaps),
        "silence_s": floor.silence_s + outside_s,
        "agent_wpm, all words": measures["articulation_rate_wpm", "agent"],
        "cust_wpm, all words": measures["articulation_rate_wpm", "customer"],
        "agent_wpm": measures["speaking_rate_wpm", "agent"],
        "cust_wpm": measures["speaking_rate_wpm", "customer"],
        "agent_starts_over_cust": starts["agent"],
        "cust_starts_over_agent": starts["customer"],
    }
    return ours, kinds


def consultations(folder: Path) -> tuple[list[dict[str, str]], list[list[Utterance]]]:
    """The hand-made figures and the utterances of every consultation; FileNotFoundError where they are absent."""
    gold_file = folder / "gold_turn_metrics.csv"
    if not gold_file.exists():
        raise FileNotFoundError(f"the timed consultations are not at {folder}")
    with gold_file.open(newline="", encoding="utf-8") as file:
        golds = list(csv.DictReader(file))
    return golds, [utterances(folder, gold["id"]) for gold in golds]


def figures(quick: bool = False, folder: Path = FOLDER) -> list[Figure]:
    """Mean absolute errors over the consultations, with times off by as much as voice activity's."""
    golds, talks = consultations(folder)
    if quick:
        golds, talks = golds[:10], talks[:10]
    results = [measured(g, said, 0.1, i) for i, (g, said) in enumerate(zip(golds, talks, strict=True))]
    note = "hand-made times shifted at random (sd 0.1 s): no audio is there; nothing was tuned on it"
    out = []
    for name in results[0][0]:
        pairs = [(float(g[name.split(",")[0]]), float(ours[name])) for g, (ours, _) in zip(golds, results, strict=True)]
        error = sum(abs(a - b) for a, b in pairs) / len(pairs)
        gold = sum(a for a, _ in pairs) / len(pairs)
        out.append(
            Figure(
                f"{name}, mean absolute error",
                f"hand-timed consultations (mean {gold:.4g})",
                len(pairs),
                error,
                "",
                note=note,
            )
        )
    return out


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    try:
        golds, talks = consultations(folder)
    except FileNotFoundError as error:
        print(f"skipped: {error}")
        return 0
    for shift_s in (0.0, 0.1):
        results = [measured(g, said, shift_s, i) for i, (g, said) in enumerate(zip(golds, talks, strict=True))]
        _report(golds, results, f"{len(golds)} consultations, times off by {shift_s} s (standard deviation)")
    return 0


def _report(golds: list[dict[str, str]], results: list[tuple[dict, Counter]], title: str) -> None:
    print(f"\n{title}\n{'figure':<24}{'gold':>10}{'ours':>10}{'mean |error|':>14}{'worst':>10}")
    mean: Callable[[list[float]], float] = lambda values: sum(values) / len(values)  # noqa: E731
    for name in results[0][0]:
        pairs = [(float(g[name.split(",")[0]]), float(ours[name])) for g, (ours, _) in zip(golds, results, strict=True)]
        errors = [abs(a - b) for a, b in pairs]
        print(
            f"{name:<24}{mean([a for a, _ in pairs]):>10.3f}{mean([b for _, b in pairs]):>10.3f}"
            f"{mean(errors):>14.3f}{max(errors):>10.3f}"
        )
    kinds = sum((k for _, k in results), Counter())
    for (kind, party), n in sorted(kinds.items()):
        print(f"  {kind:<24}{party:<10}{n:>6}")


if __name__ == "__main__":
    sys.exit(main())
