"""Word error rate of our recognition beside plain faster-whisper, on real recordings and on the sample.

    python -m tests.accuracy.wer [--set NAME …] [--model NAME] [--beam N] [--hotwords FILE] [--no-plain]

prints one line per recording set and channel: words of the reference, WER and CPU seconds of ours and of
`WhisperModel(MODEL, compute_type="int8").transcribe(channel)`, every other default. Sets whose folder is absent are
skipped with a message. The references of `two_channel_auto_repair` are silver: settled by comparing machine decodings
of the base model, not by a listener. `sample` is synthetic speech. `figures` adds copies with noise, the gates, the
language and hotwords.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from pipelines.speech.recognition import FasterWhisper, RecognitionOptions, read_hotwords
from tests.accuracy.figure import REAL_DATA, Figure, table

PROJECT = Path(__file__).resolve().parents[2]
MODELS = PROJECT / "data" / "models"
SAMPLE = PROJECT / "data" / "sample"
RATE_HZ = 16_000
Speech = list[tuple[float, float]]

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


def two_channel_auto_repair() -> dict[str, list[Item]]:
    folder = _folder("two_channel_auto_repair")
    text = json.loads((folder / "reference_text_silver.json").read_text(encoding="utf-8"))
    path = next(folder.glob("*.wav"))
    return {party: [Item(path, c, text[party])] for c, party in enumerate(("agent", "customer"))}


def two_channel_short() -> dict[str, list[Item]]:
    folder = _folder("two_channel_short")
    described = " ".join((folder / "SOURCE.txt").read_text(encoding="utf-8").split())
    path = folder / "call_center_sample.wav"
    said = {party: re.search(rf'{party.title()} "([^"]+)"', described)[1] for party in ("agent", "customer")}
    return {party: [Item(path, c, text)] for c, (party, text) in enumerate(said.items())}


def mono_phone_calls() -> dict[str, list[Item]]:
    folder = _folder("mono_phone_calls")
    lines = (folder / "Call01.srt").read_text(encoding="utf-8").splitlines()
    spoken = [re.sub(r"^\[\w+\]", "", s) for s in lines if s.strip() and not s.strip().isdigit() and "-->" not in s]
    return {"both": [Item(folder / "Call01.wav", 0, " ".join(spoken))]}


def phone_prompts() -> dict[str, list[Item]]:
    folder = _folder("phone_prompts")
    with open(folder / "prompts.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {"prompts": [Item(folder / "wav" / row["file"], 0, row["text"]) for row in rows]}


def sample() -> dict[str, list[Item]]:
    """The two-channel calls of the sample in which both parties speak."""
    items: dict[str, list[Item]] = {"agent": [], "customer": []}
    for file in sorted((SAMPLE / "truth").glob("*.json")):
        truth = json.loads(file.read_text(encoding="utf-8"))
        said = {p: " ".join(s["text"] for s in about["segments"]) for p, about in truth["parties"].items()}
        if truth["layout"] == "two" and all(said.get(party, "").strip() for party in items):
            for party, text in said.items():
                path = SAMPLE / "landing" / truth["recording"]
                items[party].append(Item(path, truth["parties"][party]["channel"], text))
    return items


def _folder(name: str) -> Path:
    if not (REAL_DATA / name).is_dir():
        raise FileNotFoundError(f"{name} is not among the real data beside the project")
    return REAL_DATA / name


SETS: dict[str, Callable[[], dict[str, list[Item]]]] = {
    f.__name__: f for f in (two_channel_auto_repair, two_channel_short, mono_phone_calls, phone_prompts, sample)
}


@cache
def sound(path: Path) -> tuple[np.ndarray, dict[int, Speech]]:
    """Samples at 16 kHz, float32 (n, channels), and the speech of each channel as the activity stage finds it."""
    from pipelines.audio.acoustics import acoustics, recognition_audio

    samples, speech = np.asarray(recognition_audio(path)), {}
    for segment in acoustics(path).segments:
        if segment["kind"] == "speech":
            speech.setdefault(segment["audio_channel"], []).append((segment["start_s"], segment["end_s"]))
    return samples, {channel: sorted(speech.get(channel, [])) for channel in range(samples.shape[1])}


def with_noise(samples: np.ndarray, speech: Speech, snr_db: float) -> np.ndarray:
    """A copy with pink noise of the telephone band, `snr_db` below the power of the speech."""
    random = np.random.default_rng(round(snr_db))
    f = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    shape = np.where((f > 100) & (f < 3_800), 1 / np.sqrt(np.maximum(f, 100)), 0)
    noise = np.fft.irfft(np.fft.rfft(random.normal(size=len(samples))) * shape, len(samples))
    spoken = np.concatenate([samples[round(a * RATE_HZ) : round(b * RATE_HZ)] for a, b in speech])
    wanted = np.mean(np.square(spoken, dtype=np.float64)) / 10 ** (snr_db / 10)
    return (samples + noise * np.sqrt(wanted / np.mean(np.square(noise)))).astype(np.float32)


# --- the comparison
Heard = Callable[[np.ndarray, Speech], str]


@dataclass(frozen=True)
class Score:
    """Errors, words of the reference, CPU seconds and seconds of audio over some items."""

    wrong: int = 0
    words: int = 0
    cpu_s: float = 0.0
    audio_s: float = 0.0

    def __add__(self, other: Score) -> Score:
        return Score(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def wer(self) -> float:
        return self.wrong / self.words

    @property
    def times(self) -> float:
        return self.audio_s / self.cpu_s


def score(items: list[Item], hear: Heard, *, snr_db: float | None = None) -> Score:
    """`hear` takes a channel's samples and its speech, and gives a text."""
    total = Score()
    for item in items:
        samples, speech = sound(item.path)
        own, spoken = samples[:, item.channel].copy(), speech[item.channel]
        if snr_db is not None:
            own = with_noise(own, spoken, snr_db)
        started = time.process_time()
        text = hear(own, spoken)
        cpu_s = time.process_time() - started
        reference = normalise(item.reference)
        total += Score(errors(reference, normalise(text)), len(reference), cpu_s, len(own) / RATE_HZ)
    return total


