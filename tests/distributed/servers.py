"""Real servers for the tests, child processes on free ports: S3 (moto), Redis, Postgres. Each ends with its block."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    """Whether somebody listens on the port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def child(arguments: list[str], is_up: Callable[[], bool], log: Path, **how) -> Iterator[subprocess.Popen]:
    """A server as a child process; RuntimeError with its own words where it is not up after a minute."""
    with log.open("ab") as out:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **how)
    try:
        deadline = time.monotonic() + 60
        while not is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{arguments[0]} did not come up:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server with the bucket `iqs`; yields the AWS_* variables that lead to it."""
    for module in ("boto3", "moto", "flask", "flask_cors"):
        if find_spec(module) is None:
            pytest.skip(
                f"no S3 server here: the package {module} is missing (pip install boto3 'moto[s3]' flask flask-cors)"
            )
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with child(command, lambda: answers(port), folder / "s3.log", env=os.environ | environment):
        import boto3

        client = boto3.client("s3", endpoint_url=address, aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="iqs")
        with urlopen(f"{address}/moto-api/"):  # it answers as itself, not another server on this port
            pass
        yield environment


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis server; yields its address. What it holds is in memory only."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed (apt-get install redis-server)")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with child(command, lambda: answers(port), folder / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A Postgres server with the database `dagster`; yields its address."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *filter(None, [shutil.which("initdb")])]
    if not found:
        pytest.skip("Postgres is not installed (apt-get install postgresql)")
    programs, port = Path(found[0]).resolve().parent, free_port()
    # Postgres refuses to run as root: then it runs as the user that its package made, who can't look into our folders.
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="iqs-postgres-") as data:
        if who:
            shutil.chown(data, "postgres", "postgres")
        make = [programs / "initdb", "-D", data, "-U", "dagster", "--auth=trust", "-E", "UTF8", "--locale=C"]
        done = subprocess.run([*map(str, make), "--no-sync"], capture_output=True, text=True, cwd="/", **who)
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")
        command = [str(programs / "postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data, "-F"]
        with child(command, lambda: answers(port), folder / "postgres.log", cwd="/", **who):
            create = [str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "dagster", "dagster"]
            subprocess.run(create, check=True, capture_output=True, cwd="/")
            yield f"postgresql://dagster@127.0.0.1:{port}/dagster"
