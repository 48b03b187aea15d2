"""A lake in S3-compatible storage: the bucket holds the truth, a folder on this machine mirrors it.

A bucket has no rename, so a partition becomes visible by its manifest: the data goes under a name that holds its
fingerprint (`data-<fingerprint>.parquet`), the manifest that names it is written last, and only then the old data is
removed. In the mirror a partition has the names of every lake (`data.parquet` beside `manifest.json`), so that Polars,
DuckDB and dbt read it as they read a lake on a disk.

The mirror compares three sides, as git does: the bucket now (ETags), the mirror now, and what they were when they were
last equal (`.mirror/index.json`). What changed in the bucket is fetched, what changed here is sent; where both did,
lines of a log are united and of anything else the bucket's stands.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

SCHEME = "s3://"
# A request is a round trip of some 10 ms: what is small is fetched and sent by so many at once.
_AT_ONCE = 16
_TRIES = 10
_MANIFEST = "manifest.json"
# What is published stands on the machine that publishes, and so does what tells of it.
_LOCAL = {"ops/published_days.json", "ops/publications.jsonl", "ops/dq_results/000.jsonl"}


class BucketError(OSError):
    """The bucket can't be reached or used; the message names it and says what to do. It may pass."""


class Missing(BucketError):
    """There is no such object."""


class Changed(BucketError):
    """The object is not the one that was expected: somebody else wrote it meanwhile."""


@dataclass(frozen=True)
class Bucket:
    """Objects below `url` (`s3://bucket/prefix`), by keys relative to it.

    Endpoint, region and credentials are those of the usual AWS_* variables and files. Every method raises BucketError.
    """

    url: str

    @cached_property
    def _place(self) -> tuple[str, str]:
        name, _, prefix = self.url.removeprefix(SCHEME).partition("/")
        if not (self.url.startswith(SCHEME) and name):
            raise BucketError(f"{self.url!r} is no address of a bucket; write s3://bucket or s3://bucket/prefix")
        prefix = prefix.strip("/")
        return name, f"{prefix}/" if prefix else ""

    @cached_property
    def _client(self):
        try:
            import boto3
            from botocore.config import Config
        except ImportError as error:
            raise BucketError(f"{self.url} needs the package boto3: pip install 'iqs[s3]'") from error
        own_server = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"))
        config = Config(
            retries={"mode": "standard", "max_attempts": 5},
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=_AT_ONCE,
            # Servers of one's own rarely have a host name for each bucket, and the older ones know no checksums.
            s3={"addressing_style": "path"} if own_server else None,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        with self._told():
            return boto3.session.Session().client("s3", config=config)

    def list(self, below: str = "") -> dict[str, str]:
        """Key → ETag of every object whose key begins with `below`."""
        name, prefix = self._place
        found: dict[str, str] = {}
        with self._told():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix + below):
                found |= {o["Key"].removeprefix(prefix): o["ETag"] for o in page.get("Contents", ())}
        return found

    def read(self, key: str) -> tuple[bytes, str]:
        """An object's bytes and ETag."""
        name, prefix = self._place
        with self._told(key):
            got = self._client.get_object(Bucket=name, Key=prefix + key)
            return got["Body"].read(), got["ETag"]

    def download(self, key: str, path: Path) -> None:
        """An object into a file, in parts where it is large."""
        name, prefix = self._place
        with self._told(key):
            self._client.download_file(name, prefix + key, str(path))

    def upload(self, path: Path, key: str) -> None:
        """A file as an object, in parts where it is large; it is there whole or not at all."""
        name, prefix = self._place
        with self._told(key):
            self._client.upload_file(str(path), name, prefix + key)

    def write(self, key: str, content: bytes, *, instead_of: str | None = None) -> str:
        """Write an object and return its ETag.

        `instead_of`: only while its ETag is this one (empty: while there is none). Raises Changed where it is not.
        """
        name, prefix = self._place
        condition = {} if instead_of is None else {"IfMatch": instead_of} if instead_of else {"IfNoneMatch": "*"}
        with self._told(key):
            return self._client.put_object(Bucket=name, Key=prefix + key, Body=content, **condition)["ETag"]

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects; one that isn't there is none to remove."""
        name, prefix = self._place
        for key in keys:  # one by one: the request for many at once wants a checksum that not every server takes
            with self._told(key):
                self._client.delete_object(Bucket=name, Key=prefix + key)

    @contextlib.contextmanager
    def _told(self, key: str = "") -> Iterator[None]:
        """The client's errors in words."""
        try:
            yield
        except BucketError:
            raise
        except Exception as error:
            from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

            if not isinstance(error, (BotoCoreError, ClientError)) and "boto3" not in type(error).__module__:
                raise
            answer = getattr(error, "response", {})
            code = str(answer.get("Error", {}).get("Code", ""))
            status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
            where = f"{self.url}/{key}" if key else self.url
            if code == "NoSuchBucket":
                raise BucketError(f"{self.url}: there is no such bucket; make it, or correct IQS_DATA") from error
            if status == 404:
                raise Missing(f"{where}: there is no such object") from error
            if status in (409, 412):
                raise Changed(f"{where} was changed by somebody else meanwhile") from error
            if status in (401, 403) or isinstance(error, NoCredentialsError):
                hint = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) and the rights on the bucket"
            else:
                hint = "check the network and AWS_ENDPOINT_URL, and try again"
            raise BucketError(f"{where}: {error}; {hint}") from error


