"""Loops that numpy can't express, compiled once and cached. Imported by the functions that use them."""

from __future__ import annotations

import numba
import numpy as np


def _compiled(function):
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder that could hold the cache
        return numba.njit(nogil=True)(function)


@_compiled
def count_clipped(samples, full_scale, state):
    """Add samples at full scale in runs of 3 or more to `state[:, 1]`; `state[:, 0]` is the run going on."""
    n, channels = samples.shape
    for c in range(channels):
        run, total = state[c, 0], state[c, 1]
        for i in range(n):
            x = samples[i, c]
            if x >= full_scale or x <= -full_scale:
                run += 1
                if run == 3:
                    total += 3
                elif run > 3:
                    total += 1
            else:
                run = 0
        state[c, 0], state[c, 1] = run, total


@_compiled
def channel_sums(samples):
    """Sum of each channel."""
    n, channels = samples.shape
    sums = np.zeros(channels)
    for c in range(channels):
        total = 0
        for i in range(n):
            total += samples[i, c]
        sums[c] = total
    return sums


@_compiled
def hysteresis(values, on, off):
    """True from where `values` reaches `on` until they fall below `off`."""
    out = np.zeros(len(values), np.bool_)
    state = False
    for i in range(len(values)):
        state = values[i] >= (off if state else on)
        out[i] = state
    return out


@_compiled
def acf_peaks(acf, shortest, longest, lags, strengths):
    """The highest peaks of each row of `acf` at lags shortest..longest, by parabola; 0 where there are fewer."""
    rows, k = lags.shape
    for i in range(rows):
        r = acf[i]
        lags[i, :] = 0.0
        strengths[i, :] = 0.0
        if r[0] <= 0.0:
            continue
        for t in range(shortest, longest + 1):
            a, b, c = r[t - 1], r[t], r[t + 1]
            if not (b > a and b >= c) or b <= 0.0:
                continue
            curve = a - 2.0 * b + c
            shift = 0.5 * (a - c) / curve if curve < 0.0 else 0.0
            height = (b - 0.25 * (a - c) * shift) / r[0]
            if height <= strengths[i, k - 1]:
                continue
            j = k - 1
            while j > 0 and strengths[i, j - 1] < height:
                strengths[i, j] = strengths[i, j - 1]
                lags[i, j] = lags[i, j - 1]
                j -= 1
            strengths[i, j] = height
            lags[i, j] = t + shift


@_compiled
def best_path(octaves, strengths, starts, jump, onset, unvoiced, longer):
    """Viterbi over candidates and "unvoiced"; index of the candidate per row, -1 where unvoiced.

    `starts` marks rows with no tie to the row before. `jump` is the cost per octave, `onset` of a change between
    voiced and unvoiced, `unvoiced` the gain of an unvoiced row, `longer` the cost per octave of a longer lag.
    """
    n, k = octaves.shape
    back = np.zeros((n, k + 1), np.int8)
    score = np.zeros(k + 1)
    new = np.zeros(k + 1)
    for i in range(n):
        for j in range(k + 1):
            gain = unvoiced
            if j < k:
                gain = strengths[i, j] - longer * octaves[i, j] if strengths[i, j] > 0.0 else -10.0
            best, where = -1e30, 0
            if i == 0 or starts[i]:
                for m in range(k + 1):
                    if score[m] > best:
                        best, where = score[m], m
            else:
                for m in range(k + 1):
                    cost = 0.0
                    if (m == k) != (j == k):
                        cost = onset
                    elif j < k:
                        cost = jump * abs(octaves[i, j] - octaves[i - 1, m])
                    if score[m] - cost > best:
                        best, where = score[m] - cost, m
            new[j] = best + gain
            back[i, j] = where
        top = new.max()
        for j in range(k + 1):
            score[j] = new[j] - top
    path = np.zeros(n, np.int64)
    state = int(np.argmax(score))
    for i in range(n - 1, -1, -1):
        path[i] = state if state < k else -1
        state = back[i, state]
    return path
