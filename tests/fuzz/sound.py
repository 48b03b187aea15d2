"""Sound files, whole and broken: seeds in every format that the decoder has, and seeded ways to damage them."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

_WAV_CODINGS = ("PCM_16", "PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_MAGICS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3\x04", b"\xff\xfb\x90\x00", b"\x00\x00\x00\x20ftypM4A ", b"#!AMR\n")
_EXTREMES = (0, 1, 7, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF)
LONGEST_S = 30.0


@dataclass(frozen=True)
class Sound:
    """A good sound file: `name` tells its format, `content` its bytes; the decoder must find `duration_s`."""

    name: str
    content: bytes
    duration_s: float


def seeds() -> list[Sound]:
    """Good files of 0.4 s in every format, mono and two channels, made anew (about 40)."""
    found = []
    for rate_hz, channels in ((8000, 1), (8000, 2), (44100, 2)):
        for coding in _WAV_CODINGS:
            found.append(_written("wav", "WAV", coding, rate_hz, channels))
        found.append(_written("wav", "RF64", "PCM_16", rate_hz, channels))
        found.append(_written("wav", "WAVEX", "PCM_16", rate_hz, channels))
        found.append(_written("flac", "FLAC", "PCM_16", rate_hz, channels))
        found.append(_written("mp3", "MP3", "MPEG_LAYER_III", rate_hz, channels))
        found.append(_written("ogg", "OGG", "VORBIS", rate_hz, channels))
        if rate_hz == 8000:
            found.append(_written("opus", "OGG", "OPUS", rate_hz, channels))
    found.append(_encoded("m4a", "aac", "ipod", 16000))
    found.append(_encoded("aac", "aac", "adts", 16000))
    found.append(_encoded("amr", "libopencore_amrnb", "amr", 8000))
    return found


def _samples(rate_hz: int, channels: int) -> np.ndarray:
    """A tone that swells, and noise on the second channel: int16, 0.4 s."""
    n = round(0.4 * rate_hz)
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(n) / rate_hz) * np.linspace(0.2, 1.0, n)
    noise = 2000 * np.random.default_rng(7).standard_normal(n)
    return np.stack([tone, noise][:channels], axis=1).astype(np.int16)


def _written(suffix: str, container: str, coding: str, rate_hz: int, channels: int) -> Sound:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, _samples(rate_hz, channels), rate_hz, format=container, subtype=coding)
    return Sound(f"{container}-{coding}-{rate_hz}-{channels}.{suffix}", file.getvalue(), 0.4)


def _encoded(suffix: str, codec: str, container: str, rate_hz: int) -> Sound:
    import av

    file = io.BytesIO()
    samples = _samples(rate_hz, 1)
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="s16", layout="mono")
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        context = stream.codec_context
        resampler = av.AudioResampler(
            format=context.format, layout="mono", rate=rate_hz, frame_size=context.frame_size or 0
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return Sound(f"{codec}-{rate_hz}.{suffix}", file.getvalue(), 0.4)


def damaged(seed: Sound, others: list[Sound], random: np.random.Generator) -> tuple[str, bytes]:
    """What was done to the seed, and the bytes that came of it. One to three ways of damage, one after the other."""
    content, done = seed.content, []
    for _ in range(int(random.choice((1, 1, 1, 2, 3)))):
        way = _WAYS[int(random.integers(len(_WAYS)))]
        content = way(content, others, random)
        done.append(way.__name__.strip("_"))
    return "+".join(done), content[: 4 << 20]


def _place(content: bytes, random: np.random.Generator, first: int | None = None) -> int:
    return int(random.integers(max(1, min(len(content), first or len(content)))))


def _flip_bits(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(int(random.integers(1, 64))):
        if data:
            data[_place(content, random)] ^= 1 << int(random.integers(8))
    return bytes(data)


def _flip_header(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    data = bytearray(content)
    for _ in range(int(random.integers(1, 6))):
        if data:
            data[_place(content, random, 96)] = int(random.integers(256))
    return bytes(data)


def _lie_about_a_length(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    """A 32-bit field of the header, or the size of a chunk that is named, becomes an extreme."""
    names = [p for n in (b"data", b"fmt ", b"ds64", b"LIST", b"RIFF", b"moov", b"mdat") if (p := content.find(n)) >= 0]
    at = int(random.choice(names)) + 4 if names and random.random() < 0.7 else _place(content, random, 64)
    value = int(random.choice(_EXTREMES)) if random.random() < 0.7 else int(random.integers(1 << 32))
    form = ">I" if random.random() < 0.3 else "<I"
    return content[:at] + struct.pack(form, value) + content[at + 4 :]


def _lie_in_the_format(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    """Codec, channels, rate, byte rate, block size or bit depth of a WAV's fmt chunk."""
    at = content.find(b"fmt ") + 8
    if at < 8:
        return _flip_header(content, others, random)
    field, form = ((0, "<H"), (2, "<H"), (4, "<I"), (8, "<I"), (12, "<H"), (14, "<H"))[int(random.integers(6))]
    top = 0xFFFF if form == "<H" else 0xFFFF_FFFF
    values = (0, 1, 3, 6, 7, 17, 85, 255, 0xFFFE, 7999, 48001, top)
    value = min(int(random.choice(values)), top)
    return content[: at + field] + struct.pack(form, value) + content[at + field + struct.calcsize(form) :]


