"""From a profile to a command: placeholders, configuration files, required modules and confidential texts."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import jinja2

from harness.device.process import DeviceProcess
from harness.device.profile import secrets
from harness.device.profile.models import Profile
from harness.device.tables.placeholders import FURTHER_EXCHANGES, fill
from harness.device.tables.sections import ProcessSection
from harness.errors import DeviceError, ProfileError
from harness.net.address import Address
from harness.paths import ROOT

_VERSION = r"(\d+(?:\.\d+)+\S*)"


class Launch:
    """One start of a device: the profile's templates with this start's values."""

    def __init__(
        self,
        profile: Profile,
        folder: Path,
        python: str,
        address: Address,
        backup: Address | None,
        peer: Address | None,
        exchanges: Sequence[Address] = (),
        resolver: Address | None = None,
        across: Address | None = None,
        inbound: Address | None = None,
        tls: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``tls``: the files of a device over TLS, ``certificate`` and ``authority``."""
        self._over_tls = bool(tls)
        self._profile = profile
        self._folder = folder
        self._python = python
        self._backup = backup
        self._resolver = resolver
        self._across = across
        self._inbound = inbound
        self.secrets = secrets.all_confidential_texts(profile)
        """The confidential texts, longest first."""
        self._secret = profile.secret
        self._values = {
            "python": python,
            "address": str(address),
            "transport": address.transport,
            **tls,
            "host": address.host,
            "port": str(address.port),
            "folder": str(folder),
            "here": str(profile.source.parent),
            "suite": str(ROOT),
            **({"backup": str(backup)} if backup else {}),
            **({"peer": str(peer)} if peer else {}),
            **dict(zip(("exchange", *FURTHER_EXCHANGES), map(str, exchanges), strict=False)),
            **({"other_address": str(across)} if across else {}),
            **({"inbound_address": str(inbound), "inbound_transport": inbound.transport} if inbound else {}),
            **({"resolver": str(resolver), "resolver_host": resolver.host} if resolver else {}),
        }

    def argv(self, section: ProcessSection, faults: Sequence[str]) -> list[str]:
        """The command line, with backup address, name server, further addresses and faults if there are any."""
        parts = [
            *section.argv,
            *(section.backup_argv if self._backup else ()),
            *(section.resolver_argv if self._resolver and self._profile.claims("dns") else ()),
            *(section.other_family_argv if self._across else ()),
            *(section.called_over_argv if self._inbound else ()),
            *(section.tls_argv if self._over_tls else ()),
        ]
        argv = [self._filled(part) for part in parts]
        return argv + [fill(part, {"fault": fault}) for fault in faults for part in section.fault_argv]

    def process(self, section: ProcessSection, argv: Sequence[str]) -> DeviceProcess:
        """The process of ``argv``, not started, with the profile's environment."""
        return DeviceProcess(
            self._profile.name,
            argv,
            folder=self._folder,
            env={name: self._filled(value) for name, value in section.env.items()},
            install=section.install,
            secrets=self.secrets,
            orphan_signal=section.orphan_signal,
        )

    @property
    def values(self) -> Mapping[str, str]:
        """The values of the profile's placeholders in this start."""
        return self._values

    def render(self, section: ProcessSection) -> None:
        """Write the profile's configuration files into the private folder; ProfileError if one cannot be."""
        source = self._profile.source
        # Configuration files are not HTML: no value is escaped, and a missing one is an error.
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(source.parent),
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,
        )
        known = {**self._values, "pixit": self._profile.pixit, "secret": secrets.Secrets(self._profile)}
        for file in section.files:
            try:
                text = environment.get_template(file).render(known)
            except jinja2.TemplateError as error:
                raise ProfileError(
                    f"{source.parent / file}: {error}",
                    f"it may use {', '.join(sorted(self._values))}, pixit and secret",
                ) from error
            target = self._folder / file.removesuffix(".j2")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600)  # it may hold a password
            target.write_text(text, "utf-8")

    def check_installed(self, section: ProcessSection) -> None:
        """DeviceError if a module is missing.  The modules of another interpreter are not checked."""
        if not self._same_python():
            return
        for module in section.modules:
            if find_spec(module) is None:
                raise DeviceError(
                    f"{self._profile.name} is not installed: {self._python} has no module {module!r}",
                    section.install or f"install what provides {module}",
                )

    async def ask_version(self) -> str | None:
        """The version that the product reports; None if it reports none."""
        section = self._profile.process
        if section and section.version_of and self._same_python():
            return _version_of(section.version_of)
        if section is None or not section.version:
            return None
        asked = self.process(section, [self._filled(part) for part in section.version])
        try:
            await asked.start()
            await asyncio.wait({asked.died}, timeout=self._profile.ready.timeout_s)
            await asked.heard_out()
            found = re.search(section.version_pattern or _VERSION, asked.tail(50))
        except DeviceError:
            return None
        finally:
            await asked.stop(0.1)
        return found[1] if found else None

    def _filled(self, text: str) -> str:
        return fill(text, self._values, self._secret)

    def _same_python(self) -> bool:
        return Path(self._python).absolute() == Path(sys.executable).absolute()  # links of two environments may meet


def _version_of(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return getattr(sys.modules.get(name), "__version__", None)
