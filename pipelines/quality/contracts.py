"""A table's contract as a Great Expectations suite: what every partition is checked for before it becomes visible."""

from __future__ import annotations

import re
import sys
import threading
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from pipelines.contracts import Column, Table
from pipelines.quality.outcomes import CheckOutcome, outcome

_ORDER = "columns_are_as_declared"
# Counts, but no value: `partial_unexpected_count` empties the lists of offending values.
_COUNTS = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
_LOCK = threading.Lock()


@dataclass(frozen=True)
class _Rule:
    """One expectation: its check name, its class in Great Expectations, its arguments.

    `only_where` is (column, "null" | "given"): the rule then holds for these rows only.
    """

    check_name: str
    expectation: str
    arguments: dict[str, Any] = field(default_factory=dict)
    only_where: tuple[str, str] | None = None


@cache
def contract_checks(table: Table) -> tuple[str, ...]:
    """Names of the checks that `contract_outcomes` makes for the table."""
    return (_ORDER, *(r.check_name for r in _rules(table)))


def contract_outcomes(table: Table, frame: pl.DataFrame, day: date | None, fingerprint: str) -> list[CheckOutcome]:
    """Whether `frame` is what the contract of `table` declares: one blocking outcome a rule.

    Columns with their types in order, key unique, required columns given, NULL where and only where a reason is
    given, numbers finite and in range, words out of the declared ones. A rule that can't be evaluated has failed.
    The outcomes hold counts, never values. The first call of a process imports Great Expectations (5 CPU-s).
    """
    with _LOCK:
        return [_columns(table, frame, day, fingerprint), *_values(table, frame, day, fingerprint)]


def _rules(table: Table) -> list[_Rule]:
    key = list(table.key)
    name = f"{'_'.join(key)}_is_unique"
    if len(key) == 1:
        rules = [_Rule(name, "ExpectColumnValuesToBeUnique", {"column": key[0]})]
    else:
        rules = [_Rule(name, "ExpectCompoundColumnsToBeUnique", {"column_list": key})]
    explained = [c.null_because for c in table.columns if c.null_because]
    for column in table.columns:
        rules += _presence(column, explains_alone=explained.count(column.null_because) == 1)
        rules += _range(column)
        if column.one_of:
            arguments = {"column": column.name, "value_set": list(column.one_of)}
            rules.append(_Rule(f"{column.name}_is_a_declared_word", "ExpectColumnValuesToBeInSet", arguments))
    return rules


def _presence(column: Column, *, explains_alone: bool) -> list[_Rule]:
    """Rules on NULL. A reason that several columns share may stand beside a value, one of its own may not."""
    if not column.nullable:
        return [_Rule(f"{column.name}_is_never_missing", "ExpectColumnValuesToNotBeNull", {"column": column.name})]
    if column.null_because is None:
        return []
    reason = column.null_because
    rules = [
        _Rule(
            f"{reason}_is_given_where_{column.name}_is_missing",
            "ExpectColumnValuesToNotBeNull",
            {"column": reason},
            only_where=(column.name, "null"),
        )
    ]
    if explains_alone:
        rules.append(
            _Rule(
                f"{column.name}_is_missing_where_{reason}_is_given",
                "ExpectColumnValuesToBeNull",
                {"column": column.name},
                only_where=(reason, "given"),
            )
        )
    return rules


def _range(column: Column) -> list[_Rule]:
    low, high = column.at_least, column.at_most
    is_float = column.dtype in (pl.Float32, pl.Float64)
    if low is None and high is None and not is_float:
        return []
    if low is None and high is None:
        name = "is_finite"
    elif high is None:
        name = f"is_at_least_{_spoken(low)}"
    elif low is None:
        name = f"is_at_most_{_spoken(high)}"
    else:
        name = f"is_between_{_spoken(low)}_and_{_spoken(high)}"
    if is_float:
        low = -sys.float_info.max if low is None else low
        high = sys.float_info.max if high is None else high
    arguments = {"column": column.name, "min_value": low, "max_value": high}
    return [_Rule(f"{column.name}_{name}", "ExpectColumnValuesToBeBetween", arguments)]


def _spoken(number: float) -> str:
    return f"{number:g}".replace("-", "minus_").replace(".", "_")


def _columns(table: Table, frame: pl.DataFrame, day: date | None, fingerprint: str) -> CheckOutcome:
    """Columns, their order and their exact types: a frame without rows whose column names carry the types."""
    import pandas as pd

    declared = [f"{n} {t}" for n, t in table.schema.items()]
    found = [f"{n} {t}" for n, t in frame.schema.items()]
    rule = _Rule(_ORDER, "ExpectTableColumnsToMatchOrderedList", {"column_list": declared})
    verdict = _validate([rule], pd.DataFrame(columns=found))[_ORDER]
    wrong = [name for place, name in enumerate(table.schema) if found[place : place + 1] != declared[place : place + 1]]
    unknown = sum(1 for name in frame.schema if name not in table.schema)
    failing = 0 if verdict.passed else max(1, len(wrong) + unknown)
    detail = "" if verdict.passed else f"not as declared: {', '.join(wrong) or 'none'}; unknown columns: {unknown}"
    return outcome(
        table,
        day,
        _ORDER,
        failing,
        len(declared),
        fingerprint=fingerprint,
        passed=verdict.passed,
        detail=detail,
    )


