"""``[secrets]`` of a profile: where a secret is kept, and reading it from there."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, model_validator

from harness.device.tables.values import Line, Section
from harness.errors import ProfileError

LARGEST: Final = 64 * 1024
"""Bytes of a secret's file."""


def _secret_name(key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
        raise ValueError("expected a name of letters, digits and underscores")
    return key


def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("expected the name of an environment variable")
    return name


def _reference(value: object) -> object:
    # Checked before pydantic sees the value: it may be the secret itself, which no message may repeat.
    if not isinstance(value, dict):
        raise ValueError('expected { env = "VARIABLE" } or { file = "path" }: a profile says where a secret is kept')
    return value


class SecretReference(Section):
    """``[secrets]``: the place of a password, one of the two.  It is read when needed and blanked in all output."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Annotated[str, AfterValidator(_variable)] | None = None
    """A variable of the suite's environment."""
    file: Line | None = None
    """A file with the password as its only line, relative to the profile's folder and not readable by others."""

    @model_validator(mode="after")
    def _one(self) -> SecretReference:
        if (self.env is None) == (self.file is None):
            raise ValueError('expected either { env = "VARIABLE" } or { file = "path" }')
        return self

    def __str__(self) -> str:
        return f"the environment variable {self.env}" if self.env is not None else f"the file {self.file}"


SecretName = Annotated[str, AfterValidator(_secret_name)]
Reference = Annotated[SecretReference, BeforeValidator(_reference)]


def read_secret(source: Path, name: str, reference: SecretReference) -> str:
    """The secret; ProfileError with ``source``, the key and the variable or file if it cannot be read."""
    key = f"{source}: secrets.{name}"
    value = _of_variable(key, reference.env) if reference.env is not None else _of_file(key, source, reference.file)
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ProfileError(f"{key}: expected one line without control characters", f"look at {reference}")
    return value


def _of_variable(key: str, variable: str) -> str:
    if value := os.environ.get(variable, ""):
        return value
    state = "is empty" if variable in os.environ else "is not set"
    raise ProfileError(f"{key}: the environment variable {variable} {state}", f"export {variable}=... before the run")


def _of_file(key: str, source: Path, name: str | None) -> str:
    path = source.parent / Path(name or "").expanduser()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ProfileError(f"{key}: {path} is no file", "name a file whose only line is the secret")
        if found.st_mode & stat.S_IROTH:
            raise ProfileError(f"{key}: every user of this machine can read {path}", f"chmod o-r {path}")
        if found.st_size > LARGEST:
            raise ProfileError(f"{key}: {path} is too large for a secret", "name a file whose only line is the secret")
        value = path.read_bytes().decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        hint = "the path is relative to the profile's folder; look at its permissions"
        raise ProfileError(f"{key}: {path} cannot be read: {error.strerror}", hint) from None
    except UnicodeDecodeError:
        raise ProfileError(f"{key}: {path} is not UTF-8 text", "name a file whose only line is the secret") from None
    if not value:
        raise ProfileError(f"{key}: {path} is empty", "write the secret into it, as its only line")
    return value
