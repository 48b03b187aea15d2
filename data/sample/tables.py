"""The written side of the sample: chats, e-mails, ready-made transcripts, and the tables beside the interactions.

Read by `make_sample.py`; every name and number is invented. The columns are those of the landing folder.
"""

from __future__ import annotations

Row = dict[str, str]

INTERACTION_COLUMNS = [
    "interaction_id", "channel", "started_at", "ended_at", "agent_id", "campaign", "client", "customer_id",
    "direction", "call_type", "language", "issue_type", "recording", "agent_channel", "hold_s", "acw_s",
    "transferred_at", "ticket_id", "queue", "region", "shift", "consent",
]  # fmt: skip

ENERGY = {"campaign": "power_support", "client": "Larkfield Energy", "region": "US-West", "queue": "energy"}
PARCELS = {"campaign": "parcel_care", "client": "Brightline Parcels", "region": "DE-North", "queue": "parcels"}


def _interaction(interaction_id: str, channel: str, started_at: str, ended_at: str, agent_id: str, **more: str) -> Row:
    fixed = {"interaction_id": interaction_id, "channel": channel, "started_at": started_at, "ended_at": ended_at,
             "agent_id": agent_id, "direction": "inbound", "call_type": "support", "language": "en-US",
             "consent": "yes"}  # fmt: skip
    return fixed | more


# (day of the export, row)
WRITTEN: list[tuple[str, Row]] = [
    ("2026-03-02", _interaction("CH-2001", "chat", "2026-03-02T15:01:10+01:00", "2026-03-02T15:07:40+01:00", "0042",
                                **PARCELS, customer_id="00471", issue_type="delivery_delay", shift="afternoon")),
    ("2026-03-03", _interaction("CH-2002", "chat", "2026-03-03T10:20:00-08:00", "2026-03-03T10:32:10-08:00", "B03",
                                **ENERGY, customer_id="00472", shift="morning")),
    ("2026-03-04", _interaction("CH-2003", "chat", "2026-03-04T13:05:30-08:00", "2026-03-04T13:12:02-08:00", "007",
                                **ENERGY, customer_id="00473", issue_type="billing_dispute", ticket_id="T-507",
                                shift="afternoon")),
    ("2026-03-06", _interaction("CH-2004", "chat", "2026-03-06T11:40:00-08:00", "2026-03-06T11:46:30-08:00", "A12",
                                **ENERGY, customer_id="00474", shift="morning")),
    ("2026-03-03", _interaction("EM-3001", "email", "2026-03-03T07:15:00-08:00", "2026-03-03T10:05:00-08:00", "007",
                                **ENERGY, customer_id="00454", issue_type="cancellation", ticket_id="T-503",
                                shift="morning")),
    ("2026-03-05", _interaction("EM-3002", "email", "2026-03-05T16:30:00+01:00", "2026-03-06T18:42:00+01:00", "B03",
                                **PARCELS, customer_id="00475", shift="afternoon")),
    ("2026-03-05", _interaction("TR-4001", "call", "2026-03-05T12:00:10-08:00", "2026-03-05T12:01:45-08:00", "007",
                                **ENERGY, customer_id="00476", issue_type="meter_reading", acw_s="20",
                                shift="morning")),
    ("2026-03-06", _interaction("TR-4002", "call", "2026-03-06T09:12:00+01:00", "2026-03-06T09:13:30+01:00", "A12",
                                **PARCELS, customer_id="00477", issue_type="delivery_delay", acw_s="10",
                                shift="morning")),
    ("2026-03-05", _interaction("C-1019", "call", "2026-03-05T15:10:00+01:00", "2026-03-05T15:14:20+01:00", "B03",
                                **PARCELS, customer_id="00478", issue_type="delivery_delay", agent_channel="0",
                                recording="recordings/2026-03-05/C-1019.wav", shift="afternoon")),
]  # fmt: skip

DUPLICATED = ("C-1002", "2026-03-02")  # this interaction's row comes a second time in that day's export


def _outcome(interaction_id: str, file: str, status: str, reason: str, note: str) -> Row:
    return {"interaction_id": interaction_id, "file": file, "status": status, "reason": reason, "note": note}


