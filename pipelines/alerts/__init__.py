"""Alerts on their way: who gets what, by which channel, once; and what another threshold would have raised."""
