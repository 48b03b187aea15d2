"""A sound file as samples, or the reason why it can't be used."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.audio.spool import NoRoom, Spool
from pipelines.contracts.vocabulary import QUARANTINED

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 48_000
MOST_CHANNELS = 2
_BLOCK_FRAMES = 1 << 19

# Largest value that the coding can hold; what touches it in runs is clipped.
_FULL_SCALE = {"ULAW": 32_124, "ALAW": 32_256, "PCM_U8": 32_512, "PCM_S8": 32_512}
_NEARLY_FULL_SCALE = 32_700
# libsndfile wraps too loud samples of these around when it is asked for integers
_READ_AS_FLOAT = {"FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"}
# Encoders of these add and trim some milliseconds; the others are exact to the frame.
_LOSSY_SLACK_S, _EXACT_SLACK_S = 0.25, 0.02
# A shorter sound is none: one frame of the 10 ms tracks.
_LEAST_S = 0.01
# Sound behind the end that a WAV's header tells of: a recorder that died before its last look at the header.
_LEAST_BEYOND_S = 0.1
_UNKNOWN_SIZE = 0x7FFF_0000
_CHUNKS_AFTER_DATA = {b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"fact", b"_PMX", b"afsp"}
_CONTAINERS = "aac,amr,amrnb,amrwb,asf,au,caf,flac,g722,gsm,matroska,mov,mp3,ogg,w64,wav"


class BadRecording(Exception):
    """A recording that can't be used; `reason` is a key of `vocabulary.QUARANTINED`, `detail` says what is wrong."""

    def __init__(self, reason: str, detail: str = "") -> None:
        QUARANTINED[reason]
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


@dataclass(frozen=True)
class DecodeLimits:
    """What one recording may cost: seconds of audio, seconds of wall clock, MB of data memory of a process."""

    max_duration_s: float = 8 * 3600.0
    timeout_s: float = 300.0
    memory_mb: int = 4096


@dataclass(frozen=True)
class Audio:
    """A decoded recording.

    `samples` int16, shape (n, channels), at `rate_hz`, which is 8000 or 16000; those of a long one lie in a file
    (`spool`). `sample_rate_hz` is the file's own rate, `format` its container and codec. `clipping_ratio` holds, per
    channel, the share of the file's samples at full scale in runs of 3 or more, counted before any change of rate;
    `over_full_scale` counts the samples of floating-point codings that lay beyond it and were limited.
    """

    samples: np.ndarray
    sample_rate_hz: int
    format: str
    claimed_duration_s: float | None
    rate_hz: int
    clipping_ratio: tuple[float, ...]
    over_full_scale: int = 0

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz

    @property
    def n_channels(self) -> int:
        return self.samples.shape[1]


def decode(path: str | os.PathLike, limits: DecodeLimits | None = None) -> Audio:
    """The recording at `path` as int16 samples at 8 or 16 kHz.

    8 kHz and 16 kHz stay what they are, every other rate becomes 16 kHz (soxr HQ). libsndfile reads what it knows,
    FFmpeg (PyAV) the rest and damaged MP3s, packet by packet; only known containers are tried, and no file but
    this one is opened. Raises BadRecording: empty, truncated, not_audio, unsupported_codec, unsupported_rate,
    unsupported_channels, nan_samples, decompression_bomb; FileNotFoundError where there is no file.
    """
    path, limits = Path(path), limits or DecodeLimits()
    if path.stat().st_size == 0:
        raise BadRecording("empty", "the file has no bytes")
    wav = _wav_header(path)
    if wav and wav.missing_s > _EXACT_SLACK_S:
        raise BadRecording("truncated", f"{wav.missing_s:.2f} of {wav.claimed_s:.2f} s are missing")
    if wav and wav.claimed_s is not None and wav.beyond_s > max(_LEAST_BEYOND_S, 0.1 * wav.claimed_s):
        raise BadRecording("truncated", f"the header ends at {wav.claimed_s:.2f} s, {wav.beyond_s:.2f} s follow it")
    source = _SndFile.open(path)
    if source is None or (wav and wav.streamed and source.claimed_s == 0):
        return _read(_PyAV.open(path), limits)
    if source.codec != "MPEG_LAYER_III":
        return _read(source, limits, wav.claimed_s if wav else None)
    try:
        return _read(source, limits)
    except BadRecording as error:
        if error.reason not in ("truncated", "empty", "not_audio"):
            raise
    return _read(_PyAV.open(path), limits)


