"""How much personal data is left in texts, and how many innocent numbers go with it.

    python -m tests.accuracy redaction [--quick]
    python -m tests.accuracy.redaction --missed 40      # with what is missed in the templates for tuning
    python -m tests.accuracy.redaction --real           # with masked looks at what goes in the real texts

A case counts as found where no piece of the value is left. The patterns of pipelines/language/redaction.py were tuned
on one half of the templates (tests/accuracy/personal_data.py); the other half chose nothing, nor did those that were
written later. The same hand wrote templates and patterns. The real texts are read as they are: nobody has labelled
them, so what goes there is counted by kind and a masked look printed.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import time
from collections import Counter, defaultdict

from pipelines.language.redaction import MARKS, redact, redact_turns
from tests.accuracy.figure import REAL_DATA, Figure, table
from tests.accuracy.personal_data import Case, cases, innocents

_TOKEN = re.compile(r"[^\W_]+")
# Said between the pieces of a value, no piece of it.
_BESIDE = {
    "and",
    "then",
    "um",
    "eh",
    "sorry",
    "no",
    "wait",
    "y",
    "luego",
    "perdón",
    "espere",
    "okay",
    "mm",
    "hmm",
    "got",
    "it",
    "yes",
    "go",
    "ahead",
    "vale",
    "ajá",
    "sí",
    "adelante",
    "perfecto",
    "at",
    "dot",
    "arroba",
    "punto",
    "underscore",
    "dash",
    "guion",
    "bajo",
}
_MARK_NAMES = {"iban": "account", "policy": "account"}


def left(case: Case, redacted: str) -> list[str]:
    """The pieces of the value that are still there."""
    rest = Counter(_TOKEN.findall(redacted.lower())) - Counter(_TOKEN.findall(case.without.lower()))
    return [t for t in set(_TOKEN.findall(case.value.lower())) - _BESIDE if rest[t] and t not in MARKS]


def lost(case: Case, redacted: str) -> int:
    """Words around the value that went with it."""
    return (Counter(_TOKEN.findall(case.without.lower())) - Counter(_TOKEN.findall(redacted.lower()))).total()


def measured(quick: bool = False) -> tuple[dict, dict, list[tuple[Case, str]], dict]:
    """Counts of cases by (kind, language, part), of innocent texts, what was missed, and the time taken."""
    found: dict[tuple, Counter] = defaultdict(Counter)
    innocent: dict[tuple, Counter] = defaultdict(Counter)
    missed, speed = [], {}
    every = list(cases(1 if quick else 4))
    begin = time.process_time()
    redacted = [redact(case.text) for case in every]
    speed["personal"] = len(every) / (time.process_time() - begin)
    for case, text in zip(every, redacted, strict=True):
        count = found[case.kind, case.language, case.part]
        count["n"] += 1
        count["words lost"] += lost(case, text)
        count["named"] += MARKS[_MARK_NAMES.get(case.kind, case.kind)] in text
        if left(case, text):
            missed.append((case, text))
        else:
            count["found"] += 1
        # What recognition gives, word by word, is redacted by the same patterns.
        words = [line.split() for line in case.text.split("\n")]
        count["words found"] += not left(case, " ".join(w for turn in redact_turns(words) for w in turn))
    plain = list(innocents(3 if quick else 20))
    begin = time.process_time()
    redacted = [redact(text) for _, _, text in plain]
    speed["innocent"] = len(plain) / (time.process_time() - begin)
    for (language, part, text), after in zip(plain, redacted, strict=True):
        innocent[language, part]["n"] += 1
        if after != text:
            innocent[language, part]["changed"] += 1
            missed.append((Case("innocent", language, "", part, text, "", text), after))
    return found, innocent, missed, speed


def real_texts(part: str) -> list[str]:
    """The texts of the real sets: agents and customers of role-played chats and of labelled messages."""
    texts = []
    if part == "chats":
        for chat in json.loads((REAL_DATA / "chats" / "abcd_sample.json").read_text("utf-8")):
            texts += [text for party, text in chat["original"] if party != "action"]
    else:
        for path in sorted((REAL_DATA / "issue_types").iterdir()):
            if path.suffix == ".jsonl":
                texts += [json.loads(line)["utterance"] for line in path.read_text("utf-8").splitlines()]
            elif path.suffix == ".csv":
                with path.open(newline="", encoding="utf-8") as file:
                    texts += [row["text"] for row in csv.DictReader(file)]
            elif path.suffix == ".tsv":
                with path.open(newline="", encoding="utf-8") as file:
                    rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
                    texts += [row["utterance"] for row in rows if row["utterance"]]
    return texts


def masked(before: str, after: str) -> list[str]:
    """Each mark of `after` with the words around it and what stood there, digits and letters masked."""
    looks = []
    kept = re.split(r"(\[(?:card|email|ssn|phone|account|cvv)\])", after)
    at = 0
    for i in range(0, len(kept) - 1, 2):
        at = before.find(kept[i], at) + len(kept[i])
        end = before.find(kept[i + 2], at) if kept[i + 2] else len(before)
        shape = re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "9", before[at:end]))
        looks.append(f"{kept[i][-60:]}{kept[i + 1]}<{shape}>{kept[i + 2][:30]}")
    return looks


def real(quick: bool = False) -> tuple[dict[str, tuple[int, Counter, float]], dict[str, list[str]]]:
    """Per set: (texts, marks by kind, texts per CPU second); and masked looks per kind."""
    counted, looks = {}, defaultdict(list)
    for part in ("chats", "issue_types"):
        texts = real_texts(part)[:: 10 if quick else 1]
        begin = time.process_time()
        after = [redact(text) for text in texts]
        per_s = len(texts) / (time.process_time() - begin)
        marks: Counter = Counter()
        for text, changed in zip(texts, after, strict=True):
            if text != changed:
                for look in masked(text, changed):
                    kind = re.search(r"\[(\w+)\]<", look)
                    if kind:
                        marks[kind[1]] += 1
                        looks[kind[1]].append(f"{part}: {look}")
        counted[part] = (len(texts), marks, per_s)
    return counted, looks


def figures(quick: bool = False) -> list[Figure]:
    """Recall by kind and language on held-out templates beside that on those for tuning; what innocent texts lose."""
    found, innocent, _, speed = measured(quick)
    made = []
    for kind, language in dict.fromkeys(key[:2] for key in found):
        tuned = found[kind, language, "tuning"]
        for part in ("held out", "later"):
            ours = found[kind, language, part]
            made.append(
                Figure(
                    f"recall {kind} ({language})",
                    f"own templates, {'written later' if part == 'later' else part}",
                    ours["n"],
                    ours["found"] / ours["n"],
                    "",
                    "templates for tuning",
                    tuned["found"] / tuned["n"],
                    f"word by word {ours['words found'] / ours['n']:.3f}; own mark in {ours['named'] / ours['n']:.0%}; "
                    f"{1000 * ours['words lost'] / ours['n']:.0f} words around lost in 1,000 texts",
                )
            )
    for language in ("en", "es"):
        ours, tuned = innocent[language, "later"], innocent[language, "tuning"]
        made.append(
            Figure(
                f"innocent texts changed ({language})",
                "own templates, written later",
                ours["n"],
                1000 * ours["changed"] / ours["n"],
                "in 1,000",
                "templates for tuning",
                1000 * tuned["changed"] / tuned["n"],
            )
        )
    note = f"own texts: {speed['personal']:.0f} with personal data, {speed['innocent']:.0f} innocent"
    for part, (n, marks, per_s) in real(quick)[0].items():
        listed = ", ".join(f"{kind} {count}" for kind, count in sorted(marks.items())) or "none"
        made.append(Figure("marks in real texts", part, n, sum(marks.values()), "", note=listed))
        made.append(Figure("texts per CPU second", part, n, per_s, "/s", note=note))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer values")
    parser.add_argument("--missed", type=int, default=0, help="show so many failures of the templates for tuning")
    parser.add_argument("--real", action="store_true", help="show masked looks at what goes in the real texts")
    options = parser.parse_args()
    print(table(figures(options.quick)))
    if options.missed:
        _, _, missed, _ = measured(options.quick)
        tuning = [(case, text) for case, text in missed if not case.part]
        forms = Counter((c.kind, c.language, c.form) for c, _ in tuning)
        for (kind, language, form), count in forms.most_common():
            print(f"{count:5} {kind} {language} {form}")
        random.Random(0).shuffle(tuning)
        for case, text in tuning[: options.missed]:
            print(f"\n{case.kind} {case.language} {case.form}\n  {case.text!r}\n  {text!r}")
    if options.real:
        for kind, looks in real(options.quick)[1].items():
            print(f"\n{kind}: {len(looks)}")
            for look in random.Random(0).sample(looks, min(25, len(looks))):
                print("  ", look.replace("\n", " / "))


if __name__ == "__main__":
    main()
