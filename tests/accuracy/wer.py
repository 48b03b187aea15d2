"""Word error rate of our recognition beside plain faster-whisper on real recordings.

`python tests/accuracy/wer.py [--set NAME …] [--no-plain]` prints one line per recording set and channel: words of
the reference, WER and CPU seconds of ours and of `WhisperModel(base, compute_type="int8").transcribe(channel)`.
Sets whose folder is absent are skipped with a message. The references of `two_channel_auto_repair` are silver: settled
by comparing machine decodings of the same model, not by a listener.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
REALDATA = PROJECT / "../shared/realdata"

# --- the normaliser
_CONTRACTIONS = (
    (r"\bwon't\b", "will not"),
    (r"\bcan't\b|\bcannot\b", "can not"),
    (r"\blet's\b", "let us"),
    (r"n't\b", " not"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"'ll\b", " will"),
    (r"'m\b", " am"),
    (r"'d\b", " would"),
    (r"\b(it|that|there|here|what|who|where|how|he|she|everything)'s\b", r"\1 is"),
    (r"\bgonna\b", "going to"),
    (r"\bwanna\b", "want to"),
    (r"\b(okay|o\.k\.)(?!\w)", "ok"),
    (r"\ball right\b", "alright"),
)
_SYMBOLS = (
    ("%", " percent "),
    ("&", " and "),
    ("@", " at "),
    ("#", " pound "),
    ("*", " star "),
    ("+", " plus "),
)
_ONES, _TENS = (
    re.findall(r"\w+", words)
    for words in (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen",
        "_ _ twenty thirty forty fifty sixty seventy eighty ninety",
    )
)
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"}
_ORDINALS |= {"nine": "ninth", "twelve": "twelfth"}
_FILLERS = {"um", "uh", "uhm", "er", "erm", "hmm", "mm", "mhm", "ah"}


def cardinal(n: int) -> list[str]:
    """English words of a whole number below 10^9."""
    if n < 20:
        return [_ONES[n]]
    if n < 100:
        return [_TENS[n // 10], *([_ONES[n % 10]] if n % 10 else [])]
    for size, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if n >= size:
            return [*cardinal(n // size), name, *(cardinal(n % size) if n % size else [])]
    raise AssertionError(n)


def spoken_number(digits: str) -> list[str]:
    """As it is usually read: years by pairs, five digits and more one by one, others as a number."""
    if len(digits) >= 5 or (len(digits) > 1 and digits[0] == "0"):
        return [_ONES[int(d)] for d in digits]
    if len(digits) == 4 and digits[:2] in {"11", "12", "13", "14", "15", "16", "17", "18", "19", "20"}:
        high, low = int(digits[:2]), int(digits[2:])
        if low >= 10:
            return [*cardinal(high), *cardinal(low)]
    return cardinal(int(digits))


def _ordinal(match: re.Match) -> str:
    *head, last = cardinal(int(match[1]))
    last = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last + "th")
    return " " + " ".join([*head, last]) + " "


def normalise(text: str) -> list[str]:
    """Words that are compared: lower case, contractions and numbers in full, no punctuation, no fillers.

    Typographic apostrophes are made plain; `$5` is "five dollars", `%` percent, `#` pound, `*` star, `8 a.m.` "eight
    am", `www.a.org` "www dot a dot org"; hyphens part words, so letters that are spelled out count one by one.
    """
    text = text.lower().replace("’", "'").replace("‘", "'")
    text = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", text)
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text)
    for symbol, word in _SYMBOLS:
        text = text.replace(symbol, word)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"\$\s?(\d+)(?:\.(\d\d))?", r"\1 dollars \2 ", text)
    text = re.sub(r"\b(\d{1,3})(?:st|nd|rd|th)\b", _ordinal, text)
    text = re.sub(r"(\d+)", lambda m: " " + " ".join(spoken_number(m[1])) + " ", text)
    text = re.sub(r"(?<=[a-z])\.(?=[a-z]{2})", " dot ", text)
    text = re.sub(r"'s\b|'", lambda m: "s" if m[0] == "'s" else "", text)
    return [w for w in re.findall(r"[^\W_]+", text) if w not in _FILLERS]


def errors(reference: list[str], heard: list[str]) -> int:
    """Levenshtein distance in words: substitutions, deletions and insertions, each 1."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


# --- the recordings
@dataclass(frozen=True)
class Item:
    """A recording, the audio channel that is compared, and what was said on it."""

    path: Path
    channel: int
    reference: str


def two_channel_auto_repair(folder: Path) -> dict[str, list[Item]]:
    text = json.loads((folder / "reference_text_silver.json").read_text(encoding="utf-8"))
    path = next(folder.glob("*.wav"))
    return {party: [Item(path, c, text[party])] for c, party in enumerate(("agent", "customer"))}


def two_channel_short(folder: Path) -> dict[str, list[Item]]:
    described = " ".join((folder / "SOURCE.txt").read_text(encoding="utf-8").split())
    path = folder / "call_center_sample.wav"
    said = {party: re.search(rf'{party.title()} "([^"]+)"', described)[1] for party in ("agent", "customer")}
    return {party: [Item(path, c, text)] for c, (party, text) in enumerate(said.items())}


