"""Scores and flags pushed to the CRM's tickets, with an audit trail."""