WRITTEN_OUTCOMES = [
    _outcome("C-1019", "recordings/2026-03-05/C-1019.wav", "quarantined", "not_audio", "random bytes named .wav"),
    _outcome("C-1002", "interactions-2026-03-02.csv", "quarantined", "duplicate",
             "the same row a second time in the file; the first one counts"),
    _outcome("CH-2001", "messages.jsonl", "scored", "", "good chat, quick first answer; an e-mail address to redact"),
    _outcome("CH-2002", "messages.jsonl", "scored", "", "cold chat, first answer after 4 min; unresolved"),
    _outcome("CH-2003", "messages.jsonl", "scored", "",
             "very good chat; the customer types an e-mail address and a card number (redaction)"),
    _outcome("CH-2004", "messages.jsonl", "scored", "", "hurried chat; the customer asks for a supervisor"),
    _outcome("EM-3001", "messages.jsonl", "scored", "", "empathetic e-mail after C-1004, answered in 3 h; resolved"),
    _outcome("EM-3002", "messages.jsonl", "scored", "", "long, hard to read answer after 26 h; unresolved"),
    _outcome("TR-4001", "transcripts.csv", "scored", "", "ready-made transcript without audio; resolved"),
    _outcome("TR-4002", "transcripts.csv", "scored", "",
             "ready-made transcript without audio; agent interrupts twice; unresolved"),
]  # fmt: skip


def _messages(interaction_id: str, *said: tuple[str, str, str]) -> list[dict[str, object]]:
    return [
        {"interaction_id": interaction_id, "seq": seq, "party": party, "text": text, "sent_at": sent_at}
        for seq, (party, sent_at, text) in enumerate(said, start=1)
    ]