def mono_phone_calls(folder: Path) -> dict[str, list[Item]]:
    lines = (folder / "Call01.srt").read_text(encoding="utf-8").splitlines()
    spoken = [re.sub(r"^\[\w+\]", "", s) for s in lines if s.strip() and not s.strip().isdigit() and "-->" not in s]
    return {"both": [Item(folder / "Call01.wav", 0, " ".join(spoken))]}


def phone_prompts(folder: Path) -> dict[str, list[Item]]:
    with open(folder / "prompts.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {"prompts": [Item(folder / "wav" / row["file"], 0, row["text"]) for row in rows]}


SETS: dict[str, Callable[[Path], dict[str, list[Item]]]] = {
    f.__name__: f for f in (two_channel_auto_repair, two_channel_short, mono_phone_calls, phone_prompts)
}


# --- the comparison
def compare(items: list[Item], heard: Callable[[Item], tuple[str, float]]) -> tuple[int, int, float]:
    """Errors, words of the reference, CPU seconds of `heard` over the items."""
    wrong = words = 0
    seconds = 0.0
    for item in items:
        text, cpu_s = heard(item)
        reference = normalise(item.reference)
        wrong += errors(reference, normalise(text))
        words += len(reference)
        seconds += cpu_s
    return wrong, words, seconds


class Ours:
    """What the pipeline does: activity on the file, its speech to recognition, the words that pass the gates."""

    def __init__(self, model: str, cache: Path, **options) -> None:
        from pipelines.speech.recognition import FasterWhisper, RecognitionOptions

        self.transcriber = FasterWhisper(RecognitionOptions(model=model, workers=1, **options), cache)
        self.transcriber.load()
        self._speech: dict[Path, list[list[tuple[float, float]]]] = {}

    def speech(self, path: Path) -> list[list[tuple[float, float]]]:
        from pipelines.audio.acoustics import acoustics

        if path not in self._speech:
            found = acoustics(path)
            self._speech[path] = [
                [
                    (s["start_s"], s["end_s"])
                    for s in found.segments
                    if s["audio_channel"] == c["audio_channel"] and s["kind"] == "speech"
                ]
                for c in found.channels
            ]
        return self._speech[path]

    def __call__(self, item: Item) -> tuple[str, float]:
        from pipelines.audio.acoustics import recognition_audio

        samples, speech = recognition_audio(item.path)[:, item.channel], self.speech(item.path)[item.channel]
        started = time.process_time()
        words = self.transcriber.transcribe(samples, speech).words
        return " ".join(w.word for w in words), time.process_time() - started


class Plain:
    """faster-whisper as its documentation shows it: the whole channel, every default but int8."""

    def __init__(self, model: str, cache: Path) -> None:
        from faster_whisper import WhisperModel

        from pipelines.speech.model_files import model_folder

        self.model = WhisperModel(str(model_folder(model, cache)), device="cpu", compute_type="int8", cpu_threads=1)

    def __call__(self, item: Item) -> tuple[str, float]:
        from pipelines.audio.acoustics import recognition_audio

        samples = recognition_audio(item.path)[:, item.channel].copy()
        started = time.process_time()
        segments, _ = self.model.transcribe(samples)
        return " ".join(segment.text for segment in segments), time.process_time() - started


def durations_s(items: list[Item]) -> float:
    import soundfile

    return sum(soundfile.info(item.path).duration for item in items)


def lines(names: list[str], model: str, cache: Path, plain: bool) -> Iterator[str]:
    """The table, line by line."""
    ours, theirs = Ours(model, cache), Plain(model, cache) if plain else None
    yield f"{'set':<26}{'channel':<10}{'words':>6}{'audio s':>9}   {'ours WER':>8}{'CPU s':>8}{'x':>7}" + (
        f"   {'plain WER':>9}{'CPU s':>8}{'x':>7}" if theirs else ""
    )
    for name in names:
        folder = REALDATA / name
        if not folder.is_dir():
            yield f"{name:<26}skipped: {folder.name} is not beside the project"
            continue
        for channel, items in SETS[name](folder).items():
            length_s = durations_s(items)
            wrong, words, cpu_s = compare(items, ours)
            line = f"{name:<26}{channel:<10}{words:>6}{length_s:>9.1f}"
            line += f"   {wrong / words:>8.3f}{cpu_s:>8.1f}{length_s / cpu_s:>7.1f}"
            if theirs:
                wrong, words, cpu_s = compare(items, theirs)
                line += f"   {wrong / words:>9.3f}{cpu_s:>8.1f}{length_s / cpu_s:>7.1f}"
            yield line


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="sets", action="append", choices=SETS, help="only this set (may be repeated)")
    parser.add_argument("--model", default="base", help="model name, or a folder with its files")
    parser.add_argument("--models", type=Path, default=PROJECT / "data" / "models", help="cache of model files")
    parser.add_argument("--no-plain", action="store_true", help="leave out plain faster-whisper")
    chosen = parser.parse_args(arguments)
    for line in lines(chosen.sets or list(SETS), chosen.model, chosen.models, not chosen.no_plain):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
    sys.exit(main())
