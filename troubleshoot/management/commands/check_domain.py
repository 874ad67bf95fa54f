"""`manage.py check_domain [DOMAIN]`: the live checks that the given facts allow."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from knowledge.current import knowledge
from troubleshoot.checking import new_tools
from whybounce.checks.guard import DomainError, is_address, parse_domain, shown
from whybounce.checks.registry import CHECKS
from whybounce.checks.resolver import Resolver, parse_nameserver
from whybounce.checks.result import CheckResult, Subject
from whybounce.checks.runner import run
from whybounce.checks.tools import SmtpMode, Tools
from whybounce.failure import domain_of


class Command(BaseCommand):
    help = "Looks at DNS for a domain, a recipient or a sending IP address, and says what is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("domain", nargs="?", default="", metavar="DOMAIN", help="the domain that receives or sends the mail")
        parser.add_argument("--recipient", default="", metavar="ADDR", help="a recipient; its domain is looked at where DOMAIN is left out")
        parser.add_argument("--sending-ip", default="", metavar="IP", help="the address from which the mail was sent")
        parser.add_argument("--mail-from", default="", metavar="ADDR", help="the envelope sender (default: one at DOMAIN)")
        parser.add_argument("--from", dest="header_from", default="", metavar="ADDR", help="the address in the From header")
        parser.add_argument("--helo", default="", metavar="NAME", help="the EHLO name")
        parser.add_argument("--selector", nargs="+", action="extend", default=[], metavar="SELECTOR[@DOMAIN]", help="DKIM selectors to look at")
        parser.add_argument("--dnsbl", nargs="+", action="extend", metavar="ZONE", help="blocklists to ask instead of the shipped ones")
        parser.add_argument("--message-size", type=_octets, metavar="BYTES", help="the size of the message")
        parser.add_argument("--smtp", choices=list(SmtpMode), help="how far to speak with the mail servers")
        parser.add_argument("--nameserver", metavar="HOST[:PORT]", help="ask this name server instead of the system's")
        parser.add_argument("--only", metavar="CHECKS", help=f"names with commas between, of: {', '.join(CHECKS)}")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        subject = _subject(options)
        names = _names(options["only"], subject)
        tools = _tools(options)
        started = time.monotonic()
        results, queries = asyncio.run(_look(names, subject, tools))
        elapsed_ms = round((time.monotonic() - started) * 1000)
        if options["json"]:
            checks = [dataclasses.asdict(result) for result in results]
            self.stdout.write(
                json.dumps({"subject": _plain(subject), "elapsed_ms": elapsed_ms, "queries": queries, "checks": checks}, ensure_ascii=False)
            )
            return
        for result in results:
            self.stdout.write(f"{result.state.upper():<8}{result.check}: {result.answer}. {result.detail}")
            for finding in result.findings:
                self.stdout.write(f"        {finding.severity}: {finding.finding} {shown(json.dumps(finding.data, ensure_ascii=False))}")
        for check in CHECKS.values():
            if check.name not in names and not options["only"]:
                self.stdout.write(f"-       {check.name}: not run. {check.needs(subject)}")


def _subject(options: dict[str, Any]) -> Subject:
    domain = options["domain"] or domain_of(options["recipient"])
    try:
        domain = parse_domain(domain) if domain else ""
    except DomainError as error:
        raise CommandError(str(error), returncode=2) from error
    address = options["sending_ip"].strip("[]")
    if address and not is_address(address):
        raise CommandError(f"{shown(address)} is no IP address.", returncode=2)
    if not (domain or address):
        raise CommandError("Name a domain, a recipient or a sending IP address.", returncode=2)
    mail_from = options["mail_from"] or (f"postmaster@{domain}" if domain and address else "")
    return Subject(
        domain=domain,
        recipient=options["recipient"],
        sending_ip=address,
        mail_from=mail_from,
        header_from=options["header_from"],
        helo=options["helo"],
        selectors=tuple(options["selector"]),
        message_size=options["message_size"],
    )


def _names(only: str | None, subject: Subject) -> list[str]:
    wanted = [name.strip() for name in only.split(",")] if only else list(CHECKS)
    for name in wanted:
        if name not in CHECKS:
            raise CommandError(f"There is no check {shown(name)!r}; there are {', '.join(CHECKS)}.", returncode=2)
    able = [name for name in wanted if not CHECKS[name].needs(subject)]
    if not able:
        raise CommandError("Nothing to look at: " + "; ".join(CHECKS[name].needs(subject) for name in wanted), returncode=2)
    return able


def _octets(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is no number of bytes")
    return int(text)


def _tools(options: dict[str, Any]) -> Tools:
    tools = new_tools(knowledge(), zones=options["dnsbl"])
    if options["nameserver"]:
        try:
            servers = [parse_nameserver(options["nameserver"])]
        except ValueError as error:
            raise CommandError(
                f"{shown(options['nameserver'])} is no name server: an IP address, with :PORT after it if need be.", returncode=2
            ) from error
        tools.resolver = Resolver(servers, allow_networks=settings.WHYBOUNCE_ALLOW_NETWORKS)
    if options["smtp"]:
        tools.reach = dataclasses.replace(tools.reach, smtp=SmtpMode(options["smtp"]))
    return tools


async def _look(names: list[str], subject: Subject, tools: Tools) -> tuple[list[CheckResult], int]:
    async with tools:
        found = {result.check: result async for result in run(names, subject, tools)}
        return [found[name] for name in names], tools.resolver.queries


def _plain(subject: Subject) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(subject).items() if value}
