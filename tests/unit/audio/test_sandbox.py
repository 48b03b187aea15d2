import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import sandbox_jobs as jobs

from pipelines.audio.decode import BadRecording, DecodeLimits
from pipelines.audio.sandbox import Sandbox

LIMITS = DecodeLimits(max_duration_s=60.0, timeout_s=1.5, memory_mb=400)
ROOT = Path(__file__).resolve().parents[3]


def outcome(result: object) -> object:
    return result.reason if isinstance(result, BadRecording) else result


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in "ZX"
    except FileNotFoundError:
        return False


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not is_running(pid):
            return True
        time.sleep(0.05)
    return False


def test_every_item_comes_back_with_its_result():
    with Sandbox(2, LIMITS) as sandbox:
        assert dict(sandbox.map(jobs.double, range(20))) == {n: 2 * n for n in range(20)}
        assert list(sandbox.starmap(jobs.add, [(1, 2)])) == [((1, 2), 3)]


def test_a_crash_a_hang_and_a_kill_lose_only_their_items():
    expected = {
        "fine 1": "fine 1 is fine",
        "crash": "decoder_crashed",
        "hang": "timeout",
        "hang_in_c": "timeout",
        "killed": "out_of_memory",
        "exit": "decoder_crashed",
        "refuse": "not_audio",
        "fail": "measurement_failed",
        "fine 2": "fine 2 is fine",
    }
    with Sandbox(2, LIMITS) as sandbox:
        results = dict(sandbox.map(jobs.misbehave, expected))
        assert {item: outcome(result) for item, result in results.items()} == expected
        assert "KeyError" in results["fail"].detail
        assert results["refuse"].detail == "a poem"
        assert dict(sandbox.map(jobs.double, [1])) == {1: 2}


def test_a_memory_blow_up_loses_only_its_item():
    expected = {"swell": "out_of_memory", "swell_slowly": "out_of_memory", "fine": "fine is fine"}
    with Sandbox(1, DecodeLimits(timeout_s=60.0, memory_mb=400)) as sandbox:
        results = dict(sandbox.map(jobs.misbehave, expected))
    assert {item: outcome(result) for item, result in results.items()} == expected


def test_workers_live_on_and_are_replaced_after_their_share():
    with Sandbox(1, LIMITS, recycle_after=3) as sandbox:
        pids = [pid for _, pid in sandbox.map(jobs.process_id, range(7))]
    assert len(set(pids[:3])) == len(set(pids[3:6])) == 1
    assert len(set(pids)) == 3
    assert os.getpid() not in pids


def test_children_run_one_thread_each():
    with Sandbox(1, LIMITS) as sandbox:
        assert dict(sandbox.map(jobs.threads, [0]))[0] == {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def test_a_map_that_is_left_early_ends_its_hanging_child(tmp_path):
    with Sandbox(2, DecodeLimits(timeout_s=60.0)) as sandbox:
        results = sandbox.starmap(jobs.note_and_stay, [(tmp_path / "hangs", True), (tmp_path / "goes on", False)])
        next(results)
        while not (tmp_path / "hangs").exists():
            time.sleep(0.02)
        results.close()
        assert gone_within(int((tmp_path / "hangs").read_text()), 2.0)
        assert dict(sandbox.map(jobs.double, [4])) == {4: 8}
    assert gone_within(int((tmp_path / "goes on").read_text()), 2.0)


def test_items_are_drawn_only_as_workers_fall_idle():
    drawn = []

    def items():
        for n in range(100):
            drawn.append(n)
            yield n

    with Sandbox(2, LIMITS) as sandbox:
        results = sandbox.map(jobs.double, items())
        next(results)
        assert len(drawn) <= 4
        results.close()


def test_it_works_from_a_thread_and_refuses_two_maps_at_once():
    seen = []
    with Sandbox(1, LIMITS) as sandbox:
        thread = threading.Thread(target=lambda: seen.extend(sandbox.map(jobs.double, [1, 2])))
        thread.start()
        thread.join(30)
        assert sorted(seen) == [(1, 2), (2, 4)]
        first = sandbox.map(jobs.double, [1, 2])
        next(first)
        with pytest.raises(RuntimeError, match="already"):
            next(sandbox.map(jobs.double, [3]))
        first.close()


def test_arrays_come_back_as_they_were_and_can_be_written():
    shapes = ((30_000_000, 2), (0, 2), (3,))
    with Sandbox(1, LIMITS) as sandbox:
        ((_, (*found, every_second, text)),) = sandbox.map(jobs.arrays, [shapes])
    for array, expected in zip(found, jobs.arrays(shapes), strict=False):
        assert np.array_equal(array, expected)
    found[0][0, 0] = 7
    assert (every_second.tolist(), text) == ([0, 2, 4, 6, 8], "text")


def test_an_answer_is_sent_without_a_second_copy_of_it_in_the_child():
    # 240 MB of samples and 60 MB of modules within 400 MB
    with Sandbox(1, LIMITS) as sandbox:
        ((_, (samples, *_)),) = sandbox.map(jobs.arrays, [((60_000_000, 2),)])
    assert samples.shape == (60_000_000, 2)


def test_an_answer_that_cannot_be_sent_is_reported():
    with Sandbox(1, LIMITS) as sandbox:
        assert [outcome(r) for _, r in sandbox.map(jobs.not_to_be_sent, [1])] == ["measurement_failed"]


def test_an_item_that_cannot_be_sent_is_reported():
    with Sandbox(1, LIMITS) as sandbox:
        results = [outcome(r) for _, r in sandbox.map(jobs.double, [threading.Lock(), 5])]
    assert results == ["measurement_failed", 10]


def test_a_function_of_the_main_program_is_refused():
    def local(item):
        return item

    local.__module__ = "__main__"
    with Sandbox(1, LIMITS) as sandbox, pytest.raises(ValueError, match="__main__"):
        next(sandbox.map(local, [1]))


@pytest.mark.parametrize("job", ["hang", pytest.param("hang_in_c", marks=pytest.mark.slow)])
def test_children_end_when_the_parent_is_killed(tmp_path, job):
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path[:0] = {[str(ROOT), str(Path(__file__).parent)]!r}
        raise_if_imported_twice = open({str(tmp_path / "imports")!r}, "x")
        import sandbox_jobs as jobs
        from pipelines.audio.decode import DecodeLimits
        from pipelines.audio.sandbox import Sandbox
        with Sandbox(1, DecodeLimits(timeout_s=1.0)) as sandbox:
            for _, pid in sandbox.map(jobs.process_id, [0]):
                print(pid, flush=True)
            list(sandbox.map(jobs.misbehave, [{job!r}]))
        """)
    )
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone_within(child, 12.0)
