"""The field's words, one meaning each. Plain tuples: they are written into tables as text."""

CHANNELS = ("call", "chat", "email", "social")
PARTIES = ("agent", "customer")
METRIC_PARTIES = ("agent", "customer", "call")

STATUSES = ("scored", "excluded", "quarantined")

# Why an interaction that could be read is not scored (metrics.md §1).
EXCLUDED = {
    "too_short": "less than 4 s of speech",
    "one_party": "no speech, or no message, of one party",
    "too_few_words": "fewer than 10 words",
    "dual_mono": "both audio channels carry the same sound and the speakers could not be separated",
    "mono_audio": "one audio channel and the speakers could not be separated",
    "no_content": "a call without a recording or a transcript, or a chat or e-mail without messages",
    "language_unsupported": "the language is not one that the centre has phrases for",
    "opted_out": "the customer did not consent to the recording's use",
    "no_scorecard": "no scorecard is in force for this channel and call type",
    "nothing_measured": "none of the scorecard's parameters could be measured",
}

# Why something that came in could not be read. Each has a remedy that `iqs quarantine show` prints.
QUARANTINED = {
    "empty": ("the file has no bytes, or no audio frames", "export the recording again"),
    "truncated": ("the file ends before its header says", "export the recording again"),
    "not_audio": ("the file is not audio in any format that the decoder knows", "check what was exported"),
    "unsupported_codec": ("the audio's codec is not supported", "convert it to WAV, FLAC, MP3, Opus or M4A"),
    "unsupported_rate": ("the sampling rate is outside 8-48 kHz", "export at 8-48 kHz"),
    "unsupported_channels": ("more than two audio channels", "export one channel per party"),
    "nan_samples": ("samples are not finite numbers", "export the recording again"),
    "decompression_bomb": (
        "decoding gives more audio than the limit",
        "split it, or raise IQS_MAX_RECORDING_S",
    ),
    "decoder_crashed": ("the decoder died on this file", "convert the file with another tool"),
    "timeout": ("decoding took longer than the limit", "split it, or raise IQS_DECODE_TIMEOUT_S"),
    "out_of_memory": (
        "decoding needed more memory than the limit",
        "split it, or raise IQS_DECODE_MEMORY_MB",
    ),
    "recording_missing": ("the recording that the row names is not there", "deliver the recording"),
    "recording_expired": ("retention removed it, and nothing measured is left of it", "deliver the recording again"),
    "path_escape": ("the recording's path leaves the landing folder", "give a path inside recordings/"),
    "no_metadata": (
        "a recording without a row, whose name doesn't fit the pattern",
        "add a row to interactions*, or set IQS_RECORDING_PATTERN",
    ),
    "duplicate": ("the same id came twice in one file", "remove or rename one of the rows"),
    "metadata_invalid": (
        "a required column is missing or can't be read",
        "correct the row and deliver it again",
    ),
    "unknown_interaction": (
        "the row names an interaction that has not come in",
        "deliver the interaction's row",
    ),
    "unreadable_file": ("the file can't be parsed", "correct the file and deliver it again"),
    "transcription_failed": ("speech recognition failed on this recording", "run `iqs quarantine replay`"),
    "measurement_failed": ("measuring failed on this recording", "run `iqs quarantine replay`"),
}

# Why a metric of a readable interaction is NULL. Missing is never 0 and never "neutral".
NULL_REASONS = {
    "mono_audio": "one audio channel, and the parties could not be told apart",
    "no_audio": "there is no recording",
    "no_times": "the transcript has no times",
    "no_agent_speech": "the agent said nothing",
    "no_customer_speech": "the customer said nothing",
    "no_speech": "nobody said anything",
    "low_asr_confidence": "the words are too uncertain",
    "low_snr": "the noise is too loud to measure this",
    "not_applicable_to_call_type": "not defined for this channel or call type",
    "no_event": "nothing to measure: the event did not happen",
    "not_supplied": "the field was not delivered",
    "language_unsupported": "no phrases for this language",
    "not_read": "the interaction is in quarantine",
}

EVENT_KINDS = (
    "interruption",
    "attempted_interruption",
    "terminal_overlap",
    "backchannel",
    "dead_air",
    "hold",
    "retrieval",
    "zero_tolerance",
    "empathy",
    "dismissive",
    "escalation",
    "adherence",
    "resolution",
    "apology",
    "keyword",
)
