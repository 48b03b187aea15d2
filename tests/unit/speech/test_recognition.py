from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audio.resampled import Resampled
from pipelines.settings import SettingError
from pipelines.speech.recognition import (
    FasterWhisper,
    Heard,
    Language,
    Recognition,
    RecognitionOptions,
    Word,
    audible,
    gate,
    joined,
    language_sample,
    likely_language,
    pack,
    passages,
    place,
    read_hotwords,
    whole_words,
    without_loops,
)

OPTIONS = RecognitionOptions()


def words(text: str, start_s: float = 0.0, confidence: float = 0.9, each_s: float = 0.3) -> list[Word]:
    return [
        Word(round(start_s + i * each_s, 3), round(start_s + (i + 1) * each_s, 3), w, confidence)
        for i, w in enumerate(text.split())
    ]


def text(found: list[Word]) -> str:
    return " ".join(w.word for w in found)


def sure(found: list[Word], **more) -> Heard:
    return replace(Heard(found, log_probability=-0.2, no_speech=0.05), **more)


# --- clips
def test_segments_are_padded_and_close_ones_joined():
    options = RecognitionOptions(pad_s=0.5, join_gaps_under_s=1.0)
    assert pack([(1.0, 2.0), (3.5, 4.0), (10.0, 11.0)], 60.0, options) == [[(0.5, 4.5), (9.5, 11.5)]]


def test_the_pad_stays_inside_the_recording():
    assert pack([(0.1, 4.9)], 5.0, OPTIONS) == [[(0.0, 5.0)]]


def test_a_clip_that_is_full_is_followed_by_another():
    options = RecognitionOptions(pad_s=0.0)
    assert pack([(0, 20), (30, 38), (50, 60)], 60.0, options) == [[(0, 20), (30, 38)], [(50, 60)]]


def test_long_speech_is_cut_in_its_longest_pause():
    options = RecognitionOptions(pad_s=0.0, join_gaps_under_s=1.0)
    clips = pack([(0, 12), (12.2, 20), (20.8, 27), (27.1, 40)], 40.0, options)
    assert clips == [[(0, 20.4)], [(20.4, 40)]]


def test_long_speech_without_pauses_is_cut_where_it_is_quietest():
    samples = np.full(40 * 16_000, 0.1, np.float32)
    samples[25 * 16_000 : int(25.2 * 16_000)] = 0.0
    ((_, cut),) = pack([(0, 40)], 40.0, RecognitionOptions(pad_s=0.0), samples)[0]
    assert cut == pytest.approx(25.1, abs=0.06)


@given(
    st.lists(st.tuples(st.floats(0.05, 70), st.floats(0.05, 20)), min_size=1, max_size=20),
    st.floats(0, 1),
    st.floats(0, 3),
)
def test_clips_hold_all_speech_once_and_never_more_than_the_model_hears(gaps_and_lengths, pad_s, join_s):
    speech, now = [], 0.0
    for gap, length in gaps_and_lengths:
        speech.append((now + gap, now + gap + length))
        now += gap + length
    clips = pack(speech, now + 1, replace(OPTIONS, pad_s=pad_s, join_gaps_under_s=join_s))
    pieces = [piece for clip in clips for piece in clip]
    assert all(sum(b - a for a, b in clip) <= OPTIONS.longest_clip_s + 1e-6 for clip in clips)
    assert all(a < b for a, b in pieces)
    assert all(b <= c for (_, b), (c, _) in pairwise(pieces))
    for start, end in speech:
        covered = sum(max(0.0, min(end, b) - max(start, a)) for a, b in pieces)
        assert covered == pytest.approx(end - start, abs=1e-6)


def test_no_speech_makes_no_clips():
    assert pack([], 60.0, OPTIONS) == []


# --- times
def test_a_time_in_a_clip_becomes_the_time_of_its_piece():
    clip = [(10.0, 12.0), (50.0, 55.0)]
    assert place(0.5, 1.0, clip) == (10.5, 11.0)
    assert place(2.5, 3.0, clip) == (50.5, 51.0)