MESSAGES = [
    *_messages(
        "CH-2001",
        ("customer", "2026-03-02T15:01:10+01:00", "Hi, my parcel BP7710 should have arrived on Friday. Where is it?"),
        ("agent", "2026-03-02T15:01:32+01:00",
         "Hello and thank you for contacting Brightline Parcels, I'm Priya. I'm sorry that it's late! "
         "Let me check where it is."),
        ("customer", "2026-03-02T15:01:50+01:00", "thanks, it's a gift so I'm a bit stressed"),
        ("agent", "2026-03-02T15:03:20+01:00",
         "I understand, nobody wants to be late with a gift. It is on the van now and will be there before 6 pm today. "
         "Which e-mail address may I send the live tracking to?"),
        ("customer", "2026-03-02T15:04:05+01:00", "nora.feld@example.com"),
        ("agent", "2026-03-02T15:05:00+01:00", "Sent. Is there anything else I can do for you?"),
        ("customer", "2026-03-02T15:06:40+01:00", "No, that's great, problem solved. Thank you!!"),
        ("agent", "2026-03-02T15:07:40+01:00", "You're welcome, Nora. Have a lovely day!"),
    ),
    *_messages(
        "CH-2002",
        ("customer", "2026-03-03T10:20:00-08:00",
         "I can't log in. It says account locked and I've tried the reset link three times."),
        ("customer", "2026-03-03T10:22:30-08:00", "Hello? Anyone there?"),
        ("agent", "2026-03-03T10:24:05-08:00", "Account number."),
        ("customer", "2026-03-03T10:24:40-08:00", "660915. I really need to see my bill today, this is so annoying."),
        ("agent", "2026-03-03T10:29:10-08:00", "The account is locked. Use the reset link."),
        ("customer", "2026-03-03T10:29:45-08:00", "I just told you that the reset link does not work."),
        ("agent", "2026-03-03T10:31:20-08:00", "As per policy, we can't unlock accounts in chat."),
        ("customer", "2026-03-03T10:32:10-08:00", "Useless. I'm still locked out."),
    ),
    *_messages(
        "CH-2003",
        ("customer", "2026-03-04T13:05:30-08:00",
         "I've been charged twice for February and now my account is overdrawn. Please help."),
        ("agent", "2026-03-04T13:05:48-08:00",
         "Hi, I'm Dana from Larkfield Energy. I'm so sorry, being overdrawn because of us is awful. "
         "I'll sort this out with you right now. Could you tell me your account number and e-mail address?"),
        ("customer", "2026-03-04T13:06:50-08:00",
         "account 448120, mail is peter.holm@example.org and the card you charged is 4111 1111 1111 1111"),
        ("agent", "2026-03-04T13:07:20-08:00",
         "Thank you, Peter. You don't need to send card numbers here, I have hidden it for your safety. "
         "Give me two minutes to look at both payments."),
        ("agent", "2026-03-04T13:09:30-08:00",
         "You were right, the payment went through twice. I've refunded 84.20 dollars and added 10 dollars "
         "for the trouble. It will be in your account tomorrow."),
        ("customer", "2026-03-04T13:10:41-08:00", "Wow, thank you. That was quick. What a relief."),
        ("agent", "2026-03-04T13:11:15-08:00", "I'm glad! Is there anything else I can help you with?"),
        ("customer", "2026-03-04T13:12:02-08:00", "No, all good now. Have a nice day Dana"),
    ),
    *_messages(
        "CH-2004",
        ("customer", "2026-03-06T11:40:00-08:00",
         "Your technician didn't come this morning. I took a day off for this!"),
        ("agent", "2026-03-06T11:41:15-08:00", "ok whats the address"),
        ("customer", "2026-03-06T11:41:50-08:00", "14 Mill Lane. This is the second time he doesn't show up."),
        ("agent", "2026-03-06T11:43:00-08:00", "he will come tmrw i promise"),
        ("customer", "2026-03-06T11:43:30-08:00",
         "I can't take another day off. I want to speak to a supervisor please."),
        ("agent", "2026-03-06T11:45:50-08:00", "they r busy, ill leave a note"),
        ("customer", "2026-03-06T11:46:30-08:00", "That doesn't help me at all. I'm thinking about leaving."),
    ),
    *_messages(
        "EM-3001",
        ("customer", "2026-03-03T07:15:00-08:00",
         "Dear Larkfield Energy,\n\nmy husband passed away in January and I have to close our contract 552190. "
         "Could you please tell me what I need to send you, and whether I have to pay the exit fee?\n\n"
         "Kind regards\nRuth Adler"),
        ("agent", "2026-03-03T10:05:00-08:00",
         "Dear Mrs Adler,\n\nI am very sorry for your loss. Thank you for writing to us at such a difficult time.\n\n"
         "You do not have to pay the exit fee. Please send us a copy of the death certificate; a photo is enough. "
         "I will then close the contract for the day you choose and send you a final bill.\n\n"
         "If anything is unclear, just answer this e-mail and I will call you.\n\nWith kind regards\nDana Whitfield"),
    ),
    *_messages(
        "EM-3002",
        ("customer", "2026-03-05T16:30:00+01:00",
         "Hello, my parcel BP5566 was delivered with a broken box and the lamp inside is broken too. "
         "I would like a refund. Photos are attached. Jonas Klee, phone 0151 5550 1234"),
        ("agent", "2026-03-06T18:42:00+01:00",
         "Dear customer, with reference to the aforementioned consignment it has to be pointed out that "
         "notifications of transport-related deterioration are subject to an examination procedure, in the course "
         "of which the documentation submitted is evaluated with regard to the packaging requirements stipulated in "
         "section 7.3 of the general terms and conditions, so that a statement as to whether compensation can be "
         "granted is not possible at the present point in time. Customer service"),
    ),
]  # fmt: skip


def _transcript(interaction_id: str, *said: tuple[str, float, float, str, float]) -> list[Row]:
    return [
        {"interaction_id": interaction_id, "seq": str(seq), "party": party, "start_s": f"{start_s:.2f}",
         "end_s": f"{end_s:.2f}", "text": text, "confidence": f"{confidence:.2f}"}
        for seq, (party, start_s, end_s, text, confidence) in enumerate(said, start=1)
    ]  # fmt: skip


