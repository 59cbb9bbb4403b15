"""The conformance statement: the content of a certificate as a document, in HTML and PDF with the same facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.device.tables.pics import PICS
from harness.evidence.certificate import Certificate, Decided
from harness.evidence.issue import Issue
from harness.model.printable import printable, short
from harness.paths import TEMPLATES

_LONGEST = 300


@dataclass(frozen=True)
class Facts:
    """The texts of the statement, in their order."""

    title: str
    subtitle: str
    sentence: str
    issue: tuple[tuple[str, str], ...]
    device: tuple[tuple[str, str], ...]
    test: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str], ...]
    decided: tuple[Decided, ...]
    switched_off: tuple[Decided, ...]
    beside: tuple[tuple[str, str, str], ...]
    """Purpose, verdict and reason of the non-passes outside the profile."""
    pics: tuple[tuple[str, str, bool], ...]
    """Key, sentence, claimed."""
    pixit: tuple[tuple[str, str], ...]
    key: str


def facts(certificate: Certificate, key: str, issue: Issue) -> Facts:
    """The statement about ``certificate``; ``key`` is the id of the key that signs its dossier."""
    device, suite = certificate.device, certificate.suite
    name = _said(device.name)
    warned = len(certificate.warnings)
    requirements = len({one.row.id for one in certificate.in_force})
    roles = len({one.role for one in certificate.in_force})
    met = (
        f"meets {certificate.profile.name}: {_number(requirements, 'requirement')} in {_number(roles, 'role')}, "
        f"{_number(certificate.checks, 'check')}"
    )
    return Facts(
        title="Conformance statement",
        subtitle=f"{name}: {certificate.profile.name}",
        sentence=f"{name} {met}{f', {warned} of the requirements with a warning' if warned else ''}.",
        issue=_pairs(
            ("certificate number", issue.number),
            ("issuer", issue.issuer),
            ("laboratory", issue.laboratory),
            ("issued", issue.issued),
            ("valid until", issue.expires),
            ("key id", key),
        ),
        device=_pairs(
            ("name", device.name),
            ("vendor", device.vendor),
            ("model", device.model),
            ("firmware, as declared", device.firmware),
            ("serial number", device.serial),
            ("version, as reported", certificate.version),
            ("roles", ", ".join(device.roles)),
            ("transports", ", ".join(device.transports)),
        ),
        test=_pairs(
            ("profile", f"{certificate.profile.name}: {certificate.profile.title}"),
            *(("tested" if there else "not tested", text) for text, there in certificate.positions),
            ("when", f"{certificate.began:%Y-%m-%d %H:%M:%S} to {certificate.ended:%Y-%m-%d %H:%M:%S} UTC"),
            ("asked", certificate.scope),
            ("window of silence", str(certificate.window)),
            ("ruling", certificate.ruling + (", strict: a violated SHOULD is a fail" if certificate.strict else "")),
            ("suite", f"sipverdict {suite['version']}, commit {suite['commit']}"),
            ("suite's files", f"SHA-256 {suite['digest']}"),
            ("mutants that the suite notices", suite["mutants"]),
            ("SIPp", suite["sipp"]),
            ("run", certificate.run),
            *_reported(certificate),
            *(("redress that it names", text) for text in certificate.redress),
        ),
        counts=tuple((label.replace("_", " "), str(count)) for label, count in certificate.counts.items()),
        decided=certificate.in_force,
        switched_off=tuple(one for one in certificate.decided if one not in certificate.in_force),
        beside=tuple((_said(l_.purpose), l_.verdict, _said(l_.reason)) for l_ in certificate.beside),
        pics=tuple((pic, PICS.get(pic, ""), claimed) for pic, claimed in sorted(device.pics.items())),
        pixit=_pairs(*device.pixit.items()),
        key=key,
    )


def _reported(certificate: Certificate) -> Iterator[tuple[str, str]]:
    """What the certificate rests on beside texts that anybody can read."""
    ids = dict.fromkeys(one.row.id for one in certificate.reported)
    if ids:
        why = "the text of ATIS-1000099 is not free; these requirements rest on reports of it that agree"
        yield "rests on reports", f"{', '.join(ids)}: {why}"


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _pairs(*pairs: tuple[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((_said(label), _said(value)) for label, value in pairs if value not in ("", None))


def _said(value: object) -> str:
    return short(str(value), _LONGEST)


def html(content: Facts) -> str:
    """The statement as one self-contained page without scripts."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable
    values: Mapping[str, Any] = {"content": content}
    return environment.get_template("statement.html.j2").render(values)
