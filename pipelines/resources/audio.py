"""Decoding processes and speech recognition as resources."""

from functools import lru_cache
from pathlib import Path

import dagster as dg

from pipelines.audio.decode import DecodeLimits
from pipelines.audio.sandbox import Sandbox
from pipelines.speech.recognition import FasterWhisper, RecognitionOptions, Transcriber, read_hotwords


class SandboxResource(dg.ConfigurableResource):
    """Child processes with limits in which untrusted audio is decoded and measured."""

    workers: int
    max_duration_s: float
    timeout_s: float
    memory_mb: int

    @property
    def limits(self) -> DecodeLimits:
        return DecodeLimits(max_duration_s=self.max_duration_s, timeout_s=self.timeout_s, memory_mb=self.memory_mb)

    def open(self) -> Sandbox:
        return Sandbox(self.workers, self.limits)


class TranscriberResource(dg.ConfigurableResource):
    """faster-whisper; the model is loaded at its first use and kept while the process lives."""

    model: str
    models: str
    language: str
    fallback_language: str
    hotwords: str
    beam_size: int
    workers: int

    def open(self) -> Transcriber:
        """The transcriber of these settings. Raises SettingError where the file of the hotwords can't be used."""
        options = RecognitionOptions(
            model=self.model,
            language=self.language,
            fallback_language=self.fallback_language,
            hotwords=read_hotwords(Path(self.hotwords)) if self.hotwords else (),
            beam_size=self.beam_size,
            workers=self.workers,
        )
        return _transcriber(options, Path(self.models))


@lru_cache(maxsize=1)
def _transcriber(options: RecognitionOptions, models: Path) -> Transcriber:
    return FasterWhisper(options, models)
