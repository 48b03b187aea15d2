"""The machine: contracts, measures, checks, publishing. `assets/` is the catalogue of the tables it makes."""

import os

# No library reports anything to its makers. Each reads this when it begins, in every process and their children:
# onnxruntime would send the models' names and counts of runs from the first session on, unless told before.
TELEMETRY_OFF = {
    "ORT_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
os.environ |= TELEMETRY_OFF
