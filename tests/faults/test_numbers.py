"""Every numbered fault has its tests; at least one of them judges a whole run by the common invariants."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from faults.tables import say

TESTS = Path(__file__).parents[1]
FAULTS = {
    1: "submit: refused, DNS, TLS, connect timeout",
    2: "submit: reset after the body, billed",
    3: "submit: closed at accept, not billed",
    4: "submit: read timeout, billed later",
    5: "submit: 500, 502, 503, 504 after billing",
    6: "submit: 502 without billing",
    7: "submit: 429 with 25 forms of Retry-After",
    8: "submit: clear refusals",
    9: "submit: an unreadable 200",
    10: "submit: an envelope's code under HTTP 200",
    11: "submit: redirects",
    12: "submit: ids that could be paths",
    13: "submit: the id is there, the ledger cannot be written",
    14: "submit: completed in the first answer",
    15: "submit: a stale kept connection",
    17: "upload: tickets and PUTs that fail",
    18: "upload: a ticket that points inwards",
    19: "upload: no key on the PUT",
    20: "upload: one of seven fails for good",
    21: "poll: unknown words",
    22: "poll: a run that never ends",
    23: "poll: an hour of outage",
    24: "poll: what is no answer",
    25: "poll: the key is rejected",
    26: "poll: an unknown run",
    27: "poll: 429 slows every job of the key",
    28: "poll: huge and dripping answers",
    29: "poll: outputs of every shape",
    30: "poll: ends with errors of every shape",
    31: "poll: completed, then another word",
    32: "poll: an answer about another run",
    33: "download: cuts and Range's misbehaviours",
    34: "download: a cut without a length",
    35: "download: expired addresses",
    36: "download: endless, packed, huge; disk full",
    37: "download: addresses inside",
    38: "download: the key goes to no output host",
    39: "clicks: one quote in 50 threads",
    40: "clicks: a quote used again",
    41: "clicks: two processes on one ledger",
    42: "money: 64 threads of 10 clicks under a cap",
    43: "money: tampered fields",
    44: "money: a changed price",
    45: "money: the clock is set back",
    46: "crash: ten moments and every submit fault",
    47: "crash: random kills",
    48: "crash: SIGTERM",
    49: "disk: full at each commit",
    50: "disk: corrupt, locked, read-only, newer",
    51: "scale: 10,000 rows",
    52: "scale: 1,000 unfinished rows at start",
    53: "keys: a canary is nowhere",
    54: "keys: spaces, newlines, emoji, quotes",
}
"""There is no F16; F55 and on concern visitors and hostile input, which are tested elsewhere."""


def numbered_tests():
    """By number: (function, whether it ends in the common invariants)."""
    found = defaultdict(list)
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            numbers = re.match(r"test((?:_f\d\d)+)_", node.name)
            for number in re.findall(r"\d\d", numbers[1]) if numbers else ():
                found[int(number)].append((node.name, _judges_a_run(node)))
    return found


def _judges_a_run(node):
    named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    runs = {argument.arg for argument in node.args.args} & {"run"}  # the fixture of test_runs, which judges
    return bool(runs or "check_invariants" in named)


def test_every_numbered_fault_is_tested_and_judged_by_a_whole_run():
    """F01 to F54: a test names each number, and one of its tests looks at bills, money, ids and secrets."""
    found = numbered_tests()
    assert [f"F{n:02}" for n in FAULTS if not found[n]] == []
    assert [f"F{n:02}" for n in FAULTS if not any(judged for _, judged in found[n])] == []
    lines = [
        f"F{n:02}  {len(found[n]):2} tests, {sum(judged for _, judged in found[n]):2} whole runs  {words}"
        for n, words in FAULTS.items()
    ]
    say("\n".join(lines))