def test_a_word_over_a_seam_lies_where_most_of_it_is():
    clip = [(10.0, 12.0), (50.0, 55.0)]
    assert place(1.9, 2.5, clip) == (50.0, 50.5)
    assert place(1.2, 2.1, clip) == (11.2, 12.0)


@given(st.floats(0, 7), st.floats(0, 2))
def test_a_placed_word_is_inside_one_piece_and_no_longer_than_before(start, length):
    clip = [(10.0, 12.0), (50.0, 55.0)]
    placed_start, placed_end = place(start, start + length, clip)
    assert any(a <= placed_start <= placed_end <= b for a, b in clip)
    assert placed_end - placed_start <= length + 0.002


# --- words
@dataclass
class Piece:
    word: str
    start: float
    end: float
    probability: float


def test_pieces_without_a_blank_belong_to_the_word_before():
    pieces = [Piece(" 8", 0, 1, 0.9), Piece(" a", 1, 2, 0.8), Piece(".m.", 2, 3, 0.6), Piece(" Bye", 3, 4, 0.5)]
    pieces.append(Piece("-bye.", 4, 5, 0.7))
    assert whole_words(pieces, glue=True) == [
        ("8", 0.0, 1.0, 0.9),
        ("a.m.", 1.0, 3.0, 0.7),
        ("Bye-bye.", 3.0, 5.0, 0.6),
    ]


def test_languages_without_blanks_keep_every_piece_a_word():
    pieces = [Piece("你", 0, 1, 0.9), Piece("好", 1, 2, 0.8)]
    assert [w for w, *_ in whole_words(pieces, glue=False)] == ["你", "好"]


def test_passages_end_at_pauses():
    found = words("a b") + words("c", start_s=5)
    assert [text(p) for p in passages(found, 1.0)] == ["a b", "c"]


# --- gates
def test_sure_words_inside_speech_all_stay():
    found = words("thank you for calling how can I help you")
    assert gate([sure(found)], [(0.0, 3.0)], OPTIONS) == (found, 0)


def test_words_outside_the_given_speech_are_dropped():
    found = words("hello there") + words("subscribe now", start_s=20.0)
    kept, dropped = gate([sure(found)], [(0.0, 1.0), (40.0, 41.0)], OPTIONS)
    assert (text(kept), dropped) == ("hello there", 2)


def test_a_word_that_reaches_into_speech_stays():
    found = [Word(1.2, 1.5, "yes", 0.9)]
    assert gate([sure(found)], [(0.0, 1.0)], OPTIONS) == (found, 0)


def test_a_clip_that_the_model_takes_for_no_speech_and_is_unsure_of_is_dropped():
    found = words("thank you", confidence=0.5)
    assert gate([Heard(found, log_probability=-1.3, no_speech=0.75)], [(0, 3)], OPTIONS) == ([], 2)


def test_a_clip_that_is_only_said_to_be_no_speech_stays():
    found = words("thank you")
    assert gate([sure(found, no_speech=0.75)], [(0, 3)], OPTIONS) == (found, 0)


def test_a_clip_of_very_low_probability_is_dropped_whatever_else():
    assert gate([sure(words("so"), log_probability=-2.0)], [(0, 3)], OPTIONS) == ([], 1)


def test_an_improbable_passage_among_good_ones_is_dropped():
    found = words("good morning") + words("you", start_s=8.0, confidence=0.05) + words("goodbye", start_s=20.0)
    kept, dropped = gate([sure(found)], [(0.0, 30.0)], OPTIONS)
    assert (text(kept), dropped) == ("good morning goodbye", 1)


def test_marks_without_a_letter_or_digit_are_no_words():
    assert gate([sure(words(")))))) . ♪ hello"))], [(0.0, 5.0)], OPTIONS)[1] == 3


def test_words_whose_confidence_is_no_number_are_dropped():
    assert gate([sure(words("hello", confidence=float("nan")))], [(0.0, 5.0)], OPTIONS) == ([], 1)


def test_a_phrase_that_loops_stays_once():
    found = words("thank you " * 6 + "goodbye")
    assert text(without_loops(found, 4)) == "thank you goodbye"
    assert gate([sure(found)], [(0.0, 9.0)], OPTIONS)[1] == 10


