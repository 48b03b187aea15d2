"""Notices to whoever runs the machine, sent to real servers on this machine."""

import hashlib
import hmac

from pipelines.alerts.channels import Channels, Mail
from pipelines.alerts.notices import Notice, give_notice, last_key, log_path
from pipelines.quality.ledger import read_lines
from tests.receivers import closed_port, http_server, smtp_server

FAILED = Notice.of("failure", "IQS: the run of\n2026-03-02 failed", ["turns: the share is away <b>", "line 2"], "run 1")


def test_a_notice_goes_by_every_channel_and_is_written_down(tmp_path, quick):
    with http_server() as web, http_server() as slack, smtp_server() as mail:
        channels = Channels(
            webhook=web.url,
            webhook_secret="s3cret",
            slack=slack.url,
            mail=Mail("127.0.0.1", mail.port, "iqs@centre.test", "none", fallback="lead@centre.test"),
            patience=quick,
        )
        said = give_notice(FAILED, channels, tmp_path)
    assert said == {"webhook": "200 OK", "slack": "200 OK", "email": "250 accepted"}
    (posted,) = web.got
    assert posted.json == {
        "source": "iqs",
        "notice": "failure",
        "subject": "IQS: the run of 2026-03-02 failed",
        "text": "turns: the share is away <b>\nline 2",
    }
    signature = hmac.new(b"s3cret", posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["x-iqs-signature"] == f"sha256={signature}"
    # What an error says can't make a link or mention anybody.
    assert "&lt;b&gt;" in slack.got[0].json["text"]
    ((recipients, written),) = mail.mails
    assert (recipients, written["Subject"]) == (["lead@centre.test"], "IQS: the run of 2026-03-02 failed")
    assert "the share is away" in written.get_content()
    (row,) = read_lines(log_path(tmp_path))
    assert (row["kind"], row["key"], row["channels"]) == ("failure", "run 1", said)


def test_a_channel_that_is_down_is_said_in_words_and_the_others_are_told(tmp_path, quick):
    with http_server() as slack:
        channels = Channels(
            slack=slack.url,
            mail=Mail("127.0.0.1", closed_port(), "iqs@centre.test", "none", fallback="lead@centre.test"),
            patience=quick,
        )
        said = give_notice(FAILED, channels, tmp_path)
    assert said["slack"] == "200 OK"
    assert "refused" in said["email"].lower()


def test_a_mail_server_without_anybody_to_write_to_is_said(tmp_path, quick):
    channels = Channels(mail=Mail("127.0.0.1", closed_port(), "iqs@centre.test", "none"), patience=quick)
    assert "IQS_SMTP_TO" in give_notice(FAILED, channels, tmp_path)["email"]


def test_the_last_key_is_that_of_its_kind(tmp_path):
    assert last_key(tmp_path, "warning") is None
    for kind, key in (("warning", "a"), ("failure", "b"), ("warning", "c"), ("failure", "d")):
        give_notice(Notice.of(kind, "x", [], key), Channels(), tmp_path)
    assert (last_key(tmp_path, "warning"), last_key(tmp_path, "failure")) == ("c", "d")
