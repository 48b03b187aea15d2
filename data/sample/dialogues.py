"""The spoken calls of the sample: who speaks with which voice, what is said, and where it overlaps or falls silent.

Read by `make_sample.py`. Every name, number and company is invented; the card number is the public test number.
A line starts after the line before it, unless it says otherwise:

    agent("…")                     after a natural gap of 0.2–0.7 s
    agent("…", gap_s=1.5)          after that gap
    agent("…", over_s=0.25)        terminal overlap: starts so long before the other one ends
    agent("…", cuts_s=0.9)         interruption: starts so long before the other one falls silent, mid-sentence
    customer("Right.", during=0.5)  backchannel at half of the line before it, whose speaker goes on
    silence(7.5, "retrieval")      neither speaks; the kind of event it is
    hold(14.0)                     the same, with music on the agent's channel
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Party = Literal["agent", "customer"]


@dataclass(frozen=True)
class Voice:
    """A mix of the synthesiser's voices; shares sum to 1. Pitch is moved by resampling, in semitones."""

    mix: dict[str, float]
    pitch_st: float = 0.0
    speed: float = 1.0


@dataclass(frozen=True)
class Line:
    party: Party
    text: str
    gap_s: float | None = None
    over_s: float | None = None
    cuts_s: float | None = None
    during: float | None = None
    gain_db: float = 0.0
    pitch_st: float = 0.0
    speed: float = 1.0


@dataclass(frozen=True)
class Silence:
    kind: Literal["retrieval", "dead_air", "hold"]
    duration_s: float
    music: bool = False


@dataclass(frozen=True)
class Channel:
    """How one party sounds, before the codec: active speech level and signal-to-noise ratio (None: no noise)."""

    level_dbfs: float
    snr_db: float | None
    noise: Literal["white", "pink"] = "pink"


@dataclass(frozen=True)
class Call:
    interaction_id: str
    started_at: str
    agent_id: str
    customer_voice: str
    customer: Channel
    lines: tuple[Line | Silence, ...]
    row: dict[str, str] = field(default_factory=dict)
    encoding: Literal["opus", "mp3", "flac", "ulaw"] = "opus"
    layout: Literal["two", "mono", "dual_mono"] = "two"
    agent_channel: int = 0
    agent_sound: Channel | None = None  # instead of the agent's usual one
    file_name: str | None = None
    status: str = "scored"
    reason: str = ""
    shows: str = ""


def agent(text: str, **how: float) -> Line:
    return Line("agent", text, **how)


def customer(text: str, **how: float) -> Line:
    return Line("customer", text, **how)


def upset(text: str, **how: float) -> Line:
    """A customer who raises the voice: louder, higher and a little faster."""
    return Line("customer", text, gain_db=4.0, pitch_st=1.6, speed=1.06, **how)


def silence(duration_s: float, kind: Literal["retrieval", "dead_air"]) -> Silence:
    return Silence(kind, duration_s)


def hold(duration_s: float) -> Silence:
    return Silence("hold", duration_s, music=True)


AGENT_VOICES = {
    "007": Voice({"jf_alpha": 0.7, "jf_tebukuro": 0.3}, pitch_st=-0.5, speed=0.72),
    "A12": Voice({"jm_kumo": 1.0}, pitch_st=-1.0, speed=0.86),
    "0042": Voice({"jf_nezumi": 0.6, "jf_gongitsune": 0.4}, pitch_st=-1.0, speed=1.1),
    "B03": Voice({"jm_kumo": 0.65, "jf_tebukuro": 0.35}, pitch_st=-3.5, speed=0.84),
}
AGENT_CHANNELS = {
    "007": Channel(-26.0, 36.0),
    "A12": Channel(-21.0, 31.0, "white"),
    "0042": Channel(-24.0, 28.0),
    "B03": Channel(-32.0, 33.0),
}
CUSTOMER_VOICES = {
    "helen": Voice({"jf_gongitsune": 0.7, "jf_alpha": 0.3}, pitch_st=-1.0, speed=0.86),
    "olga": Voice({"jf_tebukuro": 1.0}, pitch_st=-2.0, speed=0.88),
    "walter": Voice({"jm_kumo": 0.8, "jf_gongitsune": 0.2}, pitch_st=-2.0, speed=0.84),
    "ruth": Voice({"jf_tebukuro": 0.5, "jf_gongitsune": 0.5}, pitch_st=-3.0, speed=0.82),
    "tom": Voice({"jm_kumo": 0.75, "jf_alpha": 0.25}, pitch_st=-0.5, speed=0.88),
    "robert": Voice({"jm_kumo": 0.9, "jf_nezumi": 0.1}, pitch_st=-3.0, speed=0.86),
    "sam": Voice({"jm_kumo": 0.6, "jf_alpha": 0.4}, pitch_st=-2.5, speed=0.90),
    "anna": Voice({"jf_alpha": 1.0}, pitch_st=-1.5, speed=0.85),
    "paul": Voice({"jm_kumo": 0.7, "jf_nezumi": 0.3}, pitch_st=-1.5, speed=0.86),
    "mina": Voice({"jf_nezumi": 0.8, "jf_alpha": 0.2}, pitch_st=-1.5, speed=0.90),
    "julia": Voice({"jf_gongitsune": 0.5, "jf_nezumi": 0.5}, pitch_st=-0.5, speed=0.88),
    "grace": Voice({"jf_alpha": 0.4, "jf_gongitsune": 0.6}, pitch_st=-2.5, speed=0.84),
}