def test_what_people_repeat_stays():
    said = "yes yes yes no no thank you thank you"
    assert text(without_loops(words(said), 4)) == said


def test_digits_that_repeat_are_no_loop():
    said = "4 1 1 1 1 1 1 1 one one one one one one"
    assert text(without_loops(words(said), 4)) == said


def test_a_clip_that_compresses_like_a_loop_loses_every_repetition():
    found = words("we are here we are here we are here")
    assert text(gate([sure(found, compression=3.0)], [(0.0, 9.0)], OPTIONS)[0]) == "we are here"


def test_words_come_in_the_order_of_time():
    kept, _ = gate([sure(words("later", start_s=30.0)), sure(words("first"))], [(0.0, 40.0)], OPTIONS)
    assert text(kept) == "first later"


# --- silence and nonsense never reach the model
class Untouched(FasterWhisper):
    def load(self):
        raise AssertionError("the model was asked")


@pytest.mark.parametrize(
    ("samples", "speech"),
    [
        (np.zeros(16_000 * 5), [(0.0, 5.0)]),
        (np.full(16_000 * 5, np.nan), [(0.0, 5.0)]),
        (np.full(16_000 * 5, np.inf), [(1.0, 2.0)]),
        (np.zeros(0), [(0.0, 5.0)]),
        (np.full(16_000 * 5, 0.1), []),
        (np.full(16_000 * 5, 0.1), [(9.0, 12.0)]),
    ],
    ids=["silent", "nan", "infinite", "empty", "no speech", "speech after the end"],
)
def test_silence_and_broken_samples_give_no_words(samples, speech, tmp_path):
    found = Untouched(OPTIONS, tmp_path).transcribe(samples.astype(np.float32), speech, "en")
    assert found == Recognition([], 0)


def test_segments_with_sound_are_kept_and_end_with_the_samples():
    samples = np.zeros(16_000 * 4, np.float32)
    samples[16_000:] = 0.1
    assert audible(samples, [(2.0, 9.0), (0.0, 0.9)], quietest_dbfs=-75.0) == [(2.0, 4.0)]


def test_two_channels_at_once_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one channel"):
        Untouched(OPTIONS, tmp_path).transcribe(np.zeros((10, 2), np.float32), [(0, 1)], "en")


# --- two voices on one channel
def test_segments_of_two_voices_that_touch_or_overlap_are_one():
    assert joined([(5.0, 7.0), (7.0, 9.0), (0.0, 1.0), (8.0, 8.5), (8.9, 9.4)]) == [(0.0, 1.0), (5.0, 9.4)]


@given(st.lists(st.floats(0.01, 20), min_size=2, max_size=12), st.data())
def test_who_speaks_does_not_change_the_clips(lengths, data):
    """However a segment is parted among two voices, what the model is given stays the same."""
    samples = np.full(320 * 16_000, 0.1, np.float32)
    whole, parted, now = [], [], 0.0
    for length in lengths:
        whole.append((now, now + length))
        cut = now + length * data.draw(st.floats(0.05, 0.95))
        parted += [(now, cut), (cut, now + length)]
        now += length + data.draw(st.floats(0.3, 4))
    clips = [pack(audible(samples, s, quietest_dbfs=-75.0), 320.0, OPTIONS) for s in (whole, parted)]
    assert clips[0] == clips[1]


# --- language
class Known:
    """A model that takes every sample for `best`, and counts how often it was asked."""

    def __init__(self, best="en", confidence=0.9, languages=("de", "en", "es"), is_multilingual=True):
        self.supported_languages, self.asked = list(languages), 0
        self.model = type("Model", (), {"is_multilingual": is_multilingual})
        rest = (1 - confidence) / max(1, len(languages) - 1)
        self.found = best, confidence, [(tag, confidence if tag == best else rest) for tag in languages]

    def detect_language(self, sample):
        assert 0 < len(sample) <= 29 * 16_000
        self.asked += 1
        return self.found


def listener(known: Known, **options) -> FasterWhisper:
    whisper = FasterWhisper(replace(OPTIONS, **options), None)
    whisper._model = known
    return whisper