TRANSCRIPTS = [
    *_transcript(
        "TR-4001",
        ("agent", 1.20, 6.90, "Thank you for calling Larkfield Energy, this call is recorded. My name is Dana, "
                              "how can I help you?", 0.96),
        ("customer", 7.40, 14.10, "Hi Dana. I got a letter that you need my meter reading, "
                                  "but the website doesn't take it.", 0.93),
        ("agent", 14.60, 20.30, "I'm sorry about that, let me take it from you right here. "
                                "May I have your account number and your name?", 0.95),
        ("customer", 20.80, 26.00, "Yes, it's two one eight, nine nine four. Lena Marsh.", 0.91),
        ("agent", 26.50, 31.40, "Thank you, Lena, that's verified. Which number does the meter show?", 0.96),
        ("customer", 32.90, 37.20, "Hm, it shows oh seven one three three, I think.", 0.82),
        ("agent", 37.70, 43.80, "Oh seven one three three. Let me check that it fits with last year's, "
                                "one moment please.", 0.94),
        ("agent", 51.30, 58.60, "Thank you for waiting. Yes, that fits, and it means that you get "
                                "eighteen dollars back.", 0.95),
        ("customer", 55.10, 55.60, "Okay.", 0.77),
        ("customer", 59.10, 63.20, "Oh really? That's a nice surprise, thank you.", 0.92),
        ("agent", 63.60, 68.90, "My pleasure. I have also reported the fault on the website.", 0.95),
        ("customer", 69.30, 71.80, "Perfect, thanks for your help.", 0.94),
        ("agent", 72.20, 75.00, "Is there anything else I can do for you today?", 0.97),
        ("customer", 75.40, 77.30, "No, that's all. Bye.", 0.95),
        ("agent", 77.60, 80.10, "Have a great day, Lena. Goodbye.", 0.96),
    ),
    *_transcript(
        "TR-4002",
        ("agent", 0.90, 4.10, "Brightline Parcels, Marcus speaking. Tracking number?", 0.95),
        ("customer", 4.60, 11.70, "Good morning. It's B P two two oh seven, and it was meant to be here on "
                                  "Tuesday, but I only get", 0.90),
        ("agent", 10.80, 14.60, "Yeah, it's delayed. That happens.", 0.94),
        ("customer", 15.20, 20.30, "But when will it come? I have paid for express delivery.", 0.92),
        ("agent", 21.00, 23.40, "I don't know. Probably tomorrow.", 0.95),
        ("customer", 23.90, 31.00, "Probably? I paid twelve euros extra, so I'd at least like to know whether I", 0.89),
        ("agent", 30.00, 34.80, "You can apply for a refund of the fee on the website.", 0.93),
        ("customer", 35.40, 40.20, "I tried that, and it says the page isn't available. This is frustrating.", 0.91),
        ("agent", 46.50, 49.00, "Then try it again later.", 0.95),
        ("customer", 49.60, 53.30, "So you can't do anything for me?", 0.93),
        ("agent", 53.90, 57.40, "Not from here, no. Anything else?", 0.95),
        ("customer", 58.00, 61.90, "No. I'm really disappointed. Goodbye.", 0.92),
        ("agent", 62.30, 63.00, "Bye.", 0.97),
    ),
]  # fmt: skip

AGENTS = [
    {"agent_id": "007", "name": "Dana Whitfield", "team": "Harbour", "supervisor_id": "S01",
     "hired_on": "2019-05-06", "region": "US-West", "site": "Portland", "level_offset_db": ""},
    {"agent_id": "A12", "name": "Marcus Reid", "team": "Harbour", "supervisor_id": "S01",
     "hired_on": "2024-09-16", "region": "DE-North", "site": "Bremen", "level_offset_db": "79"},
    {"agent_id": "0042", "name": "Priya Nair", "team": "Summit", "supervisor_id": "S02",
     "hired_on": "2025-02-03", "region": "US-West", "site": "Portland", "level_offset_db": ""},
    {"agent_id": "B03", "name": "Karl Lindqvist", "team": "Summit", "supervisor_id": "S02",
     "hired_on": "2017-11-20", "region": "DE-North", "site": "Bremen", "level_offset_db": "79"},
]  # fmt: skip


