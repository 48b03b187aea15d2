"""Rows of a recording: with a transcriber that says what it is told, so that every rule is seen alone."""

import numpy as np
import pytest

from pipelines.contracts.transcripts import RECOGNITIONS, WORDS
from pipelines.settings import SettingError
from pipelines.speech.channels import recognised_rows, undecoded_row
from pipelines.speech.recognition import Language, Recognition, Word

AUDIO = np.zeros((16_000 * 20, 2), np.float32)
SPEECH = {0: [(1.0, 3.0)], 1: [(4.0, 9.0)]}


class Says:
    """Every channel says `text`; `asked` are the languages that it was to transcribe in."""

    def __init__(self, text="thank you for calling", heard=Language("en", 0.9), error=None, deaf=None):
        self.text, self.heard, self.error, self.deaf = text, heard, error, deaf
        self.supplied, self.asked = [], []

    def version(self, language=None):
        return "v"

    def language(self, audio, speech, supplied=None):
        self.supplied.append(supplied)
        if self.deaf:
            raise self.deaf
        return Language(supplied) if supplied else self.heard

    def transcribe(self, samples, speech, language):
        self.asked.append((language, list(speech)))
        if self.error:
            raise self.error
        start_s = speech[0][0]
        words = [Word(start_s + i / 4, start_s + (i + 1) / 4, w, 0.8) for i, w in enumerate(self.text.split())]
        return Recognition(words, n_dropped=2)


def as_said(texts, starts):
    return texts


def rows(transcriber, *, speech=SPEECH, layout="two", language=None, redact=as_said, audio=AUDIO):
    words, recognitions = recognised_rows(
        transcriber, audio, speech=speech, layout=layout, language=language, redact=redact, version="v 1"
    )
    keyed = {"audio_sha256": "a", "interaction_id": "i"}
    for table, found in ((WORDS, words), (RECOGNITIONS, recognitions)):
        table.frame([row | keyed for row in found])
    return words, recognitions


def test_the_language_is_asked_for_once_and_stands_on_every_channel():
    transcriber = Says(heard=Language("de", 0.97))
    _, recognitions = rows(transcriber)
    assert transcriber.supplied == [None]
    assert [language for language, _ in transcriber.asked] == ["de", "de"]
    assert [(r["language"], r["language_confidence"], r["detail"]) for r in recognitions] == [("de", 0.97, None)] * 2


def test_an_assumed_language_says_so_in_the_detail():
    _, recognitions = rows(Says(heard=Language("en", 0.2, "the language is uncertain (cy 0.31): en was assumed")))
    assert {r["detail"] for r in recognitions} == {"the language is uncertain (cy 0.31): en was assumed"}
    assert {r["outcome"] for r in recognitions} == {"transcribed"}


def test_a_supplied_language_has_no_confidence():
    _, recognitions = rows(Says(), language="en-GB")
    assert {r["language_confidence"] for r in recognitions} == {None}


def test_a_channel_without_speech_is_not_recognised_and_has_the_recordings_language():
    transcriber = Says()
    words, recognitions = rows(transcriber, speech={0: [(1.0, 3.0)]})
    assert len(transcriber.asked) == 1
    assert [(r["outcome"], r["n_words"], r["speech_s"], r["language"]) for r in recognitions] == [
        ("transcribed", 4, 2.0, "en"),
        ("no_speech", 0, 0.0, "en"),
    ]
    assert {w["audio_channel"] for w in words} == {0}


def test_words_are_numbered_by_channel_and_refused_ones_counted():
    words, recognitions = rows(Says())
    assert [(w["audio_channel"], w["word_index"]) for w in words] == [(c, i) for c in (0, 1) for i in range(4)]
    assert [r["n_words_dropped"] for r in recognitions] == [2, 2]
    assert recognitions[0]["asr_confidence"] == pytest.approx(0.8)


def test_of_a_dual_mono_recording_only_the_first_channel_is_recognised():
    _, recognitions = rows(Says(), layout="dual_mono")
    assert [r["audio_channel"] for r in recognitions] == [0]


def test_two_voices_on_a_mono_recording_are_recognised_together_and_their_overlap_counts_once():
    transcriber = Says()
    speech = {0: [(1.0, 3.0), (3.0, 5.0), (4.5, 6.0), (8.0, 9.0)]}
    _, (recognition,) = rows(transcriber, speech=speech, layout="mono", audio=AUDIO[:, :1])
    assert transcriber.asked == [("en", [(1.0, 6.0), (8.0, 9.0)])]
    assert recognition["speech_s"] == 6.0


def test_a_channel_that_fails_says_why_and_the_day_goes_on():
    words, recognitions = rows(Says(error=RuntimeError("out of order")))
    assert words == []
    assert [(r["outcome"], r["detail"]) for r in recognitions] == [("failed", "RuntimeError: out of order")] * 2


def test_where_the_language_can_not_be_heard_the_channels_with_speech_fail():
    transcriber = Says(deaf=MemoryError("full"))
    _, recognitions = rows(transcriber, speech={0: [(1.0, 3.0)]})
    assert transcriber.asked == []
    assert [(r["outcome"], r["detail"]) for r in recognitions] == [
        ("failed", "MemoryError: full"),
        ("no_speech", None),
    ]


def test_a_wrong_setting_is_no_matter_of_one_recording():
    with pytest.raises(SettingError, match="IQS_WHISPER_LANGUAGE"):
        rows(Says(deaf=SettingError("IQS_WHISPER_LANGUAGE='klingon'")))


def test_a_mark_of_the_redaction_lasts_as_long_as_the_words_that_it_replaces():
    def redact(texts, starts):
        return [["my", "card", "[card]", ""] for _ in texts]

    words, recognitions = rows(
        Says("my card 4111 1111"), speech={0: [(1.0, 3.0)], 1: []}, redact=lambda t, s: [*redact(t[:1], s), []]
    )
    assert [(w["word"], w["start_s"], w["end_s"]) for w in words] == [
        ("my", 1.0, 1.25),
        ("card", 1.25, 1.5),
        ("[card]", 1.5, 2.0),
    ]
    assert recognitions[0]["n_words"] == 3


def test_a_recording_that_could_not_be_decoded_failed():
    row = undecoded_row("", "v 1") | {"audio_sha256": "a", "interaction_id": "i"}
    assert RECOGNITIONS.frame([row])["outcome"].to_list() == ["failed"]
    assert row["detail"] == "the recording could not be decoded"