SOUND = np.random.default_rng(1).normal(0, 0.1, (16_000 * 10, 2)).astype(np.float32)
SPEECH = {0: [(1.0, 4.0)], 1: [(5.0, 9.0)]}


def test_the_language_is_heard_once_for_both_parties():
    model = Known("de", 0.93)
    assert listener(model).language(SOUND, SPEECH) == Language("de", 0.93)
    assert model.asked == 1


def test_a_language_that_came_with_the_recording_counts_and_nothing_is_asked():
    model = Known("de", 0.99)
    assert listener(model).language(SOUND, SPEECH, "en-GB") == Language("en")
    assert listener(model, language="es").language(SOUND, SPEECH) == Language("es")
    assert model.asked == 0


def test_an_uncertain_language_is_the_fallback_and_says_so():
    found = listener(Known("de", 0.4)).language(SOUND, SPEECH)
    assert (found.code, found.confidence) == ("en", 0.3)
    assert found.detail == "the language is uncertain: de 0.40, en 0.30; en was assumed"
    assert listener(Known("de", 0.4), fallback_language="es").language(SOUND, SPEECH).code == "es"


def test_a_fallback_that_is_improbable_itself_is_not_assumed():
    found = likely_language("cs", 0.45, [("cs", 0.45), ("hu", 0.3), ("en", 0.02)], OPTIONS)
    assert found == Language("cs", 0.45, "the language is uncertain: cs 0.45, en 0.02")


def test_the_fallback_itself_may_be_uncertain():
    assert likely_language("en", 0.36, [("en", 0.36), ("cy", 0.2)], OPTIONS) == Language("en", 0.36)


def test_a_supplied_tag_that_the_model_does_not_know_is_said_and_the_language_heard():
    found = listener(Known("es", 0.8)).language(SOUND, SPEECH, "tlh")
    assert found == Language("es", 0.8, "the supplied language 'tlh' is unknown to the model")


def test_where_nobody_speaks_there_is_no_language(tmp_path):
    whisper = Untouched(OPTIONS, tmp_path)
    assert whisper.language(SOUND, {0: [], 1: []}) == Language(None)
    assert whisper.language(SOUND, {0: []}, "en-US") == Language("en")
    assert listener(Known()).language(np.zeros_like(SOUND), SPEECH) == Language(None)


def test_an_english_only_model_says_that_it_can_not_tell():
    model = Known(languages=("en",), is_multilingual=False)
    assert listener(model, model="tiny.en").language(SOUND, SPEECH).detail.endswith("the language was not detected")
    german = listener(model, model="tiny.en").language(SOUND, SPEECH, "de")
    assert (german.code, german.detail) == ("de", "tiny.en knows English only")
    assert model.asked == 0


def test_the_sample_holds_both_parties_in_equal_shares_from_all_over_the_call():
    minutes = 16_000 * 120
    ramp = np.linspace(0.1, 0.9, minutes, dtype=np.float32)  # the value tells the time, the sign the channel
    audio = np.stack([ramp, -ramp], axis=1)
    sample = language_sample(audio, {0: [(0.0, 120.0)], 1: [(0.0, 50.0), (60.0, 120.0)]}, OPTIONS)
    assert len(sample) == pytest.approx(29 * 16_000, abs=6)
    for channel in (sample[sample > 0], -sample[sample < 0]):
        assert len(channel) == pytest.approx(14.5 * 16_000, abs=3)
        when_s = (channel - 0.1) / 0.8 * 120
        assert when_s.min() < 1
        assert when_s.max() > 119
        assert 30 < np.median(when_s) < 90


def test_the_sample_of_a_recording_that_is_made_piece_by_piece_is_the_same():
    samples = np.random.default_rng(0).integers(-9_000, 9_000, (8_000 * 60, 2)).astype(np.int16)
    made = Resampled(samples, 8_000)
    speech = {0: [(0.3, 7.0), (9.1, 9.7), (30.0, 44.0)], 1: [(8.0, 29.3), (45.0, 60.0)]}
    sample = language_sample(made, speech, OPTIONS)
    assert len(sample) == pytest.approx(29 * 16_000, abs=6)
    assert np.allclose(sample, language_sample(np.asarray(made), speech, OPTIONS), atol=1e-6)