# What the dictionary does not say well.
PHONEMES = {"Uh-huh.": "ʌhˈʌ."}

ENERGY = {"campaign": "power_support", "client": "Larkfield Energy", "region": "US-West", "queue": "energy"}
RETENTION = {"campaign": "power_retention", "client": "Larkfield Energy", "region": "US-West", "queue": "retention"}
PARCELS = {"campaign": "parcel_care", "client": "Brightline Parcels", "region": "DE-North", "queue": "parcels"}
SUPPORT = {"call_type": "support", "direction": "inbound"}
CANCELLATION = {"call_type": "cancellation", "direction": "inbound"}
SALES = {"call_type": "sales", "direction": "outbound"}

CALLS = (
    Call(
        "C-1001",
        "2026-03-02T08:14:10-08:00",
        "007",
        "helen",
        Channel(-25.0, 30.0),
        row=ENERGY
        | SUPPORT
        | {
            "customer_id": "00451",
            "issue_type": "billing_dispute",
            "ticket_id": "T-501",
            "acw_s": "35",
            "shift": "morning",
        },
        encoding="mp3",
        shows="good, empathetic; look-up of 7.5 s; resolved",
        lines=(
            agent("Thank you for calling Larkfield Energy, my name is Dana. This call is recorded. How can I help?"),
            customer("Hi. My bill went up by ninety dollars, and I'm really worried, because I can't afford that."),
            agent(
                "I'm so sorry, I can hear how worrying that is. Let's sort it out. "
                "May I have your name and date of birth, please?"
            ),
            customer("Helen Brook, fourth of May, nineteen eighty one."),
            agent("Thank you, Helen, that's verified. Let me check your last two readings, bear with me."),
            silence(7.5, "retrieval"),
            agent(
                "Thank you for waiting. The February reading was an estimate, and it was far too high. "
                "I have corrected it, so your bill is now sixty two dollars."
            ),
            customer("Right.", during=0.45),
            customer("Oh, that is such a relief. Thank you so much."),
            agent("You're very welcome. Is there anything else I can do?"),
            customer("No, that's everything."),
            agent("Have a good day, Helen. Goodbye."),
        ),
    ),
    Call(
        "C-1002",
        "2026-03-02T10:02:31+01:00",
        "A12",
        "olga",
        Channel(-22.0, 26.0),
        row=PARCELS
        | SUPPORT
        | {
            "customer_id": "00452",
            "issue_type": "delivery_delay",
            "ticket_id": "T-502",
            "acw_s": "12",
            "shift": "morning",
        },
        shows="agent interrupts three times; unresolved",
        lines=(
            agent("Brightline Parcels, Marcus speaking. This call may be recorded. What's your tracking number?"),
            customer(
                "It's B P four seven two nine. I waited at home all of Saturday, and the driver never even rang the—"
            ),
            agent("Okay, it says here that a delivery was attempted.", cuts_s=0.9),
            customer("Well that's not true, because I was sitting right beside the door, and nobody came up to the—"),
            agent("The driver marked it at two fifteen. There's nothing I can do about that.", cuts_s=0.8),
            customer("So what happens now? It is medicine for my mother, and I need to know when it will—"),
            agent("It goes out again some time this week.", cuts_s=1.2),
            customer("Some time this week? That's just not good enough. I'm really upset about this."),
            agent("Like I said, it'll be this week. Anything else?"),
            customer("No. You haven't solved anything. Goodbye."),
        ),
    ),
    Call(
        "C-1003",
        "2026-03-02T13:40:05-08:00",
        "0042",
        "walter",
        Channel(-27.0, 24.0),
        row=ENERGY
        | SUPPORT
        | {"customer_id": "00453", "issue_type": "technical_fault", "acw_s": "20", "shift": "afternoon"},
        shows="agent talks too fast; customer asks again; resolved",
        lines=(
            agent(
                "Hello, thank you for calling Larkfield Energy, this call's being recorded, "
                "you're speaking with Priya, can I take your account number and your postcode please?"
            ),
            customer("Um, yes. It's seven seven oh, three one two. And the postcode is nine four one oh three."),
            agent("Perfect, thanks, that's all verified, so what's the problem today?"),
            customer("My meter's screen has gone blank, and I don't know what to do."),
            agent(
                "Okay so what you need to do is hold the left button down for ten seconds, then release it, "
                "wait for the blue light, press the right button twice, and then it'll connect by itself."
            ),
            customer("Sorry, could you say that again? That was a bit fast."),
            agent("Sure, so hold left for ten seconds, release it, wait for blue, press right twice, and you're done."),
            customer("Okay. Let me try."),
            customer("Oh, yes. It is working again.", gap_s=2.6),
            agent("Great, so that's fixed, is there anything else I can help you with?", over_s=0.2),
            customer("No, that's all. Thanks."),
            agent("Thanks for calling, bye."),
        ),
    ),
    Call(
        "C-1004",
        "2026-03-03T09:20:44-08:00",
        "B03",
        "ruth",
        Channel(-26.0, 32.0),
        row=RETENTION
        | CANCELLATION
        | {
            "customer_id": "00454",
            "issue_type": "cancellation",
            "ticket_id": "T-503",
            "acw_s": "5",
            "shift": "morning",
        },
        shows="cold and dismissive; dead air of 11 s; customer asks for the supervisor; unresolved",
        lines=(
            agent("Larkfield Energy. Account number."),
            customer(
                "Good morning. It's five five two, one nine oh. I'd like to cancel, please. "
                "My husband died in January, and the house is being sold."
            ),
            agent("There is an early exit fee of one hundred and fifty dollars.", gap_s=1.4),
            customer("Even though he passed away? That seems very unfair. Isn't there some kind of exception?"),
            agent("That is the policy. As I said, the fee applies to all customers.", gap_s=0.9),
            silence(11.0, "dead_air"),
            customer("Hello? Are you still there?"),
            agent("Yes. Do you want to proceed or not?", gap_s=0.8),
            upset("This is ridiculous. I want to speak to your supervisor."),
            agent("They will tell you the same thing."),
            upset("I don't care. Put me through to your supervisor, or I will file a complaint."),
            agent("No one is available. You can write to us."),
            customer("Fine. I will. Goodbye."),
        ),
    ),
    Call(
        "C-1005",
        "2026-03-03T11:05:12-08:00",
        "007",
        "tom",
        Channel(-23.0, 28.0),
        row=ENERGY
        | SUPPORT
        | {"customer_id": "00455", "issue_type": "account_access", "hold_s": "15", "acw_s": "30", "shift": "morning"},
        shows="announced hold of 15 s with music, thanks for holding; resolved",
        lines=(
            agent("Thank you for calling Larkfield Energy, this is Dana. Calls are recorded. How can I help?"),
            customer("Hi Dana. I'm locked out of my online account, and it's driving me mad."),
            agent("Oh no, that's frustrating, I understand. Could you confirm your e-mail address and postcode?"),
            customer("It's tom dot hale at example dot com, and nine four one one oh."),
            agent("Thank you, Tom. I need to ask our security team. May I put you on hold for a moment?"),
            customer("Sure, go ahead."),
            hold(15.0),
            agent("Thank you for holding, Tom. The lock has been removed, and a reset link is on its way to you."),
            customer("Okay.", during=0.55),
            customer("Yes, I've got it. Great, I'm in."),
            agent("Wonderful. Is there anything else?"),
            customer("No, that's perfect. Thanks, Dana."),
            agent("My pleasure, Tom. Take care, goodbye."),
        ),
    ),
    Call(
        "C-1006",
        "2026-03-03T14:31:50-08:00",
        "A12",
        "robert",
        Channel(-24.0, 29.0),
        row=ENERGY | SUPPORT | {"customer_id": "00456", "acw_s": "18", "shift": "afternoon"},
        encoding="mp3",
        shows="customer reads out a card number (redaction); one interruption",
        lines=(
            agent("Larkfield Energy, Marcus speaking, this call is recorded. How can I help?"),
            customer("There's a late fee on my bill. I don't agree with it, but I'd like to pay the rest by card."),
            agent("Right, I can take that payment. Can you confirm your name and postcode first?"),
            customer("Robert Lane, nine four one oh seven."),
            agent("Thanks. What's the long number on the card?"),
            customer("It's four one one one, one one one one, one one one one, one one one one."),
            agent("Uh-huh.", during=0.5),
            agent("And the expiry date?"),
            customer("Oh nine, twenty eight."),
            agent("Okay, bear with me while that goes through."),
            silence(6.0, "retrieval"),
            agent("That's gone through. Forty five dollars paid, and your balance is zero."),
            customer("And what about the late fee? Because I really don't think that I should have to pay for—"),
            agent("The fee stays on, I'm afraid. That's automatic.", cuts_s=0.8),
            customer("Hm. Okay then. Bye."),
            agent("Bye."),
        ),
    ),
    Call(
        "C-1007",
        "2026-03-04T08:50:00-08:00",
        "B03",
        "sam",
        Channel(-20.0, 22.0, "white"),
        row=ENERGY
        | SUPPORT
        | {
            "customer_id": "00457",
            "issue_type": "technical_fault",
            "ticket_id": "T-504",
            "acw_s": "4",
            "shift": "morning",
            "transferred_at": "2026-03-04T08:50:36-08:00",
        },
        encoding="mp3",
        shows="first leg of a transfer: hedging, cold; unresolved",
        lines=(
            agent("Larkfield Energy, this call is recorded. Name and account number."),
            customer(
                "Sam Ortiz, account four four one, eight eight two. My heating has been off since last night, "
                "and I have a baby here."
            ),
            agent("Is the controller on?"),
            customer("Yes, it is on, but it says error nineteen. It's freezing in here, and I'm scared for her."),
            agent("I don't know that error. I think maybe it's the boiler. That is not my department.", gap_s=1.2),
            customer("So who can help me?"),
            agent("I'll transfer you to the technical team. Stay on the line."),
            customer("Okay. Please hurry."),
        ),
    ),
    Call(
        "C-1008",
        "2026-03-04T08:51:30-08:00",
        "007",
        "sam",
        Channel(-20.5, 22.0, "white"),
        row=ENERGY
        | SUPPORT
        | {
            "customer_id": "00457",
            "issue_type": "technical_fault",
            "ticket_id": "T-504",
            "acw_s": "40",
            "shift": "morning",
            "agent_channel": "1",
        },
        encoding="mp3",
        agent_channel=1,
        shows="second leg of the transfer; agent on channel 1; look-up of 9 s; very good; resolved",
        lines=(
            agent(
                "Hello Sam, this is Dana on the technical team, and this call is recorded. "
                "Your heating is off, and you have a baby with you. "
                "That must be really stressful."
            ),
            customer("Oh, thank you. Yes, it's error nineteen, and it's so cold."),
            agent("I completely understand. Could you confirm your postcode for me first?"),
            customer("Nine four one one two."),
            agent("Thank you. Let me look up that code for you."),
            silence(9.0, "retrieval"),
            agent(
                "I've found it. The pressure is low. Under the boiler there is a black tap. "
                "Please turn it slowly, until the needle shows one."
            ),
            customer("Right.", during=0.62),
            customer("Okay, turning it now. And it's starting.", over_s=0.2),
            agent("Wonderful. The radiators will be warm in ten minutes."),
            customer("You've been amazing. Thank you so much, Dana."),
            agent("You're very welcome. Take care of that little one. Goodbye."),
        ),
    ),
    Call(
        "C-1009",
        "2026-03-04T15:22:09+01:00",
        "0042",
        "anna",
        Channel(-23.0, 8.0),
        row=PARCELS
        | SUPPORT
        | {
            "customer_id": "00458",
            "issue_type": "delivery_delay",
            "ticket_id": "T-505",
            "acw_s": "15",
            "shift": "afternoon",
        },
        shows="noisy customer line (8 dB); fast agent; look-up of 6.5 s; resolved",
        lines=(
            agent("Hello, thanks for calling Brightline Parcels, this is Priya, the call is recorded, how can I help?"),
            customer(
                "Hi, I'm at the station, so it's a bit loud. My parcel was meant to come yesterday, and it didn't."
            ),
            agent("Okay, no problem, can I grab the tracking number and the name on the label?"),
            customer("B P six six oh three, and it's Anna Weiss."),
            agent("Thanks Anna, let me check that for you."),
            silence(6.5, "retrieval"),
            agent(
                "So it looks like the van broke down, sorry about that, it's on another van now, "
                "and it'll be with you tomorrow before noon, and you'll get a text an hour before."
            ),
            customer("Okay.", during=0.5),
            customer("Great. Could they leave it with my neighbour?"),
            agent("Yep, I've put that on the label, number fourteen, is that right?"),
            customer("Yes, that's right. That's all I need, thank you."),
            agent("Brilliant, thanks for calling, bye."),
        ),
    ),
    Call(
        "C-1010",
        "2026-03-04T12:10:18-08:00",
        "A12",
        "paul",
        Channel(-28.0, 34.0),
        row=RETENTION | SALES | {"customer_id": "00459", "acw_s": "22", "shift": "afternoon"},
        encoding="mp3",
        shows="outbound sale; over-promise; terminal overlaps; one interruption; not sold",
        lines=(
            agent("Hello, this is Marcus from Larkfield Energy, on a recorded line. Is this a good time?"),
            customer("Uh, I have a few minutes, yes."),
            agent(
                "Great. I'm calling because you can save money on our green tariff. "
                "I guarantee you will pay half of what you pay now."
            ),
            customer(
                "Half? That sounds too good to be true. What about the standing charge, and is there any kind of—"
            ),
            agent("Don't worry about that, it's all included. What do you pay at the moment?", cuts_s=0.8),
            customer("About a hundred and ten a month.", over_s=0.25),
            agent("Then it would be fifty five. Shall I sign you up?", over_s=0.2),
            customer("I'd like to read the terms first."),
            agent("The offer ends today, so I'd really do it now."),
            customer("No, thank you. Please send me an e-mail, and I will think about it."),
            agent("Alright, I'll send it. Bye."),
        ),
    ),
    Call(
        "C-1011",
        "2026-03-05T09:47:33-08:00",
        "0042",
        "mina",
        Channel(-26.0, 31.0),
        row=RETENTION
        | CANCELLATION
        | {"customer_id": "00460", "issue_type": "cancellation", "acw_s": "25", "shift": "morning"},
        encoding="mp3",
        shows="look-up of 12 s; fast but helpful; resolved",
        lines=(
            agent(
                "Hello, thanks for calling Larkfield Energy, you're speaking with Priya, this call is recorded, "
                "how can I help?"
            ),
            customer("Hi. I'm moving abroad next month, so I need to close my account."),
            agent("Oh, exciting, okay, can I take your account number and your date of birth to find you?"),
            customer("Three oh nine, six six one. Twelfth of June, nineteen ninety."),
            agent("Perfect, thank you, let me pull that up, one moment please."),
            silence(12.0, "retrieval"),
            agent(
                "Right, sorry for the wait, so your contract ended in January, which means that there's no exit fee, "
                "and I can close it for the thirty first."
            ),
            customer("That's great. And what about the final bill?", over_s=0.3),
            agent("It'll go to your e-mail within ten days, and any credit goes back to your bank."),
            customer("Good. So everything is done?"),
            agent("Yes, it's all closed, your reference is K four four, is there anything else?"),
            customer("No, that's all. Thanks for your help."),
            agent("Thank you, and good luck with the move, bye."),
        ),
    ),
    Call(
        "C-1012",
        "2026-03-05T10:15:02+01:00",
        "A12",
        "olga",
        Channel(-21.5, 26.0),
        row=PARCELS
        | SUPPORT
        | {
            "customer_id": "00452",
            "issue_type": "delivery_delay",
            "ticket_id": "T-502",
            "acw_s": "10",
            "shift": "morning",
        },
        shows="repeat contact of C-1002; angry customer; look-up of 10 s; two interruptions; escalation; unresolved",
        lines=(
            agent("Brightline Parcels, Marcus speaking."),
            upset("I called on Monday about parcel B P four seven two nine, and it still hasn't come."),
            agent("Can I have the tracking number?"),
            upset("I just told you. B P four seven two nine. This is the second time I've had to explain this."),
            agent("Okay, let me check."),
            silence(10.0, "retrieval"),
            agent("It's still in the depot. There's a backlog."),
            customer(
                "You told me it would come this week. My mother needs that medicine, and nobody there even seems to—"
            ),
            agent("I understand, but I don't drive the van.", cuts_s=0.9),
            upset("That's so rude. I want to speak to a manager. Now."),
            agent("I'll put in a request, and someone will call you back."),
            customer("When? I've been waiting for six days, and every time I call, all I ever get is—"),
            agent("Within forty eight hours. That's all I can offer.", cuts_s=0.7),
            upset("Unbelievable. Never again."),
        ),
    ),
    Call(
        "C-1013",
        "2026-03-05T13:03:27-08:00",
        "B03",
        "grace",
        Channel(-29.0, 27.0),
        row=ENERGY | SUPPORT | {"customer_id": "00461", "acw_s": "6", "shift": "afternoon"},
        shows="agent asks for the full password (zero tolerance); robotic; resolved in the end",
        lines=(
            agent("Larkfield Energy. This call is recorded. What is the issue?"),
            customer("Hello. The app says that my password is wrong, and I can't see my bills."),
            agent("Account number."),
            customer("Eight one four, two two seven."),
            agent("Tell me your full password, and I will check it.", gap_s=1.3),
            customer("My password? Am I supposed to tell you that? I don't feel comfortable with it."),
            agent("If you do not give it to me, I can't help you."),
            customer("Well, I'd rather not. Isn't there a reset link?"),
            agent("You could have used that yourself."),
            customer("I did try. It never arrived."),
            agent("Calm down. I am sending it again now.", gap_s=0.9),
            customer("Okay, it's here. It works now, thank you.", gap_s=2.2),
            agent("Bye."),
        ),
    ),
    Call(
        "C-1014",
        "2026-03-06T14:36:40+01:00",
        "007",
        "julia",
        Channel(-24.0, 29.0),
        row=PARCELS | SUPPORT | {"customer_id": "00462", "ticket_id": "T-506", "acw_s": "38", "shift": "afternoon"},
        shows="furious customer who calms down; empathy; look-up of 6 s; resolved",
        lines=(
            agent("Thank you for calling Brightline Parcels, my name is Dana. This call is recorded. How can I help?"),
            upset("My daughter's birthday present is three days late, and your website is useless. I'm furious."),
            agent(
                "I'm really sorry. That is so upsetting, and I'd feel the same. "
                "Could I take the tracking number and your name?"
            ),
            customer("It's B P nine oh one five. Julia Stone."),
            agent("Let me find out exactly where it is."),
            silence(6.0, "retrieval"),
            agent(
                "It was sorted to the wrong city, which is our mistake. "
                "It's back here now, and a courier will bring it to you today, before six."
            ),
            customer("I see.", during=0.4),
            customer("Really? Today?"),
            agent("Yes, today. And I've refunded your delivery fee.", over_s=0.2),
            customer("Thank you. Sorry that I was so angry."),
            agent("Not at all, I understand. Is there anything else I can do?"),
            customer("No, you've solved it. You made my day."),
            agent("Happy birthday to her. Goodbye."),
        ),
    ),
    Call(
        "C-1015",
        "2026-03-06T09:31:15-08:00",
        "0042",
        "grace",
        Channel(-25.0, 28.0),
        row=ENERGY
        | SUPPORT
        | {"customer_id": "00463", "issue_type": "billing_dispute", "acw_s": "15", "shift": "morning"},
        encoding="ulaw",
        layout="mono",
        status="",
        shows="mono recording (both parties mixed), µ-law",
        lines=(
            agent("Larkfield Energy, this is Priya, the call is recorded, how can I help?"),
            customer("Hi. I think I was charged twice in February."),
            agent("Thanks, bear with me a second."),
            silence(6.0, "retrieval"),
            agent("Yes, I can see two payments of seventy dollars, so I've refunded one, it takes three to five days."),
            customer("Perfect, that's what I needed. Thank you."),
            agent("You're welcome, have a great day, bye."),
        ),
    ),
    Call(
        "C-1016",
        "2026-03-05T16:44:00+01:00",
        "A12",
        "tom",
        Channel(-23.0, 28.0),
        row=PARCELS | SUPPORT | {"customer_id": "00464", "acw_s": "9", "shift": "afternoon"},
        encoding="mp3",
        layout="dual_mono",
        status="excluded",
        reason="dual_mono",
        shows="both channels carry the same mix; scored only where a speaker split is possible",
        lines=(
            agent("Brightline Parcels, Marcus speaking, this call is recorded."),
            customer("Hello. The tracking page gives me an error all the time."),
            agent("Did you try another browser?"),
            customer("Yes, I tried two, and my phone."),
            agent("The site has been down since this morning. They're working on it."),
            customer("Alright. Can you just tell me where my parcel is?"),
            agent("What's the number?"),
            customer("B P three three one eight."),
            agent("Let me check."),
            silence(6.0, "retrieval"),
            agent("It's out for delivery today."),
            customer("Great, thank you. Bye."),
        ),
    ),
    Call(
        "C-1017",
        "2026-03-03T08:02:55-08:00",
        "B03",
        "paul",
        Channel(-26.0, 40.0),
        row=ENERGY | SUPPORT | {"shift": "morning"},
        encoding="flac",
        status="excluded",
        reason="too_short",
        shows="wrong number: about 2 s of speech",
        lines=(agent("Larkfield Energy."), customer("Oh, wrong number.")),
    ),
    Call(
        "C-1018",
        "2026-03-04T10:26:37-08:00",
        "007",
        "anna",
        Channel(-26.0, 30.0),
        row=ENERGY | SUPPORT | {"customer_id": "00465", "shift": "morning"},
        status="excluded",
        reason="one_party",
        shows="one-sided: nothing but noise on the customer's channel",
        lines=(
            agent("Thank you for calling Larkfield Energy, this is Dana. How can I help?"),
            agent("Hello, can you hear me?", gap_s=2.6),
            agent("I'm afraid I can't hear you. I'll end the call now, please try again. Goodbye.", gap_s=2.6),
        ),
    ),
    Call(
        "C-1020",
        "2026-03-05T11:30:20-08:00",
        "0042",
        "helen",
        Channel(-25.0, 30.0),
        row=ENERGY
        | SUPPORT
        | {"customer_id": "00451", "shift": "morning", "started_at": "05/03/2026 quarter past", "ended_at": ""},
        status="quarantined",
        reason="metadata_invalid",
        shows="the recording is good, but its row has an unreadable started_at: repair and replay",
        lines=(
            agent("Larkfield Energy, this is Priya, this call is recorded, how can I help?"),
            customer("Hi. I'd like to give you a meter reading. It's four oh seven two."),
            agent("Thank you, that's saved now, is there anything else?"),
            customer("No, that's it. Bye."),
            agent("Bye."),
        ),
    ),
    Call(
        "Auto1_GUID_001_AGENT_A12_DT_2026-03-04T09-12-05",
        "2026-03-04T09:12:05-08:00",
        "A12",
        "robert",
        Channel(-27.0, None),
        agent_sound=Channel(-21.0, None),
        encoding="flac",
        file_name="Auto1_GUID_001_AGENT_A12_DT_2026-03-04T09-12-05",
        shows="no row: the file name carries agent and time; digital silence between the words",
        lines=(
            agent("Larkfield Energy, Marcus speaking. How can I help?"),
            customer("Hi. I want to submit my meter reading. It's one eight two five five."),
            agent("And your account number?"),
            customer("Nine nine oh, two one three."),
            agent("That's in the system."),
            customer("Great, that's all. Thanks."),
            agent("Bye."),
        ),
    ),
)