@dataclass(frozen=True)
class _Seen:
    """A file as it was when bucket and mirror were last equal; `size` −1: what stands here has yet to be sent."""

    etag: str
    mtime_ns: int
    size: int


def _seen(path: Path, etag: str) -> _Seen:
    stat = path.stat()
    return _Seen(etag, stat.st_mtime_ns, stat.st_size)


@dataclass
class Mirror:
    """The folder `root` as the mirror of `bucket`. One process at a time changes it (a lock on this machine)."""

    root: Path
    bucket: Bucket
    _index: dict[str, _Seen] = field(default_factory=dict)

    # --- both ways
    def pull(self) -> int:
        """Bring the mirror up to date; returns how many files were fetched. What was changed here and not sent stays.

        One listing (a request for 1,000 objects), then one or two requests for each file that changed.
        """
        with self._locked():
            there = self.bucket.list()
            wanted = [k for k, etag in there.items() if _is_kept(k) and not self._stands(k, etag)]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for key, seen in zip(wanted, pool.map(self._fetch, wanted), strict=True):
                    if seen:
                        self._index[key] = seen
            for key in [k for k in self._index if k not in there]:
                if not self._changed_here(key) or key.endswith(_MANIFEST):
                    self._remove_here(key)
                del self._index[key]
            return len(wanted)

    def push(self, *, removals: bool = False) -> int:
        """Send what changed here since the last time; returns how many files.

        `removals`: also remove from the bucket what is gone here. Only for who holds the lake alone and has pulled.
        """
        with self._locked():
            changed = [key for key in self._files() if self._changed_here(key)]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for key, seen in zip(changed, pool.map(self._send, changed), strict=True):
                    self._index[key] = seen
            gone = [k for k in self._index if not (self.root / k).exists()] if removals else []
            for key in gone:
                self._remove_there(key)
                del self._index[key]
            return len(changed) + len(gone)

    # --- single files, at once
    def send(self, path: Path) -> None:
        """Send one file (of a partition: its manifest, with the data) that was written this moment."""
        key = path.relative_to(self.root).as_posix()
        with self._locked(save=False):
            self._index[key] = self._send(key)

    def drop(self, folder: Path) -> None:
        """Remove a folder from the bucket and from here."""
        below = folder.relative_to(self.root).as_posix() + "/"
        with self._locked(save=False):
            self.bucket.remove(self.bucket.list(below))
            shutil.rmtree(folder, ignore_errors=True)
            for key in [k for k in self._index if k.startswith(below)]:
                del self._index[key]

    def clean(self) -> int:
        """Remove data that no manifest names: writers that died left it. Only for whom no writer is at work beside."""
        there = self.bucket.list()
        stray = [k for k in there if _is_data(k) and not self._names(k.rpartition("/")[0], k)]
        self.bucket.remove(stray)
        return len(stray)

    # --- a partition: data first, the manifest last
    def _send(self, key: str) -> _Seen:
        path = self.root / key
        if key.endswith(_MANIFEST) and (path.parent / "data.parquet").exists():
            return self._send_partition(key)
        content, before = path.read_bytes(), self._index.get(key)
        stat = path.stat()
        if not key.endswith(".jsonl"):
            return _Seen(self.bucket.write(key, content), stat.st_mtime_ns, stat.st_size)
        expected = before.etag if before else ""
        for attempt in range(_TRIES):  # a log has several writers: nobody's lines may be lost
            try:
                etag = self.bucket.write(key, content, instead_of=expected)
                # What others wrote is not here yet: an ETag that no object has makes the next pull fetch it.
                return _Seen("" if attempt else etag, stat.st_mtime_ns, stat.st_size)
            except (Changed, Missing):
                try:
                    theirs, expected = self.bucket.read(key)
                except Missing:
                    theirs, expected = b"", ""
                content = united(theirs, content)
        raise Changed(f"{self.bucket.url}/{key} is written by others all the time; try again")

    def _send_partition(self, key: str) -> _Seen:
        path = self.root / key
        text, stat = path.read_bytes(), path.stat()
        folder, name = key.rpartition("/")[0], _data_name(text)
        self.bucket.upload(path.parent / "data.parquet", f"{folder}/{name}")
        etag = self.bucket.write(key, text)
        old = [k for k in self.bucket.list(f"{folder}/data-") if k != f"{folder}/{name}"]
        self.bucket.remove(old)
        return _Seen(etag, stat.st_mtime_ns, stat.st_size)

    def _fetch(self, key: str) -> _Seen | None:
        """Fetch one file; None where it is gone again."""
        try:
            if key.endswith(_MANIFEST):
                return self._fetch_partition(key)
            content, etag = self.bucket.read(key)
        except Missing:
            return None
        path, private = self.root / key, key.startswith(("restricted/", ".landing/"))
        if key.endswith(".jsonl"):
            return self._take_over(key, content, etag, private=private)
        replace_file(path, content, private=private)
        return _seen(path, etag)

    def _take_over(self, key: str, theirs: bytes, etag: str, *, private: bool) -> _Seen:
        """The bucket's state of a log, and after it the lines that only this machine has; locked as its writers do."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            ours = file.read()
            content = united(theirs, ours) if ours and self._changed_here(key) else theirs
            if content != ours:
                file.seek(0)
                file.write(content)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            seen = _seen(path, etag)
        return seen if content == theirs else _Seen(etag, seen.mtime_ns, -1)

    def _fetch_partition(self, key: str) -> _Seen:
        folder = (self.root / key).parent
        for _ in range(_TRIES):  # its data goes away only when a newer manifest stands
            text, etag = self.bucket.read(key)
            temporary = self.root / ".staging" / f"{uuid.uuid4().hex}.parquet"
            temporary.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.bucket.download(f"{key.rpartition('/')[0]}/{_data_name(text)}", temporary)
                if _fingerprint_in(temporary) != json.loads(text)["fingerprint"]:
                    raise BucketError(
                        f"{self.bucket.url}/{key}: its data is not that of the manifest; run the day again"
                    )
                folder.mkdir(parents=True, exist_ok=True)
                os.replace(temporary, folder / "data.parquet")
            except Missing:
                continue
            finally:
                temporary.unlink(missing_ok=True)
            replace_file(folder / _MANIFEST, text)
            return _seen(folder / _MANIFEST, etag)
        raise BucketError(f"{self.bucket.url}/{key}: the data that the manifest names is not there; run the day again")

    # --- what is where
    def _names(self, folder: str, key: str) -> bool:
        """Whether the partition's manifest names this data; the one here tells, the bucket's where it says no."""
        for read in (lambda: (self.root / folder / _MANIFEST).read_bytes(), lambda: self._manifest_there(folder)):
            with contextlib.suppress(FileNotFoundError, Missing):
                if f"{folder}/{_data_name(read())}" == key:
                    return True
        return False

    def _manifest_there(self, folder: str) -> bytes:
        return self.bucket.read(f"{folder}/{_MANIFEST}")[0]

    def _stands(self, key: str, etag: str) -> bool:
        seen = self._index.get(key)
        return seen is not None and seen.etag == etag and (self.root / key).exists()

    def _changed_here(self, key: str) -> bool:
        seen = self._index.get(key)
        try:
            stat = (self.root / key).stat()
        except FileNotFoundError:
            return False
        return seen is None or (seen.mtime_ns, seen.size) != (stat.st_mtime_ns, stat.st_size)

    def _remove_here(self, key: str) -> None:
        path = self.root / key
        if key.endswith(_MANIFEST):
            (path.parent / "data.parquet").unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    def _remove_there(self, key: str) -> None:
        """A partition's manifest goes first: without it nobody looks for the data."""
        self.bucket.remove([key])
        if key.endswith(_MANIFEST):
            self.bucket.remove(self.bucket.list(f"{key.rpartition('/')[0]}/data-"))

    def _files(self) -> Iterator[str]:
        for folder, folders, names in os.walk(self.root):
            at = Path(folder).relative_to(self.root)
            folders[:] = [n for n in folders if n not in (".staging", ".mirror")]
            for name in names:
                key = (at / name).as_posix()
                if _is_kept(key) and (self.root / key).stat().st_size:
                    yield key

    # --- the index, shared by this machine's processes
    @contextlib.contextmanager
    def _locked(self, *, save: bool = True) -> Iterator[None]:
        """Hold the mirror. Without `save` the index is written with the next pull or push; what it lacks goes twice."""
        folder = self.root / ".mirror"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if save:
                with contextlib.suppress(OSError, ValueError, TypeError):
                    kept = json.loads((folder / "index.json").read_text())
                    self._index = {k: _Seen(*v) for k, v in kept.items()} | self._index
            yield
            if save:
                rows = {k: (s.etag, s.mtime_ns, s.size) for k, s in sorted(self._index.items())}
                replace_file(folder / "index.json", json.dumps(rows, indent=0).encode())