def test_what_one_party_lacks_goes_to_the_other():
    audio = np.stack([np.full(16_000 * 60, 0.1), np.full(16_000 * 60, -0.1)], axis=1).astype(np.float32)
    sample = language_sample(audio, {0: [(10.0, 12.0)], 1: [(0.0, 60.0)]}, OPTIONS)
    assert (np.sum(sample > 0), np.sum(sample < 0)) == (2 * 16_000, 27 * 16_000)


class Loaded(Known):
    """The same with what is checked when a model is loaded: a token a letter, 21 of them."""

    max_length = 44

    class hf_tokenizer:  # noqa: N801
        @staticmethod
        def encode(text):
            return type("Tokens", (), {"ids": list(text)})


@pytest.fixture
def loaded(monkeypatch, tmp_path):
    monkeypatch.setattr("pipelines.speech.recognition.model_folder", lambda model, models: tmp_path)
    monkeypatch.setattr("faster_whisper.WhisperModel", lambda *_, **__: Loaded())
    return lambda **options: FasterWhisper(replace(OPTIONS, **options), tmp_path).load()


def test_a_language_of_the_settings_that_the_model_lacks_is_refused_by_its_variable(loaded):
    loaded(language="es", fallback_language="de-AT")
    with pytest.raises(SettingError, match=r"IQS_WHISPER_LANGUAGE='klingon'.*de, en, es"):
        loaded(language="klingon")
    with pytest.raises(SettingError, match="IQS_WHISPER_FALLBACK_LANGUAGE='xx'"):
        loaded(fallback_language="xx")


def test_more_hotwords_than_the_model_takes_are_refused(loaded):
    loaded(hotwords=("Larkfield", "Anna Ray"))
    with pytest.raises(SettingError, match="22 tokens; the model takes 21"):
        loaded(hotwords=("Larkfield", "Anna Rayan"))


# --- hotwords
def test_hotwords_are_the_lines_of_a_file_each_once(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text("Larkfield Energy\n\n  Dana \nLarkfield  Energy\nZoë\n", encoding="utf-8-sig")
    assert read_hotwords(file) == ("Larkfield Energy", "Dana", "Zoë")


def test_a_file_of_hotwords_that_is_not_there_or_no_text_is_refused_by_its_variable(tmp_path):
    with pytest.raises(SettingError, match="IQS_WHISPER_HOTWORDS"):
        read_hotwords(tmp_path / "none.txt")
    (tmp_path / "sound.wav").write_bytes(b"RIFF\xff\xfe\x00")
    with pytest.raises(SettingError, match="UTF-8"):
        read_hotwords(tmp_path / "sound.wav")


# --- versions
def test_the_version_tells_what_shapes_the_words():
    assert OPTIONS.version().startswith("recognition-2 whisper-base auto beam5 int8 ")
    for change in ({"beam_size": 1}, {"pad_s": 0.4}, {"hotwords": ("Dana",)}, {"fallback_language": "de"}):
        assert replace(OPTIONS, **change).version() != OPTIONS.version()
    assert FasterWhisper(OPTIONS, None).version("de") == OPTIONS.version("de")


def test_the_version_of_a_recording_is_of_the_language_that_came_with_it():
    assert OPTIONS.version("en-GB") == OPTIONS.version("en") != OPTIONS.version("de")
    assert OPTIONS.version(None) == OPTIONS.version() != OPTIONS.version("en")
    other = replace(OPTIONS, language="es", fallback_language="de")
    assert other.version("en") == OPTIONS.version("en")
    assert other.version() == OPTIONS.version("es")


def test_the_number_of_workers_is_no_part_of_the_version():
    assert replace(OPTIONS, workers=7, threads=3).version() == OPTIONS.version()


def test_a_model_folder_appears_by_its_name_only(tmp_path):
    assert str(tmp_path) not in replace(OPTIONS, model=str(tmp_path / "mine")).version()
