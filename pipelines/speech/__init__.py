"""From speech to words and utterances: recognition knows faster-whisper, the rest is pure."""
