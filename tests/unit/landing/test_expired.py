"""The list of recordings that retention removed."""

import pytest

from pipelines.landing import Landing, LandingOptions, expired
from pipelines.landing.expired import ExpiredError, ExpiredRecording
from pipelines.privacy import erasure
from pipelines.resources.landing import LandingResource
from pipelines.settings import Settings

ONE, TWO = (ExpiredRecording(f"recordings/{n}.wav", n * 8, 7, 10**9, "2026-06-01T00:00:00+00:00") for n in "ab")


@pytest.fixture
def settings(tmp_path):
    made = Settings(data=tmp_path)
    (made.landing / "recordings").mkdir(parents=True)
    head = "interaction_id,channel,started_at,agent_id,campaign\n"
    rows = "".join(f"{i},call,2026-03-02T09:00:00Z,007,billing\n" for i in "ab")
    (made.landing / "interactions.csv").write_text(head + rows)
    for name in "ab":
        (made.landing / "recordings" / f"{name}.wav").write_bytes(b"sound!!")
    return made


def look(settings):
    return Landing(LandingOptions.of(settings))


def remembered(settings, name: str) -> ExpiredRecording:
    path = settings.landing / "recordings" / f"{name}.wav"
    stat = path.stat()
    return ExpiredRecording(f"recordings/{name}.wav", name * 8, stat.st_size, stat.st_mtime_ns, "2026-06-01")


def test_a_list_is_written_at_once_and_read_back(tmp_path):
    path = expired.list_in(tmp_path)
    assert expired.read(path) == {}
    expired.add(path, [TWO])
    expired.add(path, [ONE])
    assert list(expired.read(path).values()) == [ONE, TWO]
    assert expired.drop(path, lambda r: r.path == ONE.path) == 1
    assert expired.drop(path, lambda r: r.path == ONE.path) == 0
    assert expired.read(path) == {TWO.path: TWO}


def test_a_damaged_list_stops_the_run_before_calls_are_lost(tmp_path):
    path = expired.list_in(tmp_path)
    expired.add(path, [ONE])
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ExpiredError, match=r"damaged.*Take it from a backup"):
        expired.read(path)


def test_the_call_keeps_its_recording_and_its_day_its_key(settings):
    days, standing = look(settings).day_table(), look(settings).standing()
    expired.add(expired.list_in(settings.lake), [remembered(settings, "a")])
    (settings.landing / "recordings" / "a.wav").unlink()
    assert look(settings).day_table().equals(days)
    assert look(settings).standing().equals(standing)
    (settings.landing / "recordings" / "b.wav").unlink()  # that one just went missing
    assert not look(settings).day_table().equals(days)


def test_it_is_located_with_what_is_known_of_it_and_a_file_that_came_back_counts_itself(settings):
    resource = LandingResource.of(LandingOptions.of(settings))
    there = resource.locate("recordings/a.wav")
    known = remembered(settings, "a")
    expired.add(expired.list_in(settings.lake), [known])
    assert resource.locate("recordings/a.wav").audio_sha256 is None
    (settings.landing / "recordings" / "a.wav").unlink()
    gone = resource.locate("recordings/a.wav")
    assert (gone.reason, gone.identity, gone.audio_sha256) == (None, there.identity, known.audio_sha256)
    assert resource.locate("recordings/c.wav").reason == "recording_missing"


def test_an_erasure_knows_a_recording_that_expired_by_its_hash_and_takes_it_off_the_list(settings):
    for name in "ab":
        expired.add(expired.list_in(settings.lake), [remembered(settings, name)])
        (settings.landing / "recordings" / f"{name}.wav").unlink()
    subject = erasure.find(settings, erasure.INTERACTION, "a")
    assert (subject.recordings, subject.audio_sha256) == (["recordings/a.wav"], ["a" * 8])
    erasure._remove_recordings(erasure.Installation(settings), subject)
    assert list(expired.read(expired.list_in(settings.lake))) == ["recordings/b.wav"]
    assert subject.removed == [{"where": "list of expired recordings", "rows": 1}]


def test_where_nothing_expired_nothing_is_written(tmp_path):
    expired.add(expired.list_in(tmp_path), [])
    assert not expired.list_in(tmp_path).exists()