def _is_data(key: str) -> bool:
    name = key.rpartition("/")[2]
    return name.startswith("data-") and name.endswith(".parquet")


def _is_kept(key: str) -> bool:
    """Whether bucket and mirror share a file under this name: manifests, logs, rules, parts; not the data itself."""
    first, name = key.split("/")[0], key.rpartition("/")[2]
    if first == ".landing":  # parsed files are made again; the key of the pseudonyms comes from the environment
        return name in ("erased.jsonl", "expired.jsonl")
    if key in _LOCAL or first in (".staging", ".mirror") or (name.startswith(".") and name.endswith(".tmp")):
        return False
    return first in ("ops", "restricted", ".parts") or name == _MANIFEST


def _data_name(manifest: bytes) -> str:
    return f"data-{json.loads(manifest)['fingerprint']}.parquet"


def _fingerprint_in(path: Path) -> str:
    import pyarrow.parquet as pq

    return (pq.read_metadata(path).metadata or {}).get(b"iqs_fingerprint", b"").decode()


def united(theirs: bytes, ours: bytes) -> bytes:
    """Two states of a log of lines: theirs, and after them what only we have. A torn last line is left out."""
    first = theirs[: theirs.rfind(b"\n") + 1]
    have = set(first.splitlines())
    more = [line for line in ours[: ours.rfind(b"\n") + 1].splitlines() if line not in have]
    return first + b"".join(line + b"\n" for line in more)