def ours(model: str = "base", models: Path = MODELS, **options) -> Heard:
    """What the pipeline does with the speech of a channel; English, as the references are."""
    whisper = FasterWhisper(replace(RecognitionOptions(model=model, workers=1), **options), models)
    whisper.load()
    return lambda samples, speech: " ".join(w.word for w in whisper.transcribe(samples, speech, "en").words)


NO_GATES = {
    "outside_speech_s": 1e9,
    "least_word_probability": 0.0,
    "least_passage_probability": 0.0,
    "doubtful_no_speech": 2.0,
    "doubtful_log_probability": -1e9,
    "refused_log_probability": -1e9,
    "most_repeats": 10**9,
}


def plain(model: str = "base", models: Path = MODELS, **options) -> Heard:
    """faster-whisper as its documentation shows it: the whole channel, every default but int8 and `options`."""
    from faster_whisper import WhisperModel

    from pipelines.speech.model_files import model_folder

    whisper = WhisperModel(str(model_folder(model, models)), device="cpu", compute_type="int8", cpu_threads=1)
    return lambda samples, speech: " ".join(segment.text for segment in whisper.transcribe(samples, **options)[0])


# --- names
NAMES = {
    "two_channel_auto_repair": ("Platinum Motors", "Michelle", "Jack", "Tesla"),
    "mono_phone_calls": ("Callytics", "Emily", "Bunyamin"),
    "sample": ("Larkfield Energy", "Brightline Parcels", "Dana", "Marcus", "Priya", "Helen", "Tom"),
}
# Invented or common; none of them is said in a recording.
WRONG_NAMES = (
    *("Northgate Insurance", "Velora", "Quentin", "Siobhan", "Halvorsen", "Zentrix Pro", "Abernathy", "Kestrel Bank"),
    *("Fiona", "Rashid", "Moonpath", "Tillmann", "Oakhurst Dental", "Beatrix", "Cardinal Plus", "Jerome", "Wexford"),
    *("Nadine", "Solaris Home", "Gideon"),
)


def named(text: str, names: tuple[str, ...]) -> dict[str, int]:
    """How often each word of the names is said."""
    words = normalise(text)
    return {word: words.count(word) for name in names for word in normalise(name)}


@dataclass(frozen=True)
class Names:
    """Mentions in the reference, those of them that were heard, and mentions that nobody made."""

    said: int = 0
    heard: int = 0
    invented: int = 0

    def counted(self, reference: str, heard: str, names: tuple[str, ...]) -> Names:
        said, found = named(reference, names), named(heard, names)
        return Names(
            self.said + sum(said.values()),
            self.heard + sum(min(said[w], found[w]) for w in said),
            self.invented + sum(max(0, found[w] - said[w]) for w in said),
        )