def _survey(interaction_id: str, csat: str, nps: str, answered_at: str, comment: str = "") -> Row:
    return {"interaction_id": interaction_id, "csat": csat, "nps": nps, "answered_at": answered_at,
            "comment": comment}  # fmt: skip


SURVEYS = [
    _survey("C-1001", "5", "10", "2026-03-02T09:02:00-08:00", "Dana was wonderful."),
    _survey("C-1002", "1", "0", "2026-03-02T10:30:00+01:00", "He did not let me finish a single sentence."),
    _survey("C-1003", "3", "", "2026-03-02T16:00:00-08:00", "Solved, but I could hardly follow."),
    _survey("C-1004", "1", "1", "2026-03-03T12:11:00-08:00"),
    _survey("C-1005", "5", "9", "2026-03-03T11:20:00-08:00"),
    _survey("C-1008", "5", "10", "2026-03-04T20:10:00-08:00", "Warm again!"),
    _survey("C-1009", "4", "7", "2026-03-05T12:45:00+01:00"),
    _survey("C-1010", "", "3", "2026-03-04T13:00:00-08:00"),
    _survey("C-1011", "5", "8", "2026-03-05T10:05:00-08:00"),
    _survey("C-1012", "1", "0", "2026-03-05T10:40:00+01:00", "Second call, still no parcel."),
    _survey("C-1013", "4", "6", "2026-03-05T14:00:00-08:00", "Works now."),
    _survey("C-1014", "5", "10", "2026-03-06T19:00:00+01:00"),
    _survey("CH-2002", "1", "2", "2026-03-03T10:40:00-08:00"),
    _survey("CH-2003", "5", "", "2026-03-04T13:20:00-08:00"),
    _survey("EM-3001", "5", "9", "2026-03-03T17:45:00-08:00", "Thank you for your kindness."),
    _survey("TR-4002", "2", "1", "2026-03-06T09:30:00+01:00"),
]  # fmt: skip


def _ticket(
    ticket_id: str,
    interaction_id: str,
    customer_id: str,
    issue_type: str,
    status: str,
    opened_at: str,
    resolved_at: str = "",
    reopened_at: str = "",
) -> Row:
    return {"ticket_id": ticket_id, "interaction_id": interaction_id, "customer_id": customer_id,
            "issue_type": issue_type, "status": status, "opened_at": opened_at, "resolved_at": resolved_at,
            "reopened_at": reopened_at}  # fmt: skip


TICKETS = [
    _ticket("T-501", "C-1001", "00451", "billing_dispute", "closed", "2026-03-02T08:14:40-08:00",
            "2026-03-02T08:15:20-08:00"),
    _ticket("T-502", "C-1002", "00452", "delivery_delay", "reopened", "2026-03-02T10:03:00+01:00",
            "2026-03-02T10:04:00+01:00", "2026-03-05T10:15:30+01:00"),
    _ticket("T-503", "C-1004", "00454", "cancellation", "closed", "2026-03-03T07:15:00-08:00",
            "2026-03-03T17:40:00-08:00"),
    _ticket("T-504", "C-1008", "00457", "technical_fault", "closed", "2026-03-04T08:50:30-08:00",
            "2026-03-04T09:55:00-08:00"),
    _ticket("T-505", "C-1009", "00458", "delivery_delay", "closed", "2026-03-04T15:22:40+01:00",
            "2026-03-05T11:50:00+01:00"),
    _ticket("T-506", "C-1014", "00462", "delivery_delay", "closed", "2026-03-06T14:37:00+01:00",
            "2026-03-06T17:55:00+01:00"),
    _ticket("T-507", "CH-2003", "00473", "billing_dispute", "closed", "2026-03-04T13:06:00-08:00",
            "2026-03-04T13:10:00-08:00"),
]  # fmt: skip

