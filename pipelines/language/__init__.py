"""What the words mean: sentiment, empathy, resolution, escalation, adherence, issue type. Pure functions."""
