"""The tally of a log equals the ledger of who made it, in one piece or many, on any road into the program."""

from __future__ import annotations

import bz2
import gzip
import lzma
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.maillog import Ledger, Server, write
from tests.engine.knowledge import KNOWLEDGE
from whybounce.intake.logs import failure_of, parse_line
from whybounce.reasoning import rank
from whybounce.triage import Tally, read_logs, to_json
from whybounce.triage.clock import Clock
from whybounce.triage.lives import LATER, NO_NEWS, REFUSED, SENT, Fate, Reason, final_word
from whybounce.triage.reading import Reading
from whybounce.triage.reasons import Reasons
from whybounce.triage.running import Outcome

WRITTEN = datetime(2026, 11, 25, 12)
REASONS = Reasons(KNOWLEDGE)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ledger]:
    path = tmp_path_factory.mktemp("log") / "mail.log"
    return path, write(path, 3_000_000, start=datetime(2026, 11, 23, 22), rate=1.0)


def tally_of(*names: object, **options: object) -> Tally:
    outcome = read_logs([str(name) for name in names], KNOWLEDGE, **options)  # type: ignore[arg-type]
    assert not outcome.unreadable
    return outcome.tally


def counts(tally: Tally) -> dict[str, object]:
    """All that is counted: without examples and notes."""
    told = to_json(tally, KNOWLEDGE)
    for rows in (told["by_cause"], told["groups"]):
        for row in rows:
            row.pop("example")
    return {name: value for name, value in told.items() if name != "notes"}


def assert_equals_ledger(tally: Tally, ledger: Ledger) -> None:
    told = to_json(tally, KNOWLEDGE)
    for name in ("lines", "failures", "deferred", "delivered"):
        assert told[name] == getattr(ledger, name), name
    assert (told["first"], told["last"]) == (ledger.first, ledger.last)
    assert {" ".join(filter(None, (row["code"], row["enhanced"]))): row["count"] for row in told["by_code"] if row["count"]} == ledger.by_code
    for name in ("domain", "sender_domain", "sending_ip"):
        assert {row[name] or "": row["count"] for row in told[f"by_{name}"] if row["count"]} == dict(getattr(ledger, f"by_{name}")), name
    assert {row["domain"]: row["delivered"] for row in told["by_domain"] if row["delivered"]} == ledger.delivered_by_domain
    assert {row["domain"]: row["deferred"] for row in told["by_domain"] if row["deferred"]} == ledger.deferred_by_domain
    assert {row["hour"]: [row["count"], row["deferred"], row["delivered"]] for row in told["by_hour"]} == ledger.by_hour
    causes: dict[str, list[int]] = {}
    for key, number in ledger.by_reply.items():
        event = parse_line(ledger.examples[key])
        assert event is not None
        top = rank(KNOWLEDGE, failure_of(event)).top
        row = causes.setdefault(top.cause.slug if top else "", [0, 0])
        row[key.startswith("deferred")] += number
    assert {row["cause"]: [row["count"], row["deferred"]] for row in told["by_cause"]} == causes


def test_the_tally_equals_the_ledger(log: tuple[Path, Ledger]) -> None:
    path, ledger = log
    assert ledger.failures > 300
    assert ledger.deferred > 100
    tally = tally_of(path)
    assert_equals_ledger(tally, ledger)
    assert tally.bytes == path.stat().st_size


def test_so_it_does_with_iso_times(tmp_path: Path) -> None:
    path = tmp_path / "iso.log"
    ledger = write(path, 500_000, iso=True, rate=1.0)
    assert_equals_ledger(tally_of(path), ledger)


def test_several_processes_count_the_same(log: tuple[Path, Ledger], monkeypatch: pytest.MonkeyPatch) -> None:
    path, ledger = log
    monkeypatch.setattr("whybounce.triage.running._LEAST_PART", 400_000)
    assert_equals_ledger(tally_of(path, jobs=3), ledger)


def test_rotated_files_count_the_same_in_whatever_order_they_are_named(log: tuple[Path, Ledger], tmp_path: Path) -> None:
    path, ledger = log
    lines = path.read_bytes().splitlines(keepends=True)
    third = len(lines) // 3
    (tmp_path / "mail.log").write_bytes(b"".join(lines[2 * third :]))
    (tmp_path / "mail.log.1").write_bytes(b"".join(lines[third : 2 * third]))
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress(b"".join(lines[:third])))
    names = [tmp_path / name for name in ("mail.log", "mail.log.1", "mail.log.2.gz")]
    assert_equals_ledger(tally_of(*names), ledger)
    assert_equals_ledger(tally_of(*names, jobs=2), ledger)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_packed_log_counts_the_same(pack: object, log: tuple[Path, Ledger], tmp_path: Path) -> None:
    path, ledger = log
    packed = tmp_path / "packed"
    half = path.stat().st_size // 2
    data = path.read_bytes()
    packed.write_bytes(pack(data[:half]) + pack(data[half:]))  # type: ignore[operator]
    tally = tally_of(packed)
    assert_equals_ledger(tally, ledger)
    assert not [note for note in tally.notes if "years" not in note]


