"""The risk that the customer escalates: a logistic form whose weights are rows of a seed."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts.measured import Measured, NotMeasured

INTERCEPT = "intercept"
# term -> (what it is, the largest value that counts)
TERMS: dict[str, tuple[str, float]] = {
    "customer_end_negativity": ("how far below 0 the customer's sentiment ends, 0 … 1", 1.0),
    "customer_sentiment_drop": ("how far the customer's sentiment fell from the first to the last quarter", 2.0),
    "customer_level_rise_db": ("how much louder the customer became, dB", 12.0),
    "agent_interruptions_per_min": ("interruptions of the customer per minute of the customer's speech", 6.0),
    "customer_interruptions_per_min": ("interruptions of the agent per minute of the agent's speech", 6.0),
    "repetitions": ("times the customer had to say the same again", 4.0),
    "escalation_words": ("sum of the weights of the customer's escalation phrases", 4.0),
    "unresolved": ("1 where the end of the talk says that it is unresolved", 1.0),
}


class WeightError(ValueError):
    """escalation_weights.csv can't be used; the message names file, line and reason."""


@dataclass(frozen=True)
class EscalationWeights:
    """Weight of each term, and the intercept: the log odds of a call in which nothing stands out."""

    weights: dict[str, float]

    @classmethod
    def read(cls, seeds: Path) -> EscalationWeights:
        """Weights from `escalation_weights.csv` (columns term, weight, meaning) in the folder `seeds`.

        Every term must stand there once, none may be negative but the intercept; WeightError says what is wrong.
        """
        path = seeds / "escalation_weights.csv"
        weights: dict[str, float] = {}
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            for row in reader:
                place = f"{path.name}, line {reader.line_num}"
                term = (row.get("term") or "").strip()
                if term != INTERCEPT and term not in TERMS:
                    raise WeightError(f"{place}: unknown term {term!r}; known are {INTERCEPT}, {', '.join(TERMS)}")
                if term in weights:
                    raise WeightError(f"{place}: the term {term} stands there twice")
                try:
                    weights[term] = float(row.get("weight") or "")
                except ValueError:
                    raise WeightError(f"{place}: weight {row.get('weight')!r} is not a number") from None
                if not math.isfinite(weights[term]) or (term != INTERCEPT and weights[term] < 0):
                    raise WeightError(f"{place}: the weight of {term} must be a number of 0 or more")
        missing = [t for t in (INTERCEPT, *TERMS) if t not in weights]
        if missing:
            raise WeightError(f"{path.name}: missing terms {', '.join(missing)}")
        return cls(weights)


def escalation_risk(terms: dict[str, Measured], weights: EscalationWeights) -> tuple[float, dict[str, float]]:
    """Probability 0 … 1 and each term's contribution to the log odds, the intercept's included.

    risk = 1 ÷ (1 + exp(-(intercept + Σ weight × term))), every term cut to 0 … its largest value. A term that
    could not be measured contributes nothing and is not among the contributions. The weights are set by judgement,
    not fitted: the figure orders calls, it is no calibrated probability.
    """
    contributions = {INTERCEPT: weights.weights[INTERCEPT]}
    for term, value in terms.items():
        if not isinstance(value, NotMeasured):
            contributions[term] = weights.weights[term] * min(max(value, 0.0), TERMS[term][1])
    return 1 / (1 + math.exp(-sum(contributions.values()))), contributions


def explain(risk: float, contributions: dict[str, float]) -> str:
    """The contributions in words, largest first, for the evidence of an event."""
    parts = sorted(((v, k) for k, v in contributions.items() if k != INTERCEPT and v), reverse=True)
    terms = ", ".join(f"{name} {value:+.2f}" for value, name in parts) or "nothing stands out"
    return f"risk {risk:.2f}: {INTERCEPT} {contributions[INTERCEPT]:+.2f}, {terms}"
