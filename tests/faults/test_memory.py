"""What a large download costs in memory, measured in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.server import FaultServer, Reply
from faults.tables import say

MB = 2**20
CHILD = """
import asyncio, resource, sys
from pathlib import Path
from klingo1.client import Client

async def main(base, to):
    def peak():
        status = Path("/proc/self/status")
        if status.exists():  # ru_maxrss begins with what the parent had
            return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with Client("key0", base_url=base) as client:
        await client.balance()
        before = peak()
        await client.download(f"{base}/output/big.mp4", Path(to), limit=3 * 2**30)
        print(int(peak() - before))

asyncio.run(main(*sys.argv[1:]))
"""


def huge_film(size):
    """A film of `size` bytes that nobody holds in memory: ftyp, one 64-bit mdat, moov."""
    head = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x01mdat" + (size - 24).to_bytes(8, "big")
    tail = b"\0\0\0\x08moov"
    block = bytes(MB)

    def body():
        yield head
        left = size - len(head) - len(tail)
        while left:
            step = min(left, MB)
            yield block[:step]
            left -= step
        yield tail

    return Reply(200, body, {"Content-Length": str(size), "ETag": '"big"', "Content-Type": "video/mp4"})


@pytest.mark.skipif(os.name != "posix", reason="peak memory is read as POSIX tells it")
@pytest.mark.parametrize("size", [200 * MB, pytest.param(2048 * MB, marks=pytest.mark.soak)])
def test_f36_memory_stays_flat(tmp_path, size):
    """A body of 200 MB (2 GB in the long form) adds at most 50 MB to the peak."""
    with FaultServer(faults={"download": [huge_film(size)]}) as server:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, server.url, str(tmp_path / "big.mp4")],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-500:]
        assert (tmp_path / "big.mp4").stat().st_size == size
        (tmp_path / "big.mp4").unlink()
        grown = int(done.stdout)
        say(f"{size // MB} MB fetched: peak memory +{grown / MB:.1f} MB")
        assert 0 < grown <= 50 * MB