def _cut(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    return content[: _place(content, random, None if random.random() < 0.7 else 64)]


def _lose_a_part(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    at = _place(content, random)
    return content[:at] + content[at + int(random.integers(1, 2000)) :]


def _repeat_a_part(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    at = _place(content, random)
    return content[:at] + content[at : at + int(random.integers(1, 2000))] * int(random.integers(2, 50)) + content[at:]


def _blank_a_part(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    at, n = _place(content, random), int(random.integers(1, 3000))
    return content[:at] + bytes([int(random.choice((0, 255)))]) * min(n, len(content) - at) + content[at + n :]


def _join(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    other = others[int(random.integers(len(others)))].content
    return content + other if random.random() < 0.7 else other[: _place(other, random)] + content


def _swap_the_magic(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    magic = _MAGICS[int(random.integers(len(_MAGICS)))]
    return magic + content[len(magic) :]


def _only_the_magic(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    return _MAGICS[int(random.integers(len(_MAGICS)))] + random.bytes(int(random.integers(0, 4000)))


def _odd_chunk(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    """A chunk of odd or untrue size before the WAV's format."""
    size = int(random.choice((0, 1, 3, 33, 0x7FFF_FFFF, 0xFFFF_FFFF)))
    chunk = random.bytes(4) + struct.pack("<I", size) + random.bytes(min(size, 64))
    return content[:12] + chunk + content[12:]


def _no_numbers(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    """NaN, infinity, denormals and huge values where samples are."""
    values = (0x7FC0_0000, 0x7F80_0000, 0xFF80_0000, 0x7F7F_FFFF, 0x0000_0001, 0xFFFF_FFFF)
    data = bytearray(content)
    for _ in range(int(random.integers(1, 8))):
        at = 44 + 4 * (_place(content, random) // 4)
        if at + 4 <= len(data):
            data[at : at + 4] = struct.pack("<I", int(random.choice(values)))
    return bytes(data)


def _bomb(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    """Silence that is small as a file and long as sound: longer, or shorter, than the limit."""
    import soundfile

    seconds, file = float(random.choice((29.0, 31.0, 300.0))), io.BytesIO()
    soundfile.write(file, np.zeros(round(seconds * 8000), np.int16), 8000, format="FLAC")
    return file.getvalue()


def _nothing(content: bytes, others: list[Sound], random: np.random.Generator) -> bytes:
    return b""


_WAYS = (
    *(_flip_bits, _flip_bits, _flip_header, _flip_header, _lie_about_a_length, _lie_about_a_length),
    *(_lie_in_the_format, _lie_in_the_format, _cut, _cut, _lose_a_part, _repeat_a_part, _blank_a_part, _join),
    *(_swap_the_magic, _only_the_magic, _odd_chunk, _no_numbers, _bomb, _nothing),
)