# --- languages
LANGUAGES = {
    "two_channel_auto_repair/Auto_Repairs_40_stereo_LagentRcaller.wav": "en",
    "two_channel_short/call_center_sample.wav": "en",
    "mono_phone_calls/Call01.wav": "en",
    "mono_u8_and_dual_mono/Auto0_GUID_000_AGENT_ChrisL_Mono.wav": "en",
    "mono_u8_and_dual_mono/Sample1.mp3": "hu",  # a lesson of Hungarian, by its own words
    "mono_u8_and_dual_mono/Sample2.mp3": "hu",
    "phone_clips/commercial_mono.wav": "en",
    "phone_clips/english2.g712.wav": "en",
    "phone_clips/two_channel_16k.wav": "en",
}


# --- figures
_NOTES = {
    "two_channel_auto_repair": "silver text by machine decodings of this model; clip lengths were chosen on this call",
    "two_channel_short": "perhaps synthetic speech",
    "mono_phone_calls": "text by a person; decoding the call shifted by 0.1-0.7 s changes either figure by .02",
    "phone_prompts": "one voice, studio",
    "sample": "synthetic speech",
}
_PLAIN = "plain faster-whisper, same model"


def figures(quick: bool = False, models: Path = MODELS) -> list[Figure]:
    """WER on every set that is there, speed, WER with noise and without the gates, names by hotwords, languages.

    `quick` leaves out the long call, the prompts, most of the sample, noise and hotwords.
    """
    whisper, peer = ours(models=models), plain(models=models)
    found: list[Figure] = []
    for name in ("two_channel_short", "mono_phone_calls", "sample") if quick else SETS:
        for channel, items in _there(name).items():
            own, theirs = (score(items[: 2 if quick else None], hear) for hear in (whisper, peer))
            data = f"{name}, {channel}"
            found.append(Figure("word error rate", data, own.words, own.wer, "", _PLAIN, theirs.wer, _NOTES[name]))
            if name == "two_channel_auto_repair":
                found.append(_speed(data, own, theirs))
    if not quick:
        found += [*_noise(models), *_hotwords(models)]
    found += _heard_languages(models)
    if not found:
        raise FileNotFoundError("none of the recordings is there")
    return found


def _there(name: str) -> dict[str, list[Item]]:
    try:
        return SETS[name]()
    except FileNotFoundError as error:
        print(f"left out: {error}", file=sys.stderr)
        return {}


def _speed(data: str, own: Score, theirs: Score) -> Figure:
    note = "CPU time of one thread; a busy machine changes both, hardly their ratio"
    return Figure("seconds of a channel per CPU second", data, 1, own.times, "x", _PLAIN, theirs.times, note)


def _noise(models: Path) -> Iterator[Figure]:
    """Copies with noise: that the gates keep the words that can be heard."""
    items = [item for channel in _there("two_channel_auto_repair").values() for item in channel]
    if not items:
        return
    gated, free = ours(models=models), ours(models=models, **NO_GATES)
    for snr_db in (20, 10, 5):
        own, every_word = (score(items, hear, snr_db=snr_db) for hear in (gated, free))
        data = f"two_channel_auto_repair with pink noise, {snr_db} dB SNR"
        note = "speech as the activity stage finds it without the noise"
        yield Figure("word error rate", data, own.words, own.wer, "", "without the gates", every_word.wer, note)


def _hotwords(models: Path) -> Iterator[Figure]:
    """What IQS_WHISPER_HOTWORDS does: with the call's names, with 20 wrong ones beside them, with wrong ones alone."""
    for name, names in NAMES.items():
        items = [item for channel in _there(name).values() for item in channel]
        if not items:
            continue
        lists = {"none": (), "right names": names, "right and 20 wrong": names + WRONG_NAMES, "20 wrong": WRONG_NAMES}
        found = {
            given: _with_names(items, ours(models=models, hotwords=words), names + WRONG_NAMES)
            for given, words in lists.items()
        }
        errors_before, before = found.pop("none")
        for given, (after_errors, after) in found.items():
            data, base = f"{name}, hotwords: {given}", "without hotwords"
            wer, recall = after_errors.wer, after.heard / after.said
            yield Figure("word error rate", data, after_errors.words, wer, "", base, errors_before.wer, _NOTES[name])
            yield Figure("names heard", data, after.said, recall, "", base, before.heard / before.said, "by words")
            yield Figure("names invented", data, after.said, after.invented, "", base, before.invented, "by words")


