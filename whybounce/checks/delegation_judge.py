"""What the reports of a zone's name servers amount to: which are lame, whether they agree, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whybounce.checks.dns_findings import SLOW_MS
from whybounce.checks.guard import shown
from whybounce.checks.name_servers import LAME, SHOWN_RECORDS, UNHEARD, ServerReport, State
from whybounce.checks.result import Fact, Finding, Severity
from whybounce.checks.zone_cut import ZoneCut

# "No reachable authority" and "network error" (RFC 8914 section 4): the resolver got through to none of the name servers.
EDE_UNREACHABLE = frozenset((22, 23))


@dataclass(frozen=True, slots=True)
class Servers:
    """`lame` are those that are no use, `answering` those in charge of the zone that answer; of the others nothing is known."""

    cut: ZoneCut
    reports: tuple[ServerReport, ...]
    lame: tuple[ServerReport, ...]
    answering: tuple[ServerReport, ...]

    @property
    def known(self) -> bool:
        """Something is known of at least one."""
        return bool(self.lame or self.answering)

    @property
    def all_lame(self) -> bool:
        return bool(self.lame) and not self.answering

    @property
    def all_silent(self) -> bool:
        return self.all_lame and all(report.state is State.SILENT for report in self.lame)

    @property
    def inconsistent(self) -> bool:
        """Their MX records differ. Serial numbers alone may, while a change is on its way."""
        return len({report.told for report in self.answering if report.told is not None}) > 1

    def findings(self, answered: bool) -> list[Finding]:
        """`answered`: the resolver has an answer, so that mail still gets through."""
        findings = []
        if self.lame:
            data: dict[str, Fact] = {
                "zone": self.cut.zone,
                "lame": [{"server": shown(report.host), "address": report.address, "reason": report.reason} for report in self.lame],
                "answering": [shown(report.host) for report in self.answering],
            }
            grave = Severity.ERROR if self.all_lame and not answered else Severity.WARNING
            findings.append(Finding("ns.lame", grave, data))
        if self.inconsistent:
            servers: list[Fact] = [report.fact() for report in self.answering if report.told is not None]
            findings.append(Finding("ns.inconsistent", Severity.WARNING, {"name": self.cut.name, "servers": servers}))
        return findings

    @property
    def slow(self) -> ServerReport | None:
        """The slowest that answers, where it is slow."""
        slowest = max(self.answering, key=lambda report: report.milliseconds, default=None)
        return slowest if slowest is not None and slowest.milliseconds >= SLOW_MS else None

    def facts(self) -> dict[str, Fact]:
        return {
            "zone": self.cut.zone,
            "name_servers": [report.fact() for report in self.reports],
            "name_server_count": len(self.cut.servers),
            "serials_differ": len({report.serial for report in self.answering if report.serial is not None}) > 1,
            "not_looked_at": [f"{shown(report.host)}: {report.reason}" for report in self.reports if report not in self.lame + self.answering]
            or ([self.why_not_asked()] if not self.reports else []),
        }

    def lame_sentence(self) -> str:
        """`ns1.example.com (refuses to answer) and ns2.example.com (does not answer)`"""
        parts = [f"{shown(report.host)} ({_why(report)})" for report in self.lame]
        return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

    def differences(self) -> str:
        """What the servers say, each different answer once."""
        told: dict[frozenset[str], str] = {}
        for report in self.answering:
            if report.told is not None:
                told.setdefault(report.told, report.host)
        return "; ".join(f"{shown(host)} says {_records(records)}" for records, host in told.items())

    def why_not_asked(self) -> str:
        if not self.cut.servers:
            return "they are not known"
        return "; ".join(f"{shown(report.host)}: {report.reason}" for report in self.reports)


def judge_servers(cut: ZoneCut, reports: Sequence[ServerReport]) -> Servers:
    """Silence tells against a server only where others could be asked from here; a network that lets no questions through silences all."""
    heard = cut.reached or any(report.heard for report in reports)
    lame = tuple(report for report in reports if report.state in LAME and (heard or report.state not in UNHEARD))
    return Servers(cut, tuple(reports), lame, tuple(report for report in reports if report.state is State.OK))


def _why(report: ServerReport) -> str:
    return f"{report.address} {report.reason}" if report.address else report.reason


def _records(records: frozenset[str]) -> str:
    return ", ".join(shown(record) for record in sorted(records)[:SHOWN_RECORDS]) or "that there are none"
