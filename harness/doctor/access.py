"""Checks of what the suite needs to make a running device act: secrets, host names, the login at its control port."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.device import Profile
from harness.device.launch import Launch
from harness.device.process import redacted
from harness.device.profile.secrets import all_confidential_texts
from harness.device.stimuli.base import StimulusContext
from harness.doctor.check import Check
from harness.errors import DeviceError, ProfileError
from harness.net.address import Address, family_of

LOGIN_S: Final = 3.0
RESOLVE_S: Final = 5.0
"""Seconds: what a resolver usually waits for one server."""


def secret_checks(profile: Profile) -> Iterator[Check]:
    """Whether every secret that the profile declares can be read now."""
    name = f"{profile.name}: secrets"
    broken = False
    for secret in profile.secrets:
        try:
            profile.secret(secret)
        except ProfileError as error:
            broken = True
            yield Check(name, "problem", error.cause, error.hint)
    if profile.secrets and not broken:
        yield Check(name, "ok", f"{', '.join(profile.secrets)}: can be read")


def name_checks(profile: Profile) -> Iterator[Check]:
    """Whether DNS knows the host names of the profile's URLs: a name that takes long is a call that is not placed."""
    for host in sorted(_names(profile)):
        name, found = f"{profile.name}: DNS", _resolved(host)
        todo = f"getent hosts {host} asks the same; write a number instead, or add the name to /etc/hosts"
        if found is None:
            yield Check(name, "problem", f"DNS does not answer for {host} in {RESOLVE_S:g} s (/etc/resolv.conf)", todo)
        elif isinstance(found, socket.gaierror):
            why = "DNS does not answer" if found.errno == socket.EAI_AGAIN else "DNS knows no address"
            yield Check(name, "problem", f"{why} for {host}: {found.strerror}", todo)
        else:
            yield Check(name, "ok", f"{host} is {found}")


def control_checks(profile: Profile) -> Iterator[Check]:
    """Whether the control port of a device that is running already can be reached, and takes the profile's login.

    A device that the suite starts has none yet, and one without an address (``{registered}``) has no place for one.
    """
    stimulus = profile.stimulus
    if profile.process is not None or not stimulus.has_control or "{" in profile.lab.address:
        return
    name = f"{profile.name}: {stimulus.kind}"
    try:
        asyncio.run(_log_in(profile))
    except ProfileError:
        return  # a secret, which has a finding of its own
    except DeviceError as error:
        yield Check(name, "problem", redacted(error.cause, all_confidential_texts(profile)), error.hint)
    except (OSError, TimeoutError) as error:
        why = f"nothing answers there in {LOGIN_S:g} s" if isinstance(error, TimeoutError) else str(error)
        todo = "is it on, is the interface enabled there, does a firewall or an access list keep this machine out?"
        yield Check(name, "problem", f"the control port that [stimulus] names cannot be used: {why}", todo)
    else:
        yield Check(name, "ok", "the control port that [stimulus] names can be used")


async def _log_in(profile: Profile) -> None:
    address, folder = Address.parse(profile.lab.address), Path()
    values = Launch(profile, folder, sys.executable, address, None, None).values
    stimulus = profile.stimulus.make(
        StimulusContext(profile.name, address, folder, values=values, secret=profile.secret)
    )
    try:
        async with asyncio.timeout(LOGIN_S):
            await stimulus.probe(LOGIN_S)
    finally:
        await stimulus.close()


def _names(profile: Profile) -> set[str]:
    """The hosts of the URLs of ``[stimulus]`` that are neither numbers nor placeholders."""
    section = profile.stimulus
    texts = [text for act in section.acts for text in getattr(section, "texts", lambda _act: ())(act)]
    hosts = {urllib.parse.urlsplit(text).hostname or "" for text in texts if text.lower().startswith("http")}
    return {host for host in hosts if host and "{" not in host and family_of(host) is None}


def _resolved(host: str) -> str | socket.gaierror | None:
    """The first address of ``host``, the error of the resolver, or None if it says nothing in time."""
    answers: list[str | socket.gaierror] = []

    def ask() -> None:
        try:
            answers.append(str(socket.getaddrinfo(host, None)[0][4][0]))
        except socket.gaierror as error:
            answers.append(error)

    # The resolver knows no deadline: whoever waits for it waits as long as /etc/resolv.conf says.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(RESOLVE_S)
    return answers[0] if answers else None
