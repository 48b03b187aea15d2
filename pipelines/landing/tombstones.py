"""What was erased and must not come back: a list of keyed hashes, which the landing reader obeys.

A line of `erased.jsonl` (beside the key, in a folder of mode 0700) holds a kind (interaction, customer, recording),
the keyed hash of what it stands for, and when it was erased. Nothing can be read out of it without the key.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.lake import write_text
from pipelines.landing.rows import pseudonym

INTERACTION, CUSTOMER, RECORDING = "interaction", "customer", "recording"
# A customer's rows are dropped where they tell of the time before the erasure: a new contact is a new matter.
_TIMES = ("started_at", "opened_at", "answered_at")


class TombstoneError(ValueError):
    """The list of what was erased can't be obeyed; the message says why and what to do."""


@dataclass
class Tombstones:
    """The list in the file `path`. `erased_at` by (kind, keyed hash)."""

    path: Path
    key: bytes = field(repr=False)
    zone: ZoneInfo
    erased_at: dict[tuple[str, str], datetime] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, key: bytes, zone: ZoneInfo) -> Tombstones:
        """The list; empty where there is none. Raises TombstoneError where it was made with another key."""
        found = cls(path, key, zone)
        try:
            lines = path.read_text().splitlines()
        except FileNotFoundError:
            return found
        for line in lines:
            try:
                row = json.loads(line)
                at = datetime.fromisoformat(row["erased_at"])
                found.erased_at[row["kind"], row["hash"]] = at
                known = row["key"]
            except (ValueError, KeyError, TypeError) as error:
                raise TombstoneError(f"{path} is damaged: what was erased can't be kept away; restore it") from error
            if known != found._key_mark:
                raise TombstoneError(
                    f"{path} was made with another pseudonym key: what was erased could come back. Put the key back "
                    "(IQS_PSEUDONYM_KEY, or pseudonym.key beside that file)"
                )
        return found

    @property
    def _key_mark(self) -> str:
        return hashlib.sha256(b"erased, which key\0" + self.key).hexdigest()[:16]

    def digest(self, kind: str, name: str) -> str:
        """The keyed hash that stands for a name."""
        return hmac.new(self.key, f"erased\0{kind}\0{name}".encode(errors="replace"), hashlib.sha256).hexdigest()[:32]

    def add(self, kind: str, names: Iterable[str], at: datetime | None = None) -> None:
        """Put names on the list and write it, at once or not at all; what stands on it keeps its time."""
        at = (at or datetime.now(UTC)).astimezone(UTC)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_name("erased.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # What another process has put on it meanwhile stays.
            self.erased_at = Tombstones.read(self.path, self.key, self.zone).erased_at
            for name in names:
                self.erased_at.setdefault((kind, self.digest(kind, name)), at)
            self._write()

    def _write(self) -> None:
        rows = (
            {"kind": kind, "hash": digest, "erased_at": at.isoformat(), "key": self._key_mark}
            for (kind, digest), at in sorted(self.erased_at.items())
        )
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in rows))

    def holds(self, kind: str, name: str) -> bool:
        """Whether the name was erased."""
        return bool(self.erased_at) and (kind, self.digest(kind, name)) in self.erased_at

    def customer_until(self, customer_id: str) -> datetime | None:
        """When the customer was erased; None where that did not happen."""
        return self.erased_at.get((CUSTOMER, self.digest(CUSTOMER, pseudonym(customer_id, self.key))))

    def covers(self, raw: dict[str, str | None]) -> bool:
        """Whether a raw row of a landing file is about something that was erased."""
        if not self.erased_at:
            return False
        interaction_id = (raw.get("interaction_id") or "").strip()
        if interaction_id and self.holds(INTERACTION, interaction_id):
            return True
        customer_id = (raw.get("customer_id") or "").strip()
        until = self.customer_until(customer_id) if customer_id else None
        return until is not None and not self._lies_after(raw, until)

    def _lies_after(self, raw: dict[str, str | None], until: datetime) -> bool:
        text = next((raw[c] for c in _TIMES if raw.get(c)), None)
        try:
            value = datetime.fromisoformat((text or "").strip())
        except ValueError:
            return False
        return (value if value.tzinfo else value.replace(tzinfo=self.zone)) > until