def pieces(data: bytes, cuts: list[int]) -> Iterator[Tally]:
    """The tallies of the pieces of a log, cut at these lines."""
    lines = data.splitlines()
    edges = [0, *sorted({cut % len(lines) for cut in cuts} - {0}), len(lines)]
    for position, (start, stop) in enumerate(pairwise(edges)):
        reading = Reading(REASONS, Clock(WRITTEN), position)
        reading.block(b"\n" + b"\n".join(lines[start:stop]))
        yield reading.finish()


SMALL = b"".join(Server(6, rate=0.002).lines(160_000))
WHOLE = counts(next(pieces(SMALL, [])).settled())


@settings(max_examples=60)
@given(st.lists(st.integers(0, 10_000), max_size=6), st.randoms(use_true_random=False))
def test_wherever_a_log_is_cut_and_however_the_pieces_are_merged_the_tally_is_the_same(cuts: list[int], chance: object) -> None:
    parts = list(pieces(SMALL, cuts))
    while len(parts) > 1:  # any two at a time: any order, any grouping
        one = parts.pop(chance.randrange(len(parts)))  # type: ignore[attr-defined]
        other = parts.pop(chance.randrange(len(parts)))  # type: ignore[attr-defined]
        parts.append(one.merge(other))
    assert counts(parts[0].settled()) == WHOLE


@settings(max_examples=30)
@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=2, unique=True))
def test_merging_is_associative_and_commutative(cuts: list[int]) -> None:
    parts = list(pieces(SMALL, cuts))
    a, b, c = [*parts, Tally(), Tally()][:3]
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == c.merge(a).merge(b)


def test_a_small_log_has_all_that_can_straddle_a_cut() -> None:
    for words in (b"status=deferred", b"status=expired", b"status=bounced", b"orig_to=", b" 450 4.2.0 "):
        assert SMALL.count(words) > 1, words


def lines_tally(*lines: str, **options: object) -> Outcome:
    reading = Reading(REASONS, Clock(WRITTEN), **options)  # type: ignore[arg-type]
    reading.block("".join("\n" + line for line in lines).encode())
    return Outcome(reading.finish().settled(), {})


def postfix(number: int, told: str, queue_id: str = "4ABC01234F", host: str = "mx1") -> str:
    return f"Nov 25 03:{number:02d}:00 {host} postfix/smtp[1]: {queue_id}: {told}"


def attempt(number: int, status: str, to: str = "anna@example.net", **where: str) -> str:
    said = {"sent": "250 OK", "bounced": "host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
            "deferred": "host mx.example.net[192.0.2.1] said: 451 4.2.0 Try later (in reply to RCPT TO command)"}[status]  # fmt: skip
    return postfix(number, f"to=<{to}>, relay=mx.example.net[192.0.2.1]:25, delay=1, dsn=5.1.1, status={status} ({said})", **where)


def numbers(*lines: str) -> tuple[int, int, int]:
    tally = lines_tally(*lines).tally
    return tally.failures, tally.deferred, tally.delivered


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["deferred"] * 5, (0, 1, 0)),
        (["deferred"] * 5 + ["bounced"], (1, 0, 0)),
        (["deferred"] * 5 + ["sent"], (0, 0, 1)),
        (["bounced", "deferred"], (1, 0, 0)),
        (["bounced", "sent"], (0, 0, 1)),
        (["sent", "sent"], (0, 0, 1)),
    ],
)
def test_retries_of_one_message_count_once(states: list[str], expected: tuple[int, int, int]) -> None:
    assert numbers(*(attempt(n, state) for n, state in enumerate(states))) == expected


def test_an_expired_message_failed_for_its_last_reason() -> None:
    told = to_json(
        lines_tally(attempt(1, "deferred"), postfix(9, "from=<a@sender.example>, status=expired, returned to sender"), postfix(9, "removed")).tally,
        KNOWLEDGE,
    )
    assert (told["failures"], told["deferred"]) == (1, 0)
    assert told["by_code"] == [{"code": "451", "enhanced": "4.2.0", "count": 1, "deferred": 0}]
    assert told["by_sender_domain"][0]["sender_domain"] == "sender.example"