def _values(table: Table, frame: pl.DataFrame, day: date | None, fingerprint: str) -> list[CheckOutcome]:
    rules = _rules(table)
    verdicts = _validate(rules, frame.to_pandas(use_pyarrow_extension_array=True))
    found = []
    for rule in rules:
        verdict = verdicts[rule.check_name]
        failing = 0 if verdict.passed else frame.height if verdict.failing is None else verdict.failing
        if verdict.passed:
            detail = ""
        elif verdict.failing is None:
            detail = f"the check could not be evaluated ({verdict.error})"
        else:
            detail = f"{failing} of {frame.height} rows break it"
        found.append(
            outcome(
                table,
                day,
                rule.check_name,
                failing,
                frame.height,
                fingerprint=fingerprint,
                passed=verdict.passed,
                detail=detail,
            )
        )
    return found


# --- Great Expectations


@dataclass(frozen=True)
class _Verdict:
    """`failing` rows, None where the rule could not be evaluated: then `error` is the kind of exception."""

    passed: bool
    failing: int | None = 0
    error: str = ""


@cache
def _batches():
    """The process's one ephemeral context: a batch definition that every frame is handed to."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset("partition")
    return asset.add_batch_definition_whole_dataframe("whole")


def _validate(rules: list[_Rule], frame) -> dict[str, _Verdict]:
    """Verdicts by check name. A rule that raised, or that came back without a result, has failed.

    Counting costs as much as judging: the counts are asked for only where a rule failed.
    """
    results = _results(rules, frame, "BOOLEAN_ONLY")
    verdicts = {r.check_name: _Verdict(r.check_name in results and _succeeded(results[r.check_name])) for r in rules}
    failed = [r for r in rules if not verdicts[r.check_name].passed]
    counted = _results(failed, frame, _COUNTS) if failed else {}
    for rule in failed:
        result = counted.get(rule.check_name)
        raised = _exception(result.exception_info) if result is not None else "no result"
        failing = None if raised else (result.result or {}).get("unexpected_count")
        if not raised and rule.expectation == "ExpectTableColumnsToMatchOrderedList":
            failing = 1
        verdicts[rule.check_name] = _Verdict(False, failing, raised or "no count" if failing is None else "")
    return verdicts


def _results(rules: list[_Rule], frame, result_format) -> dict[str, Any]:
    batches = _batches()
    import great_expectations as gx
    from great_expectations.expectations.row_conditions import Column as Where

    def expectation(rule: _Rule):
        arguments = dict(rule.arguments)
        if rule.only_where:
            column, state = rule.only_where
            where = Where(column)
            arguments["row_condition"] = where.is_null() if state == "null" else where.is_not_null()
        return _expectation(rule.expectation)(**arguments, meta={"check": rule.check_name})

    suite = gx.ExpectationSuite(name="contract", expectations=[expectation(r) for r in rules])
    batch = batches.get_batch(batch_parameters={"dataframe": frame})
    validation = batch.validate(suite, result_format=result_format)
    return {r.expectation_config.meta["check"]: r for r in validation.results}


@cache
def _expectation(name: str) -> type:
    """The expectation `name`, made to keep its configuration: it is asked for 75 times in a validation, and made anew
    each time, which is a third of the whole."""
    import great_expectations.expectations as gxe
    from great_expectations.compatibility.pydantic import PrivateAttr

    plain = getattr(gxe, name)

    def configuration(self):
        if self._kept is None:
            self._kept = plain.configuration.fget(self)
        return self._kept

    added = {"__module__": __name__, "_kept": PrivateAttr(None), "configuration": property(configuration)}
    return type(plain)(f"Kept{name}", (plain,), added)


def _succeeded(result) -> bool:
    return result.success is True and not _exception(result.exception_info)


def _exception(info: Any) -> str:
    """Kind of the exception that Great Expectations swallowed, "" where there was none. Its message stays out."""
    if not isinstance(info, dict):
        return ""
    if info.get("raised_exception"):
        last_line = (info.get("exception_traceback") or "").strip().splitlines()[-1:] or [""]
        kind = re.match(r"[A-Za-z_.]+(?=:|$)", last_line[0])
        return kind.group().rsplit(".", 1)[-1] if kind else "exception"
    return next((e for e in map(_exception, info.values()) if e), "")
