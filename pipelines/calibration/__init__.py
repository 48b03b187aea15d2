"""Calibration: how far people and the machine agree when they rate the same interactions. It never touches the IQS."""

from pipelines.calibration.calibrate import CALIBRATION_VERSION, RATED, calibrated
from pipelines.calibration.panel import CalibrationOptions

__all__ = ["CALIBRATION_VERSION", "RATED", "CalibrationOptions", "calibrated"]
