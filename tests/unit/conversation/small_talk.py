"""Builders of small conversations for the tests of this folder."""

from __future__ import annotations

from hypothesis import strategies as st

from pipelines.conversation.floor import OTHER, Segment, Utterance


def agent(start_s, end_s):
    return Segment("agent", start_s, end_s)


def customer(start_s, end_s):
    return Segment("customer", start_s, end_s)


def said(party, start_s, end_s, text):
    return Utterance(party, start_s, end_s, text, len(text.split()))


tenths = st.integers(0, 300).map(lambda n: n / 10)
segment_lists = st.lists(
    st.builds(
        lambda party, start_s, length: Segment(party, start_s, start_s + length / 10),
        st.sampled_from(["agent", "customer"]),
        tenths,
        st.integers(1, 60),
    ),
    max_size=25,
)


def swapped(segments):
    return [Segment(OTHER[s.party], s.start_s, s.end_s) for s in segments]
