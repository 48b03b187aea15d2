"""Synthetic sounds with known answers."""

import numpy as np

from pipelines.audio.level import energy_track


def silence(seconds: float, rate_hz: int = 8000) -> np.ndarray:
    return np.zeros(round(seconds * rate_hz))


def tone(hz: float, seconds: float, rate_hz: int = 8000, amplitude: float = 0.1) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def noise(seconds: float, rate_hz: int = 8000, rms: float = 0.05, seed: int = 0) -> np.ndarray:
    return rms * np.random.default_rng(seed).standard_normal(round(seconds * rate_hz))


def telephone_band(x: np.ndarray, rate_hz: int = 8000) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    return sosfilt(butter(6, [300, 3400], "bandpass", fs=rate_hz, output="sos"), x)


def pulse_train(
    pitch_hz: np.ndarray, rate_hz: int = 8000, formants=((500, 80), (1500, 120), (2500, 160))
) -> np.ndarray:
    """A vowel with this pitch per sample, through a telephone band without its fundamental; rms 0.05."""
    from scipy.signal import lfilter

    x = np.diff(np.floor(np.cumsum(pitch_hz / rate_hz)), prepend=0.0)
    for hz, width in formants:
        r = np.exp(-np.pi * width / rate_hz)
        x = lfilter([1.0], [1.0, -2 * r * np.cos(2 * np.pi * hz / rate_hz), r * r], x)
    x = telephone_band(x, rate_hz)
    return 0.05 * x / np.sqrt(np.mean(x**2))


def syllables(seconds: float, rate_hz: int = 8000, pitch_hz: float = 130.0, seed: int = 0) -> np.ndarray:
    """Something that voice activity takes for speech: vowels of moving formants and pitch, four a second."""
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(round(seconds * 4)):
        n = rate_hz // 4
        t = np.arange(n) / n
        pitch = pitch_hz * 2 ** ((random.uniform(-3, 3) + 2 * (0.5 - t)) / 12)
        first, second = random.uniform(300, 800), random.uniform(900, 2200)
        vowel = pulse_train(pitch, rate_hz, ((first, 70), (second, 100), (2600, 160)))
        shape = np.minimum(1.0, np.minimum(t, 1 - t) / 0.2)
        parts.append(vowel * shape + 0.004 * random.standard_normal(n) * shape)
    return np.concatenate(parts)


# pitch in Hz and how high the formants lie, of two synthetic voices
DARK, BRIGHT = (105.0, 0.8), (220.0, 1.25)


def voice(seconds: float, pitch_hz: float, size: float, seed: int = 0) -> np.ndarray:
    """Vowels of one synthetic voice at 8 kHz, four a second; its formants lie higher by the factor `size`."""
    random = np.random.default_rng(seed)
    t = np.arange(2000) / 2000
    parts = []
    for _ in range(round(seconds * 4)):
        pitch = pitch_hz * 2 ** ((random.uniform(-2, 2) + 2 * (0.5 - t)) / 12)
        first, second = random.uniform(350, 700), random.uniform(1000, 1800)
        vowel = pulse_train(pitch, 8000, ((first * size, 70), (second * size, 100), (2500 * size, 160)))
        parts.append(vowel * np.minimum(1.0, np.minimum(t, 1 - t) / 0.15))
    return np.concatenate(parts)


def int16(*channels: np.ndarray) -> np.ndarray:
    """Channels (full scale 1) as int16, shape (n, channels)."""
    return np.stack([np.clip(np.rint(c * 32768), -32768, 32767).astype(np.int16) for c in channels], axis=1)


def track(x: np.ndarray, rate_hz: int = 8000) -> np.ndarray:
    """10 ms energy track of one channel."""
    return energy_track(int16(x), rate_hz)[:, 0]
