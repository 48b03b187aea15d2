"""Checks: what a table must hold, whether it does, and the ledger of every outcome."""
