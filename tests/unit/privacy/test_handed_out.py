"""Pages that were made for somebody: known until they are gone."""

from pathlib import Path

from pipelines.privacy import handed_out
from pipelines.settings import Settings


def test_a_page_is_known_with_its_sound_and_a_report_with_all_its_pages(tmp_path):
    settings = Settings(data=tmp_path / "data")
    page, report = tmp_path / "call.html", tmp_path / "client"
    (report / "agents").mkdir(parents=True)
    for path in (page, page.with_suffix(".ogg"), report / "index.html", report / "agents" / "a.html"):
        path.write_text("x")
    handed_out.note(settings, page)
    handed_out.note(settings, report)
    handed_out.note(settings, page)  # made again
    names = [sorted(Path(f).name for f in e.files) for e in handed_out.there(settings)]
    assert names == [["a.html", "index.html"], ["call.html", "call.ogg"]]
    assert (settings.data / "handed_out.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_was_removed_or_moved_away_is_forgotten(tmp_path):
    settings = Settings(data=tmp_path / "data")
    assert handed_out.there(settings) == []
    for name in ("one.html", "two.html"):
        (tmp_path / name).write_text("x")
        handed_out.note(settings, tmp_path / name)
    (tmp_path / "one.html").unlink()
    (entry,) = handed_out.there(settings)
    assert handed_out.remove(settings, entry) == 1
    assert not (tmp_path / "two.html").exists()
    assert handed_out.there(settings) == []