@pytest.mark.parametrize("end", [postfix(2, "removed"), postfix(2, "message-id=<2@client.example>")])
def test_a_queue_id_that_is_used_again_is_another_message(end: str) -> None:
    assert numbers(attempt(1, "bounced"), end, attempt(3, "bounced")) == (2, 0, 0)


def test_the_same_queue_id_on_two_hosts_is_two_messages() -> None:
    assert numbers(attempt(1, "bounced"), attempt(2, "bounced", host="mx2")) == (2, 0, 0)


def test_another_recipient_is_another_failure() -> None:
    assert numbers(attempt(1, "bounced"), attempt(1, "bounced", to="bert@example.net"), attempt(2, "bounced", to="ANNA@example.net")) == (2, 0, 0)


def refused(number: int, code: str, to: str = "b@example.com", day: int = 25) -> str:
    return (
        f"Nov {day} 03:{number:02d}:00 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.11]: {code} <{to}>: Relay access denied;"
        f" from=<a@example.net> to=<{to}> proto=ESMTP helo=<x>"
    )


def test_each_refusal_for_good_counts_and_each_client_that_is_told_to_come_again_once_a_day() -> None:
    assert numbers(refused(1, "554 5.7.1"), refused(2, "554 5.7.1")) == (2, 0, 0)
    assert numbers(refused(1, "454 4.7.1"), refused(2, "454 4.7.1"), refused(3, "454 4.7.1", "c@example.com")) == (0, 2, 0)
    assert numbers(refused(1, "454 4.7.1", day=24), refused(2, "454 4.7.1")) == (0, 2, 0)
    assert numbers(refused(1, "454 4.7.1"), refused(1, "454 4.7.1").replace(" 03:", " 05:")) == (0, 1, 0)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((LATER, REFUSED), 1),
        ((REFUSED, LATER), 0),
        ((REFUSED, SENT), 1),
        ((SENT, REFUSED), 1),
        ((LATER, LATER), 1),
        ((LATER, NO_NEWS), 0),
        ((NO_NEWS, LATER), 1),
    ],
)
def test_the_final_word_of_two_pieces(kinds: tuple[int, int], expected: int) -> None:
    fates = [Fate(kind, str(number), Reason("", "", "", "", "")) for number, kind in enumerate(kinds)]
    assert final_word(*fates) == fates[expected]


FATES = st.builds(Fate, st.sampled_from((NO_NEWS, LATER, REFUSED, SENT)), st.text("0123456789", max_size=2), st.just(Reason("", "", "", "", "")))


@given(FATES, FATES, FATES)
def test_the_final_word_does_not_depend_on_grouping(a: Fate, b: Fate, c: Fate) -> None:
    assert final_word(final_word(a, b), c) == final_word(a, final_word(b, c))


def test_what_is_kept_is_bounded_and_what_was_left_out_is_said() -> None:
    lines = [attempt(n // 50, "deferred", queue_id=f"4ABC{n:06d}") for n in range(2000)]
    reading = Reading(REASONS, Clock(WRITTEN), most_open=100)
    for line in lines:
        reading.block(b"\n" + line.encode())
        assert sum(len(server.opened) + len(server.young) for server in reading._hosts.values()) <= 100
    tally = reading.finish().settled()
    assert tally.deferred == 2000
    assert tally.early > 1800
    assert any("open at once" in note for note in to_json(tally, KNOWLEDGE)["notes"])


def test_values_over_the_cap_are_added_up_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whybounce.triage.tally.MOST_VALUES", 10)
    tally = lines_tally(*(attempt(1, "bounced", to=f"a@d{n}.example", queue_id=f"4ABC{n:06d}") for n in range(50))).tally
    told = to_json(tally, KNOWLEDGE)
    assert len(told["by_domain"]) == 10
    assert told["capped"]["by_domain"]["count"] == 40
    assert told["failures"] == 50
    both = tally.merge(tally).tables["domain"]
    assert len(both.rows) == 10
    assert sum(row[0] for row in both.rows.values()) + both.under_cap[0] == 100


def test_lines_with_a_hostile_shape_take_linear_time() -> None:
    long = "to=<a@example.net>, " + "relay=x, delay=1, " * 50_000

    hostile = (postfix(1, long), postfix(1, "to=<" + "a>, relay=" * 100_000), postfix(1, "reject: RCPT from " + "; from=<" * 100_000))
    started = time.process_time()
    lines_tally(*hostile, "x" * 1_000_000)
    assert time.process_time() - started < 5