class _SndFile:
    """What libsndfile reads."""

    def __init__(self, file) -> None:
        self.file = file
        self.codec = file.subtype
        self.format = (
            f"{'WAV' if file.format == 'WAVEX' else file.format}/{file.subtype.replace('MPEG_LAYER_', 'LAYER_')}"
        )
        self.rate_hz, self.channels = file.samplerate, file.channels
        self.lossy = file.subtype in _READ_AS_FLOAT - {"FLOAT", "DOUBLE"}
        self.claimed_s = file.frames / file.samplerate if file.samplerate else None

    @classmethod
    def open(cls, path: Path) -> _SndFile | None:
        import soundfile

        descriptor = os.open(path, os.O_RDONLY)
        try:
            return cls(soundfile.SoundFile(descriptor, closefd=True))
        except soundfile.LibsndfileError:
            return None
        except BaseException:
            os.close(descriptor)
            raise

    def blocks(self) -> Iterator[np.ndarray]:
        import soundfile

        dtype = "float32" if self.codec in _READ_AS_FLOAT else "int16"
        with self.file as file:
            while True:
                try:
                    block = file.read(_BLOCK_FRAMES, dtype=dtype, always_2d=True)
                except soundfile.LibsndfileError as error:
                    raise BadRecording("truncated", f"the decoder stopped: {error.error_string}") from error
                if not len(block):
                    return
                yield block


class _PyAV:
    """What FFmpeg reads, packet by packet: a damaged packet costs itself only."""

    def __init__(self, container, stream, claimed_s: float | None) -> None:
        context = stream.codec_context
        self.container, self.stream, self.claimed_s = container, stream, claimed_s
        self.codec = context.name
        self.format = f"{container.format.name.split(',')[0]}/{context.name.removesuffix('float')}".upper()
        self.rate_hz, self.channels = context.sample_rate, context.layout.nb_channels
        self.lossy = True

    @classmethod
    def open(cls, path: Path) -> _PyAV:
        import av

        av.logging.set_level(av.logging.PANIC)
        try:
            container = av.open(path.open("rb"), options={"format_whitelist": _CONTAINERS}, metadata_errors="replace")
        except (av.error.FFmpegError, ValueError, UnicodeError) as error:
            if _is_unfinished_mp4(path):
                raise BadRecording("truncated", "the index at the end of the file is missing") from error
            raise BadRecording("not_audio", "no decoder knows the file") from error
        streams = container.streams.audio
        if not streams:
            raise BadRecording("not_audio", f"no audio in a {container.format.name} file")
        stream = streams[0]
        if stream.codec_context is None or not _has_decoder(stream.codec_context):
            raise BadRecording("unsupported_codec", f"no decoder for the audio in a {container.format.name} file")
        duration = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
        if duration is not None and container.format.name in ("aac", "amr", "amrnb", "amrwb", "g722", "gsm"):
            duration = None  # raw streams: FFmpeg only guesses from the bit rate
        return cls(container, stream, duration)

    def blocks(self) -> Iterator[np.ndarray]:
        import av

        rate_hz, channels, good, bad = self.rate_hz, self.channels, 0, 0
        with self.container:
            packets = self.container.demux(self.stream)
            while True:
                try:
                    packet = next(packets, None)
                except av.error.FFmpegError:
                    break
                if packet is None:
                    break
                try:
                    frames = packet.decode()
                except MemoryError:
                    raise
                except av.error.FFmpegError:
                    bad += 1
                    continue
                for frame in frames:
                    if (frame.sample_rate, frame.layout.nb_channels) != (rate_hz, channels):
                        if good:
                            raise BadRecording("unsupported_codec", "rate or channels change within the file")
                        self.rate_hz, self.channels = rate_hz, channels = frame.sample_rate, frame.layout.nb_channels
                        _check_shape(self)
                    good += 1
                    yield _from_frame(frame)
        if bad > good:
            raise BadRecording(
                "unsupported_codec" if not good else "not_audio", f"{bad} of {bad + good} packets are unreadable"
            )


def _read(source: _SndFile | _PyAV, limits: DecodeLimits, claimed_s: float | None = None) -> Audio:
    import soxr

    from pipelines.audio import _kernels

    _check_shape(source)
    claimed_s = claimed_s if claimed_s is not None else source.claimed_s
    if claimed_s is not None and claimed_s > limits.max_duration_s:
        raise _too_long(limits)
    full_scale = _FULL_SCALE.get(source.codec, _NEARLY_FULL_SCALE)
    spool, n_frames, over, resampler, clip_state, rate_hz = Spool(), 0, 0, None, None, 0

    def keep(block: np.ndarray, last: bool = False) -> None:
        if resampler is not None:
            block = resampler.resample_chunk(block.astype(np.float32), last=last)
            block = np.clip(np.rint(block), -32768, 32767).astype(np.int16)
        try:
            spool.append(np.ascontiguousarray(block))
        except NoRoom as error:
            raise BadRecording("out_of_memory", str(error)) from error

    for raw in source.blocks():
        if clip_state is None:
            rate_hz = source.rate_hz if source.rate_hz in (8_000, 16_000) else 16_000
            if rate_hz != source.rate_hz:
                resampler = soxr.ResampleStream(source.rate_hz, rate_hz, source.channels, dtype="float32", quality="HQ")
            clip_state = np.zeros((source.channels, 2), np.int64)
        n_frames += len(raw)
        if n_frames > limits.max_duration_s * source.rate_hz:
            raise _too_long(limits)
        block, beyond = _int16(raw)
        over += beyond
        if block.size and (int(block.max()) >= full_scale or int(block.min()) <= -full_scale):
            _kernels.count_clipped(block, full_scale, clip_state)
        else:
            clip_state[:, 0] = 0
        keep(block)
    if not n_frames:
        if claimed_s:
            raise BadRecording(
                "truncated" if isinstance(source, _SndFile) else "not_audio", "no audio could be decoded"
            )
        raise BadRecording("empty", "the file holds no audio frames")
    if resampler is not None:
        keep(np.zeros((0, source.channels), np.float32), last=True)
    duration_s = n_frames / source.rate_hz
    slack_s = _LOSSY_SLACK_S if source.lossy else _EXACT_SLACK_S
    if claimed_s is not None and claimed_s - duration_s > max(slack_s, 0.01 * claimed_s):
        raise BadRecording("truncated", f"{duration_s:.2f} of {claimed_s:.2f} s could be decoded")
    samples = np.frombuffer(spool.buffer(), np.int16).reshape(-1, source.channels)
    if len(samples) < _LEAST_S * rate_hz:
        raise BadRecording("empty", f"the file holds {len(samples)} samples of sound at {rate_hz} Hz")
    clipping = tuple(float(c) / n_frames for c in clip_state[:, 1])
    return Audio(samples, source.rate_hz, source.format, claimed_s, rate_hz, clipping, over)


