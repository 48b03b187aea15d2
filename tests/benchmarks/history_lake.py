"""A long history of a large centre, written straight into a lake: what the Python stages would have left there.

Everything is drawn with a seed, and each day from its own, so that a day is the same however many stand beside it.
Agents differ in skill, come and go; issue types and campaigns differ; the centre gets a little better over time; a
change of a process helps one issue type from the middle of the history on. Values are missing with reasons, as on real
days.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from pipelines.contracts import Table, all_tables
from pipelines.contracts.logs import LOGS
from pipelines.contracts.metrics import MEASURED, METRICS, catalogue
from pipelines.lake import Lake, Manifest, fingerprint, frame_fingerprint
from pipelines.quality.checks import required_checks

CHANNELS = (("call", 0.8), ("chat", 0.12), ("email", 0.08))
CALL_TYPES = (("support", 0.8), ("cancellation", 0.12), (None, 0.08))
ISSUES = (
    *("billing_dispute", "bill_question", "payment", "payment_problem", "cancellation", "technical_problem"),
    *("outage", "account_access", "delivery", "returns", "order_status", "complaint", "other"),
)
WORDS = tuple(
    f"{a} {b}"
    for a in ["bill", "card", "line", "order", "plan", "phone", "router", "meter", "parcel", "refund"]
    for b in range(60)
)
SENTENCES = (
    "thank you for calling how may I help you today",
    "I have been waiting for this since last week",
    "let me check that for you one moment please",
    "that is not what I was told the last time I called",
    "I understand how annoying this must be for you",
    "is there anything else that I can do for you",
    "I can see the order here and it left our house yesterday",
    "well that would be great thanks a lot",
    "could you tell me your postcode please",
    "no I did not get any message about it",
)
# (low, high, mean, standard deviation) where a metric's own range says too little.
SPREADS = {
    "speaking_rate_wpm": (60, 260, 150, 22),
    "level_db": (30, 85, 55, 5),
    "level_dbfs": (-60, 0, -26, 5),
    "interruptions_per_min": (0, 8, 0.6, 0.7),
    "listening_ratio": (0, 1, 0.42, 0.1),
    "talk_ratio": (0, 1, 0.55, 0.1),
    "empathy_score": (0, 100, 65, 18),
    "sentiment_end": (-1, 1, 0.15, 0.35),
    "sentiment_shift": (-2, 2, 0.15, 0.35),
    "sentiment_mean": (-1, 1, 0.05, 0.25),
    "retrieval_longest_s": (0, 300, 14, 14),
    "snr_db": (0, 60, 26, 6),
    "escalation_risk": (0, 1, 0.2, 0.15),
    "adherence_score": (0, 100, 80, 15),
    "knowledge_score": (0, 100, 88, 12),
    "first_response_s": (0, 172800, 900, 1500),
    "readability": (0, 100, 66, 12),
    "conversation_s": (20, 3600, 300, 140),
    "aht_s": (30, 4000, 360, 150),
    "pitch_mean_hz": (60, 500, 180, 40),
    "asr_confidence": (0, 1, 0.9, 0.04),
}
# How far a point of an interaction's quality moves a metric, in its standard deviations.
QUALITY = {
    "empathy_score": 1.0,
    "sentiment_end": 0.8,
    "sentiment_shift": 0.6,
    "interruptions_per_min": -0.6,
    "retrieval_longest_s": -0.5,
    "escalation_risk": -0.7,
    "adherence_score": 0.6,
    "knowledge_score": 0.6,
    "first_response_s": -0.4,
}
TEXT_ONLY = frozenset({"first_response_s", "readability"})
IN_EVERY_CHANNEL = frozenset(
    [
        "empathy_score",
        "sentiment_mean",
        "sentiment_start",
        "sentiment_quarter_2",
        "sentiment_quarter_3",
        "sentiment_end",
        "sentiment_shift",
        "sentiment_gap",
        "resolved_evidence",
        "escalation_risk",
        "questions_open",
        "questions_closed",
        "repetitions",
        "apologies",
        "overpromises",
        "transfers",
        "word_count",
        "adherence_score",
        "knowledge_score",
        "zero_tolerance_hits",
    ]
)
RARELY = {
    "zero_tolerance_hits": 0.003,
    "transfers": 0.04,
    "overpromises": 0.05,
    "hold_count": 0.1,
    "dead_air_count": 0.3,
}
# (metric, party) in the order of the table's key.
ROWS = tuple(sorted(MEASURED))
_VERSIONS = {"acoustics": "acoustics-2", "conversation": "conversation-1", "language": "language-2"}


@dataclass(frozen=True)
class History:
    """How much is written: `days` days of `calls` interactions by `agents` agents, up to and with `last_day`."""

    days: int = 90
    calls: int = 2000
    agents: int = 400
    utterances: int = 12
    seed: int = 7
    last_day: date = date(2026, 3, 1)

    @property
    def first_day(self) -> date:
        return self.last_day - timedelta(days=self.days - 1)

    def day(self, number: int) -> date:
        return self.first_day + timedelta(days=number)


def write_history(lake: Lake, history: History) -> None:
    """The whole history: all days, what belongs to no day, and the ledger in which every check has passed."""
    for number in range(history.days):
        write_day(lake, history, number)
    write_undated(lake, history, history.days)


def write_day(lake: Lake, history: History, number: int) -> None:
    """Every daily table of the day `number` (from 0), and the ledger of its checks."""
    day = history.day(number)
    frames = day_frames(history, number)
    manifests = {
        table.name: _write(lake, table, frames.get(table.name), day) for table in all_tables().values() if table.daily
    }
    _record(lake, f"day-{day}", [(name, m.fingerprint, day) for name, m in manifests.items()])


def write_undated(lake: Lake, history: History, days: int) -> None:
    """What belongs to no day, as it stands when the first `days` days are in."""
    rng = np.random.default_rng((history.seed, 1))
    agents = _agents(history)
    listed = [
        {
            "agent_id": f"A{a:04}",
            "name": f"Agent {a:04}",
            "team": f"Team {a // 20:03}",
            "supervisor_id": f"S{a // 20:03}",
            "hired_on": history.day(int(agents.first[a])),
            "region": ("north", "south", "west")[a % 3],
            "source_file": "agents.csv",
        }
        for a in range(history.agents)
    ]
    surveys, tickets = [], []
    for number in range(days):
        day = history.day(number)
        ids = interaction_ids(day, history.calls)
        drawn = np.random.default_rng((history.seed, 2, number))
        answered = drawn.random(history.calls) < 0.1
        csat, nps = drawn.integers(1, 6, history.calls), drawn.integers(0, 11, history.calls)
        surveys.append(pl.DataFrame({"interaction_id": ids, "csat": csat, "nps": nps}).filter(pl.Series(answered)))
        opened = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
        ticketed = drawn.random(history.calls) < 0.03
        days_open = drawn.integers(0, 12, history.calls)
        tickets.append(
            pl.DataFrame(
                {
                    "ticket_id": pl.Series(ids, dtype=pl.String).str.replace("^", "T-"),
                    "interaction_id": ids,
                    "opened_at": pl.Series([opened] * history.calls, dtype=pl.Datetime("us", "UTC")),
                    "resolved_at": opened + pl.Series(days_open * 86_400_000_000).cast(pl.Duration("us")),
                }
            ).filter(pl.Series(ticketed))
        )
    change = {
        "changed_on": history.day(history.days // 2),
        "name": "new claims desk",
        "issue_type": ISSUES[0],
        "source_file": "process_changes.csv",
    }
    interactions = [
        {"call_date": history.day(n), "interactions": history.calls, "day_key": fingerprint(history.seed, n)}
        for n in range(days)
    ]
    coached = [
        {"agent_id": f"A{a:04}", "coached_on": history.day(max(0, days - 30)), "parameter": "empathy"}
        | {"source_file": "coaching.csv"}
        for a in rng.choice(history.agents, min(20, history.agents), replace=False)
    ]
    rows: dict[str, pl.DataFrame | list[dict]] = {
        "landing/agents": listed,
        "landing/surveys": pl.concat(surveys),
        "landing/tickets": pl.concat(tickets),
        "landing/process_changes": [change] if history.days // 2 < days else [],
        "landing/coaching": coached,
        "landing/days": interactions,
        "metrics/catalogue": catalogue(),
    }
    written = []
    for table in all_tables().values():
        if not table.daily:
            given = rows.get(table.name, [])
            frame = given if isinstance(given, pl.DataFrame) else table.frame(given)
            written.append((table.name, _write(lake, table, frame, None).fingerprint, None))
    _record(lake, f"undated-{days}", written)
    (lake.root / "ops" / "publications.jsonl").touch()
    for log in LOGS:
        log.path(lake.root).touch()


# --- a day's frames
def interaction_ids(day: date, calls: int) -> list[str]:
    """Ids as a telephony platform gives them: not in the order of time, unique in the day by an odd factor."""
    return [f"{i * 2_654_435_761 % 2**32:08x}-d{day.toordinal()}" for i in range(calls)]


@dataclass(frozen=True)
class _Agents:
    """Arrays over the agents: first and last day number, skill in standard deviations, campaign."""

    first: np.ndarray
    last: np.ndarray
    skill: np.ndarray
    campaign: np.ndarray


def _agents(history: History) -> _Agents:
    rng = np.random.default_rng((history.seed, 0))
    n = history.agents
    # A third are there from the first day to the last; the others come or leave in between.
    first = np.where(rng.random(n) < 0.6, 0, rng.integers(0, max(1, history.days - 1), n))
    last = np.where(rng.random(n) < 0.6, history.days, first + rng.integers(1, history.days + 1, n))
    first[:2], last[:2] = 0, history.days  # Every day has agents.
    return _Agents(first, last, rng.normal(0, 0.5, n), rng.integers(0, 20, n))


def day_frames(history: History, number: int) -> dict[str, pl.DataFrame]:
    """The frames of the daily tables that hold anything, by table name, sorted by their keys."""
    rng = np.random.default_rng((history.seed, 3, number))
    day, n = history.day(number), history.calls
    agents = _agents(history)
    here = np.flatnonzero((agents.first <= number) & (agents.last >= number))
    agent, issue = rng.choice(here, n), rng.integers(0, len(ISSUES), n)
    channel = _choose(rng, CHANNELS, n)
    outcome = _choose(rng, (("eligible", 0.95), ("excluded", 0.04), ("quarantined", 0.01)), n)
    trend = 0.4 * number / max(1, history.days)
    helped = np.where((issue == 0) & (number >= history.days // 2), 0.6, 0.0)
    quality = agents.skill[agent] + trend + helped + np.linspace(-0.4, 0.4, len(ISSUES))[issue] + rng.normal(0, 0.7, n)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    second = np.sort(rng.integers(7 * 3600, 21 * 3600, n))
    started = pl.Series(second * 1_000_000).cast(pl.Duration("us")) + midnight
    customer = pl.Series(rng.integers(0, max(1, history.calls * 40), n)).cast(pl.String)
    known = pl.Series(rng.random(n) < 0.9)
    head = pl.DataFrame({"interaction_id": interaction_ids(day, n)})
    is_call = channel == "call"
    read = outcome != "quarantined"
    issues = pl.Series(np.array(ISSUES)[issue])
    calls = head.with_columns(
        call_date=pl.lit(day),
        channel=channel,
        started_at=started,
        ended_at=started + pl.Series(rng.integers(60, 1800, n) * 1_000_000).cast(pl.Duration("us")),
        agent_id=pl.Series(agent).cast(pl.String).str.zfill(4).str.replace("^", "A"),
        campaign=pl.Series(agents.campaign[agent]).cast(pl.String).str.zfill(2).str.replace("^", "campaign_"),
        client=pl.Series(agents.campaign[agent] % 4).cast(pl.String).str.replace("^", "client_"),
        customer_key=pl.select(pl.when(known).then(pl.lit("k") + customer)).to_series(),
        call_type=_choose(rng, CALL_TYPES, n),
        language=_choose(rng, (("en", 0.85), ("es", 0.15)), n),
        shift=pl.Series(np.where(second < 14 * 3600, "early", "late")),
        direction=pl.lit("inbound"),
        hold_s=pl.Series(np.round(rng.exponential(20, n), 1)),
        acw_s=pl.Series(np.round(rng.exponential(45, n), 1)),
        source_file=pl.lit(f"interactions-{day}.csv"),
    )
    duration_s = np.round(np.clip(rng.normal(320, 140, n), 30, 3600), 1)
    outcomes = head.with_columns(
        outcome=outcome,
        reason=outcome.replace_strict({"eligible": None, "excluded": "too_short", "quarantined": "empty"}),
        duration_s=pl.Series(duration_s),
        n_words=pl.select(pl.when(read).then(pl.Series(rng.integers(30, 1500, n)))).to_series(),
        language=calls["language"],
        layout=pl.select(pl.when(is_call).then(pl.lit("two_channel"))).to_series(),
        speaker_source=pl.select(pl.when(is_call).then(pl.lit("supplied"))).to_series(),
    )
    recordings = head.with_columns(
        recording=pl.lit("recordings/") + pl.col("interaction_id") + ".wav",
        agent_channel_source=pl.lit("supplied"),
        outcome=pl.select(pl.when(read).then(pl.lit("accepted")).otherwise(pl.lit("quarantined"))).to_series(),
        extractor_version=pl.lit("decode-1"),
    ).filter(is_call)
    was_read = np.flatnonzero(read.to_numpy())
    ids = head["interaction_id"].gather(was_read)
    kinds = head.with_columns(
        issue_type=issues,
        source=pl.lit("inferred"),
        confidence=pl.Series(np.round(rng.uniform(0.5, 1, n), 3)),
        extractor_version=pl.lit("language-2"),
    ).filter(read)
    return {
        "landing/interactions": calls,
        "metrics/outcomes": outcomes,
        "recordings/recordings": recordings,
        "language/issue_types": kinds,
        "metrics/interaction_metrics": _metrics(rng, ids, is_call.to_numpy()[was_read], quality[was_read]),
        **_said(rng, ids, history.utterances, quality[was_read]),
    }


def _metrics(rng: np.random.Generator, ids: pl.Series, is_call: np.ndarray, quality: np.ndarray) -> pl.DataFrame:
    """interaction_metrics of one day: every metric and party of every interaction that was read."""
    n = len(ids)
    values = np.empty((n, len(ROWS)), dtype=np.float64)
    # 0: measured; 1: no_event; 2: not_applicable_to_call_type; 3: low_asr_confidence
    why = np.zeros((n, len(ROWS)), dtype=np.uint8)
    poorly_heard = rng.random(n) < 0.02
    for column, (name, party) in enumerate(ROWS):
        metric = METRICS[name]
        if name in SPREADS:
            low, high, mean, sd = SPREADS[name]
        else:
            low = metric.at_least if metric.at_least is not None else -40.0
            high = metric.at_most if metric.at_most is not None else max(low + 1, 60.0)
            mean, sd = (low + high) / 2, (high - low) / 6
        drawn = rng.normal(0, 1, n) + (QUALITY.get(name, 0.0) * quality if party != "customer" or "sent" in name else 0)
        value = np.clip(mean + sd * drawn, low, high)
        if name in RARELY:
            value = (rng.random(n) < RARELY[name]).astype(float)
        elif name == "resolved_evidence":
            value = (drawn + quality > -0.8).astype(float)
        elif metric.unit == "count":
            value = np.floor(value / 6)
        values[:, column] = np.round(value, 4)
        why[:, column] = np.where(rng.random(n) < (0.35 if name == "retrieval_longest_s" else 0.04), 1, 0)
        if name in TEXT_ONLY:
            why[is_call, column] = 2
        elif name not in IN_EVERY_CHANNEL:
            why[~is_call, column] = 2
        if name == "asr_confidence" or name.endswith("_wpm"):
            why[poorly_heard & is_call, column] = 3
    reasons = pl.Series([None, "no_event", "not_applicable_to_call_type", "low_asr_confidence"])
    versions = [_VERSIONS["language" if m in IN_EVERY_CHANNEL else "conversation"] for m, _ in ROWS]
    rows = np.tile(np.arange(len(ROWS), dtype=np.uint32), n)
    missing = why.ravel() > 0
    values = values.ravel()
    values[missing] = np.nan
    return pl.DataFrame(
        {
            "interaction_id": ids.gather(np.repeat(np.arange(n, dtype=np.uint32), len(ROWS))),
            "metric": pl.Series([m for m, _ in ROWS]).gather(rows),
            "party": pl.Series([p for _, p in ROWS]).gather(rows),
            "value": pl.Series(values).fill_nan(None),
            "unit": pl.Series([METRICS[m].unit for m, _ in ROWS]).gather(rows),
            "reason": reasons.gather(why.ravel().astype(np.uint32)),
            "extractor_version": pl.Series(versions).gather(rows),
        }
    )


def _said(rng: np.random.Generator, ids: pl.Series, each: int, quality: np.ndarray) -> dict[str, pl.DataFrame]:
    """Utterances, their sentiments, turns, events and keywords: `each` utterances an interaction, turn by turn."""
    n = len(ids)
    call = np.repeat(np.arange(n, dtype=np.uint32), each)
    place = np.tile(np.arange(each), n)
    party = pl.Series(np.array(["agent", "customer"])[place % 2])
    start = np.round(place * 8 + rng.uniform(0, 2, n * each), 2)
    end = np.round(start + rng.uniform(1, 7, n * each), 2)
    sentence = (place % 4 + rng.integers(0, len(SENTENCES) - 3, n * each)) % len(SENTENCES)
    feeling = np.round(np.clip(rng.normal(0.1, 0.35, n * each) + 0.1 * quality[call], -1, 1), 4)
    who = ids.gather(call)
    utterances = pl.DataFrame(
        {
            "interaction_id": who,
            "utterance": place,
            "party": party,
            "start_s": start,
            "end_s": end,
            "text": pl.Series(SENTENCES).gather(sentence),
            "n_words": np.full(n * each, 10),
            "confidence": np.round(rng.uniform(0.7, 1, n * each), 3),
            "source": np.full(n * each, "recognition"),
        }
    )
    sentiments = pl.DataFrame(
        {
            "interaction_id": who,
            "utterance": place,
            "party": party,
            "sentiment": feeling,
            "confidence": np.round(rng.uniform(0.4, 1, n * each), 3),
            "word_sentiment": feeling,
            "quarter": place * 4 // each + 1,
            "extractor_version": np.full(n * each, "head-1"),
        }
    )
    turns = pl.DataFrame(
        {"interaction_id": who, "turn": place, "party": party, "start_s": start, "end_s": end, "speech_s": end - start}
    )
    return {
        "transcripts/utterances": utterances,
        "language/sentiments": sentiments,
        "conversation/turns": turns,
        "conversation/events": _events(rng, ids, 3, ("interruption", "dead_air", "retrieval"), each),
        "language/events": _events(rng, ids, 5, ("adherence", "empathy", "apology"), each),
        "language/keywords": _keywords(rng, ids, 8),
    }


def _events(rng, ids: pl.Series, each: int, kinds: tuple[str, ...], utterances: int) -> pl.DataFrame:
    n = len(ids) * each
    start = np.round(rng.uniform(0, 8 * utterances, n), 2)
    return pl.DataFrame(
        {
            "interaction_id": ids.gather(np.repeat(np.arange(len(ids), dtype=np.uint32), each)),
            "event": np.tile(np.arange(each), len(ids)),
            "kind": np.array(kinds)[rng.integers(0, len(kinds), n)],
            "party": np.full(n, "agent"),
            "start_s": start,
            "end_s": np.round(start + rng.uniform(0.5, 6, n), 2),
            "evidence": pl.Series(SENTENCES).gather(rng.integers(0, len(SENTENCES), n)),
        }
    )


def _keywords(rng, ids: pl.Series, each: int) -> pl.DataFrame:
    n = len(ids) * each
    # Words of a run of the list, so that an interaction holds none of them twice.
    word = (np.repeat(rng.integers(0, len(WORDS), len(ids)), each) + np.tile(np.arange(each) * 7, len(ids))) % len(
        WORDS
    )
    return pl.DataFrame(
        {
            "interaction_id": ids.gather(np.repeat(np.arange(len(ids), dtype=np.uint32), each)),
            "party": np.array(["agent", "customer"])[np.tile(np.arange(each) % 2, len(ids))],
            "keyword": pl.Series(WORDS).gather(word),
            "n": rng.integers(1, 5, n),
            "utterance": np.zeros(n, dtype=np.int64),
            "extractor_version": np.full(n, "keywords-1"),
        }
    )


def _choose(rng: np.random.Generator, weighted: tuple[tuple[str | None, float], ...], n: int) -> pl.Series:
    drawn = rng.choice(len(weighted), n, p=[share for _, share in weighted])
    return pl.Series([name for name, _ in weighted], dtype=pl.String).gather(drawn)


# --- into the lake
def _write(lake: Lake, table: Table, frame: pl.DataFrame | None, day: date | None) -> Manifest:
    """A partition as `Lake.write` leaves it, without reading it back and without flushing it to the disk."""
    frame = table.empty() if frame is None else frame
    missing = [pl.lit(None).alias(c) for c in table.schema if c not in frame.columns]
    frame = table.conform(frame.with_columns(missing))
    manifest = Manifest(
        table.name,
        day.isoformat() if day else None,
        frame.height,
        frame_fingerprint(frame),
        "history",
        datetime.now(UTC).isoformat(timespec="seconds"),
    )
    folder = lake.folder(table, day)
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / "data.parquet", compression="zstd", metadata={"iqs_fingerprint": manifest.fingerprint})
    (folder / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1))
    return manifest


def _record(lake: Lake, run_id: str, partitions: list[tuple[str, str, date | None]]) -> None:
    """The ledger's lines of a run in which every blocking check of these partitions passed."""
    path = lake.root / "ops" / "dq_results" / f"{run_id}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    checked_at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    lines = [
        json.dumps(
            {
                "run_id": run_id,
                "checked_at": checked_at,
                "stage": name.split("/")[0],
                "table_name": name,
                "call_date": day.isoformat() if day else None,
                "check_name": check,
                "blocking": True,
                "passed": True,
                "failing_rows": 0,
                "total_rows": 0,
                "detail": "",
                "fingerprint": print_,
            }
        )
        for name, print_, day in partitions
        for check in required_checks().get(name, ())
    ]
    path.write_text("\n".join(lines) + "\n")