# Reviewers of the calibration sessions: department, expert. R2 is severe, R4 is inconsistent.
REVIEWERS = {"R1": ("ops", "false"), "R2": ("training", "false"), "R3": ("quality", "true"), "R4": ("ops", "false")}
# (session, interaction, rated on, parameter) → ratings of R1, R2, R3, R4 of 100; None: not rated; "na": not applicable.
RATINGS: dict[tuple[str, str, str, str], tuple[int | str | None, ...]] = {
    ("CAL-01", "C-1001", "2026-03-03", "empathy"): (92, 78, 94, 70),
    ("CAL-01", "C-1001", "2026-03-03", "active_listening"): (88, 74, 90, 95),
    ("CAL-01", "C-1001", "2026-03-03", "process_adherence"): (95, 82, 96, 100),
    ("CAL-01", "C-1001", "2026-03-03", "product_knowledge"): (90, 76, 92, 60),
    ("CAL-01", "C-1001", "2026-03-03", "resolution"): (100, 88, 100, 85),
    ("CAL-02", "C-1004", "2026-03-04", "empathy"): (12, 5, 10, 14),
    ("CAL-02", "C-1004", "2026-03-04", "active_listening"): (35, 22, 38, 60),
    ("CAL-02", "C-1004", "2026-03-04", "process_adherence"): (30, 20, 28, 30),
    ("CAL-02", "C-1004", "2026-03-04", "product_knowledge"): (25, 18, 22, 24),
    ("CAL-02", "C-1004", "2026-03-04", "resolution"): ("na", 10, 10, 5),
    ("CAL-03", "C-1011", "2026-03-06", "empathy"): (80, 45, 72, None),
    ("CAL-03", "C-1011", "2026-03-06", "active_listening"): (78, 40, 70, None),
    ("CAL-03", "C-1011", "2026-03-06", "process_adherence"): (90, 60, 85, None),
    ("CAL-03", "C-1011", "2026-03-06", "product_knowledge"): (92, 77, 90, None),
    ("CAL-03", "C-1011", "2026-03-06", "hold_etiquette"): ("na", "na", "na", None),
}


def _reviews() -> list[Row]:
    rows = []
    for (session_id, interaction_id, day, parameter), ratings in RATINGS.items():
        for number, (reviewer_id, rating) in enumerate(zip(REVIEWERS, ratings, strict=True)):
            if rating is None:
                continue
            department, is_expert = REVIEWERS[reviewer_id]
            rows.append({
                "session_id": session_id, "interaction_id": interaction_id, "reviewer_id": reviewer_id,
                "parameter": parameter, "rating": "" if rating == "na" else str(rating), "max_rating": "100",
                "department": department, "is_expert": is_expert,
                "rated_at": f"{day}T{14 + number}:30:00-08:00",
                "not_applicable": "true" if rating == "na" else "false",
            })  # fmt: skip
    # The centre's own parameter, on its own scale: 10 against 7 of 15 points align to 80 %.
    for reviewer_id, points in (("R1", "10"), ("R2", "7"), ("R3", "9")):
        department, is_expert = REVIEWERS[reviewer_id]
        rows.append({
            "session_id": "CAL-03", "interaction_id": "C-1011", "reviewer_id": reviewer_id, "parameter": "courtesy",
            "rating": points, "max_rating": "15", "department": department, "is_expert": is_expert,
            "rated_at": "2026-03-06T15:30:00-08:00", "not_applicable": "false",
        })  # fmt: skip
    return rows


ISSUE_TYPES = [
    {"issue_type": "meter_reading", "driver": "metering", "sub_driver": "reading_submission",
     "examples": "I want to submit my meter reading|the number on the meter is|you asked me for a reading|"
                 "where do I enter my meter reading|I'd like to give you a meter reading"},
]  # fmt: skip

PROCESS_CHANGES = [
    {"changed_on": "2026-03-04", "name": "A person checks estimated readings above twice the usual",
     "campaign": "power_support", "issue_type": "billing_dispute"},
    {"changed_on": "2026-03-05", "name": "Text message when a van breaks down", "campaign": "parcel_care",
     "issue_type": "delivery_delay"},
]  # fmt: skip

TABLES: dict[str, list] = {
    "agents.csv": AGENTS,
    "surveys.csv": SURVEYS,
    "tickets.csv": TICKETS,
    "reviews.csv": _reviews(),
    "messages.jsonl": MESSAGES,
    "transcripts.csv": TRANSCRIPTS,
    "issue_types.csv": ISSUE_TYPES,
    "process_changes.csv": PROCESS_CHANGES,
}