def _check_shape(source: _SndFile | _PyAV) -> None:
    if not LOWEST_RATE_HZ <= source.rate_hz <= HIGHEST_RATE_HZ:
        raise BadRecording("unsupported_rate", f"{source.rate_hz} Hz")
    if not 1 <= source.channels <= MOST_CHANNELS:
        raise BadRecording("unsupported_channels", f"{source.channels} channels")


def _too_long(limits: DecodeLimits) -> BadRecording:
    return BadRecording("decompression_bomb", f"more than {limits.max_duration_s:.0f} s of audio")


def _int16(block: np.ndarray) -> tuple[np.ndarray, int]:
    """A block as int16, and how many samples lay beyond full scale. Full scale of floats is 1."""
    if block.dtype == np.int16:
        return block, 0
    if not np.isfinite(block).all():
        raise BadRecording("nan_samples", f"{int((~np.isfinite(block)).sum())} samples are not finite")
    over = int((np.abs(block) > 1.0).sum())
    return np.clip(np.rint(block * 32768.0), -32768, 32767).astype(np.int16), over


def _from_frame(frame) -> np.ndarray:
    """An FFmpeg frame as int16 or float, shape (n, channels)."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if values.dtype == np.uint8:
        return (values.astype(np.int16) - 128) << 8
    if values.dtype == np.int32:
        return (values >> 16).astype(np.int16)
    return values


def _has_decoder(context) -> bool:
    try:
        return bool(context.codec and context.codec.is_decoder and context.sample_rate)
    except (AttributeError, ValueError):
        return False


def _is_unfinished_mp4(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8)[4:8] == b"ftyp"


def _n_beyond(file, end: int, size: int) -> int:
    """How many bytes follow the sound that are neither a chunk, by their name, nor padding."""
    file.seek(min(end, size))
    name = file.read(5)
    padding = not any(name)
    named = any(len(n) == 4 and all(32 <= c < 127 for c in n) for n in (name[:4], name[1:]))
    return 0 if padding or named or len(name) < 5 else size - end


@dataclass(frozen=True)
class _Wav:
    claimed_s: float | None
    missing_s: float
    streamed: bool
    beyond_s: float = 0.0


def _wav_header(path: Path) -> _Wav | None:
    """What a RIFF header claims and how much of it is not there; None for other files.

    libsndfile and FFmpeg read a WAV that was cut without a word. Recorders that stream leave the sizes at 0 or at
    the largest number: nothing is claimed then.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        riff = file.read(12)
        if len(riff) < 12 or riff[:4] not in (b"RIFF", b"RF64") or riff[8:] != b"WAVE":
            return None
        byte_rate, long_size = 0, None
        while len(head := file.read(8)) == 8:
            name, n_bytes = head[:4], struct.unpack("<I", head[4:])[0]
            start = file.tell()
            if name == b"ds64" and len(ds64 := file.read(16)) == 16:
                long_size = struct.unpack("<QQ", ds64)[1]
            elif name == b"fmt " and len(fmt := file.read(12)) == 12:
                byte_rate = struct.unpack("<HHII", fmt)[3]
            elif name == b"data":
                if riff[:4] == b"RF64" and long_size is not None:
                    n_bytes = long_size
                present = size - start
                if n_bytes == 0 and present > 0 and file.read(4) not in _CHUNKS_AFTER_DATA:
                    return _Wav(None, 0.0, True)
                if riff[:4] == b"RIFF" and n_bytes >= _UNKNOWN_SIZE > present:
                    return _Wav(None, 0.0, False)
                if not byte_rate:
                    return None
                missing_s = max(0, n_bytes - present) / byte_rate
                return _Wav(n_bytes / byte_rate, missing_s, False, _n_beyond(file, start + n_bytes, size) / byte_rate)
            file.seek(start + n_bytes + (n_bytes & 1))
        if size <= 12 or file.tell() > size:
            raise BadRecording("truncated", "the file ends within its header")
    raise BadRecording("empty", "the file holds no audio chunk")