def _with_names(items: list[Item], hear: Heard, names: tuple[str, ...]) -> tuple[Score, Names]:
    total, counted = Score(), Names()
    for item in items:
        texts: list[str] = []

        def keep(samples: np.ndarray, speech: Speech, texts: list[str] = texts) -> str:
            texts.append(hear(samples, speech))
            return texts[0]

        total += score([item], keep)
        counted = counted.counted(item.reference, texts[0], names)
    return total, counted


def _heard_languages(models: Path) -> Iterator[Figure]:
    """How often the language of a recording is heard right, from all of it and from 10 s."""
    whisper = FasterWhisper(RecognitionOptions(workers=1), models)
    right: dict[str, list[bool]] = {"whole": [], "10 s": [], "first 30 s": []}
    cpu_s: list[float] = []
    for name, tag in LANGUAGES.items():
        path = REAL_DATA / name
        if not path.is_file():
            continue
        samples, speech = sound(path)
        started = time.process_time()
        right["whole"].append(whisper.language(samples, speech).code == tag)
        cpu_s.append(time.process_time() - started)
        right["first 30 s"].append(whisper.load().detect_language(samples[:, 0].copy())[0] == tag)
        for start_s in np.linspace(0, len(samples) / RATE_HZ - 10, 4):
            part = {
                c: [(max(a, start_s), min(b, start_s + 10)) for a, b in s if a < start_s + 10 and b > start_s]
                for c, s in speech.items()
            }
            if sum(b - a for s in part.values() for a, b in s) > 2:
                right["10 s"].append(whisper.language(samples, part).code == tag)
    if not cpu_s:
        return
    base, data = "faster-whisper on the first 30 s of channel 0", "real recordings, 7 English, 2 Hungarian"
    share = {given: sum(answers) / len(answers) for given, answers in right.items()}
    yield Figure("language heard right", data, len(cpu_s), share["whole"], "", base, share["first 30 s"], "")
    yield Figure(
        "language heard right", f"{data}, 10 s each", len(right["10 s"]), share["10 s"], "", note="2 s of speech"
    )
    yield Figure("hearing the language", data, len(cpu_s), sum(cpu_s) / len(cpu_s), "CPU s a recording")


# --- the command
def lines(names: list[str], model: str, models: Path, with_plain: bool, **options) -> Iterator[str]:
    """The table of one model and its settings, line by line."""
    whisper, peer = ours(model, models, **options), plain(model, models) if with_plain else None
    yield f"{'set':<26}{'channel':<10}{'words':>6}{'audio s':>9}   {'ours WER':>8}{'CPU s':>8}{'x':>7}" + (
        f"   {'plain WER':>9}{'CPU s':>8}{'x':>7}" if peer else ""
    )
    for name in names:
        for channel, items in _there(name).items():
            own = score(items, whisper)
            line = f"{name:<26}{channel:<10}{own.words:>6}{own.audio_s:>9.1f}"
            line += f"   {own.wer:>8.3f}{own.cpu_s:>8.1f}{own.times:>7.1f}"
            if peer:
                theirs = score(items, peer)
                line += f"   {theirs.wer:>9.3f}{theirs.cpu_s:>8.1f}{theirs.times:>7.1f}"
            yield line


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", dest="sets", action="append", choices=SETS, help="only this set (may be repeated)")
    parser.add_argument("--model", default="base", help="model name, or a folder with its files")
    parser.add_argument("--models", type=Path, default=MODELS, help="cache of model files")
    parser.add_argument("--beam", type=int, default=5, help="beam size of ours")
    parser.add_argument("--hotwords", type=Path, help="text file with names, one a line")
    parser.add_argument("--no-plain", action="store_true", help="leave out plain faster-whisper")
    parser.add_argument("--figures", action="store_true", help="the figures instead: noise, names, languages")
    parser.add_argument("--quick", action="store_true", help="fewer figures")
    chosen = parser.parse_args(arguments)
    if chosen.figures:
        print(table(figures(chosen.quick, chosen.models)))
        return 0
    hotwords = read_hotwords(chosen.hotwords) if chosen.hotwords else ()
    options = {"beam_size": chosen.beam, "hotwords": hotwords}
    for line in lines(chosen.sets or list(SETS), chosen.model, chosen.models, not chosen.no_plain, **options):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
