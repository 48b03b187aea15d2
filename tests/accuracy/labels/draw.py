"""Texts labelled by hand for the sentiment and empathy measures: which were drawn, and their labels joined with them.

The label files hold references only; the texts stay in ../shared/realdata. `python -m tests.accuracy.labels.draw`
draws again with the same seed and says whether the label files hold exactly the drawn references.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "../shared/realdata"
SEED = 20240611

PLEASED = (
    r"happy|glad|great|thank\w*|awesome|perfect\w*|love|excellent|wonderful|nice|amazing|appreciate|helpful|best|\w+!"
)
UPSET = (
    r"sorry|frustrat\w*|terrible|bad|hate|problem\w*|still|never|upset|angry|annoy\w*|awful|worr\w*|afraid|scared|unfair|"
    r"horribl\w*|disappoint\w*|ridiculous|wrong|unfortunate\w*|stolen|lost|broke\w*|damag\w*|useless|worst|pain\w*|cry|"
    r"crazy|fraud|mistake|why|urgent\w*|immediately|stuck|confus\w*|trouble|difficult|struggl\w*|stress\w*|tired|sick|"
    r"unacceptable|fail\w*|waiting|hell|stupid|slow|mad|concern\w*|nervous|uncomfortable|desperate"
)
CARING = (
    r"sorry|hear|understand|worr\w*|sounds|must|awful|difficult|reassur\w*|feeling|tough|hard|don't worry|unpleasant|"
    r"horrible|frustrating|sympath\w*|appreciate|uncomfortable|glad|thank\w*|concern\w*|scary|upset\w*|okay\?|alright\?"
)


class Text(NamedTuple):
    set: str
    key: str  # stable: utterance id, row of the file, "file:interval", "chat:turn"
    text: str
    before: str = ""  # empathy: what the patient or customer said just before


class Labelled(NamedTuple):
    text: str
    label: str | int  # sentiment: negative, neutral, positive; empathy: -1 cold, 0 none, 1 token, 2 clear, 3 strong
    before: str
    draw: str  # random | enriched | all
    sure: bool
    set: str
    key: str


def messages() -> dict[str, list[Text]]:
    """Customer and patient utterances of at least three words by set, equal ones once."""
    found: dict[str, list[Text]] = {}
    for domain in ("airline", "fastfood", "insurance", "media"):
        name = f"multidogo_{domain}"
        with open(DATA / f"issue_types/{name}_test.tsv", newline="", encoding="utf-8") as file:
            found[name] = [Text(name, r["utteranceId"], r["utterance"]) for r in csv.DictReader(file, delimiter="\t")]
    for name in ("natcs_banking", "natcs_insurance"):
        rows = map(json.loads, (DATA / f"issue_types/{name}.jsonl").read_text("utf-8").splitlines())
        found[name] = [Text(name, row["utterance_id"], row["utterance"]) for row in rows]
    with open(DATA / "issue_types/banking77_train.csv", newline="", encoding="utf-8") as file:
        found["banking77"] = [Text("banking77", str(i), row["text"]) for i, row in enumerate(csv.DictReader(file))]
    patients = sorted((DATA / "timed_consultations").glob("*_patient.TextGrid"))
    found["patients"] = [
        Text("patients", f"{path.stem}:{i}", text) for path in patients for i, _, text in intervals(path)
    ]
    for name, texts in found.items():
        once = {text.text.strip().lower(): text for text in reversed(texts) if len(words(text.text)) >= 3}
        found[name] = sorted(once.values(), key=lambda text: text.key)
    return found


def pairs() -> tuple[list[Text], list[Text]]:
    """(doctor's replies of at least four words with the patient's words since his last reply, replies of the chats)."""
    consultations = []
    for path in sorted((DATA / "timed_consultations").glob("*_doctor.TextGrid")):
        patient = intervals(path.with_name(path.name.replace("_doctor", "_patient")))
        last_s = 0.0
        for i, start_s, reply in intervals(path):
            if len(words(reply)) < 4:
                continue
            before = " ".join(text for _, at_s, text in patient if last_s <= at_s < start_s and words(text))
            if before:
                consultations.append(Text("consultations", f"{path.stem}:{i}", reply, before))
            last_s = start_s
    chats = []
    for chat in json.loads((DATA / "chats/abcd_sample.json").read_text("utf-8")):
        before = ""
        for i, (speaker, text) in enumerate(chat["original"]):
            if speaker == "customer":
                before = f"{before} {text}".strip()
            elif speaker == "agent" and before and len(words(text)) >= 4:
                chats.append(Text("abcd", f"{chat['convo_id']}:{i}", text, before))
                before = ""
    return consultations, chats


def draw(name: str) -> list[tuple[Text, str]]:
    """The drawn texts of "sentiment" or "empathy", each with how it was drawn."""
    random_ = random.Random(SEED)
    if name == "empathy":
        consultations, chats = pairs()
        drawn = _draw(random_, consultations, 110, [(CARING, 110)])
        return drawn + [(text, "all") for text in chats]
    drawn = []
    for set_, texts in messages().items():
        n = 100 if set_ == "patients" else 80
        drawn += _draw(random_, texts, n, [(UPSET, n * 2 // 3), (PLEASED, n - n * 2 // 3)])
    return drawn


def _draw(
    random_: random.Random, texts: list[Text], n_random: int, enriched: list[tuple[str, int]]
) -> list[tuple[Text, str]]:
    drawn = dict.fromkeys(random_.sample(texts, n_random), "random")
    for pattern, n in enriched:
        # Not \b: "great!" and "okay?" have no word edge behind them.
        found = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
        pool = [text for text in texts if text not in drawn and found.search(text.text)]
        drawn |= dict.fromkeys(random_.sample(pool, min(n, len(pool))), "enriched")
    return list(drawn.items())


def intervals(path: Path) -> list[tuple[int, float, str]]:
    """(number from 1, start in seconds, words) of each interval of a TextGrid; marks of the transcribers removed."""
    text = path.read_text("utf-8")
    found = re.findall(r"intervals \[(\d+)\]:\s*xmin = (\S+)\s*xmax = \S+\s*text = \"((?:[^\"]|\"\")*)\"", text)
    return [(int(i), float(s), " ".join(re.sub(r"<[^>]*>", " ", words_).split())) for i, s, words_ in found]


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:'\w+)?", text)


def read(name: str) -> list[Labelled]:
    """The labelled texts of "sentiment" or "empathy"; empty, with a message, where the real data are absent."""
    if not all((DATA / folder).is_dir() for folder in ("issue_types", "timed_consultations", "chats")):
        print(f"skipped the {name} labels: no real data in {DATA.resolve()}", file=sys.stderr)
        return []
    consultations_chats = pairs() if name == "empathy" else tuple(messages().values())
    texts = {(text.set, text.key): text for some in consultations_chats for text in some}
    found = []
    with open(HERE / f"{name}.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = texts[row["set"], row["key"]]
            label = int(row["label"]) if name == "empathy" else row["label"]
            found.append(Labelled(text.text, label, text.before, row["draw"], row["sure"] == "1", *text[:2]))
    return found


if __name__ == "__main__":
    for name in ("sentiment", "empathy"):
        drawn = {(text.set, text.key, how) for text, how in draw(name)}
        held = {(row.set, row.key, row.draw) for row in read(name)}
        print(f"{name}: {len(drawn)} drawn, {len(held)} labelled, {len(drawn ^ held)} differ")
