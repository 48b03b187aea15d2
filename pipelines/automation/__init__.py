"""When things run: partitions, jobs, schedules, sensors. Selects by group, not by import."""
