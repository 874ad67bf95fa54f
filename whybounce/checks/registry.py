"""The checks there are. A new check is one module and one line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from whybounce.checks import mx, spf
from whybounce.checks.result import CheckResult, DeclaredAnswer, Subject
from whybounce.checks.tools import Tools


@dataclass(frozen=True, slots=True)
class Check:
    """
    name      as in the contract ("mx")
    answers   all it can ever answer; the question that names this check has exactly these
    needs     what the subject lacks for it to run: "" where it can run, else a sentence ("the recipient's domain")
    run       looks; never raises for what the network does
    """

    name: str
    answers: tuple[DeclaredAnswer, ...]
    needs: Callable[[Subject], str]
    run: Callable[[Subject, Tools], Awaitable[CheckResult]]


CHECKS: dict[str, Check] = {
    "mx": Check("mx", mx.ANSWERS, mx.needs, mx.run),
    "spf": Check("spf", spf.ANSWERS, spf.needs, spf.run),
}