# --- which folder mirrors what
def _mark(root: Path) -> Path:
    return root / ".mirror" / "bucket"


def mirror_of(root: Path) -> Mirror | None:
    """The mirror that the lake in `root` is; None where it is a lake of its own."""
    try:
        return _mirror(root, _mark(root).read_text().strip())
    except FileNotFoundError:
        return None


@lru_cache(maxsize=8)
def _mirror(root: Path, url: str) -> Mirror:
    return Mirror(root, Bucket(url))


def attach(root: Path, url: str) -> Mirror:
    """Make the folder `root` the mirror of the bucket `url` from now on; one that it is already stays.

    A lake that stands in the folder moves into a bucket that is empty. Raises BucketError where both hold something, or
    the folder mirrors another bucket.
    """
    known = mirror_of(root)
    if known:
        if known.bucket.url != url:
            raise BucketError(
                f"{root} mirrors {known.bucket.url}, not {url}. Choose another folder (IQS_LOCAL) for the new address"
            )
        return known
    made = _mirror(root, url)
    if any(root.glob(f"*/*/**/{_MANIFEST}")) and made.bucket.list():
        raise BucketError(
            f"both {root} and {url} hold a lake. Choose an empty folder (IQS_LOCAL) to use the bucket's, or an empty "
            "prefix to move the folder's there"
        )
    replace_file(_mark(root), f"{url}\n".encode())
    return made


def replace_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace a small file at once, flushed to the disk: a reader sees the old one or the new one.

    A `private` one is readable by its owner only, and so is its folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.touch(mode=0o600 if private else 0o666)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
