"""The attestation of a dossier: an in-toto statement (test-result v0.1) in a signed DSSE envelope."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from typing import Any, cast

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def canonical(value: Any) -> bytes:
    """``value`` as canonical JSON: sorted keys, ASCII, no blanks.  Equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def statement(digests: Mapping[str, str], predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The in-toto statement of ``predicate`` about the files with the SHA-256 ``digests``."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests)],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    }


def sign(payload: Mapping[str, Any], signer: CryptoSigner) -> bytes:
    """The signed envelope of ``payload``.  ed25519 signatures of equal bytes are equal."""
    envelope = Envelope(canonical(payload), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return canonical(envelope.to_dict()) + b"\n"


def open_envelope(content: bytes, key: SSlibKey) -> dict[str, Any]:
    """The statement in the envelope ``content``; ValueError with the reason if ``key`` did not sign it."""
    try:
        stored = json.loads(content)
        signatures = [str(one["keyid"]) for one in stored["signatures"]]
        envelope = Envelope.from_dict(stored)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ValueError("it is no DSSE envelope") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ValueError("its payload is no in-toto statement")
    if signatures != [key.keyid]:
        found = ", ".join(signatures)[:140] or "nobody"
        raise ValueError(f"it is signed by {found}, not by {key.keyid}")
    try:
        envelope.verify([key], 1)
    except VerificationError:
        raise ValueError("its signature is wrong: the payload is not what was signed") from None
    return _statement(envelope.payload)


def _statement(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
        kinds = (found["_type"], found["predicateType"])
        digests = {subject["name"]: subject["digest"]["sha256"] for subject in found["subject"]}
        predicate = found["predicate"]["sipverdict"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("its payload is no statement of sipverdict") from error
    if kinds != (STATEMENT_TYPE, PREDICATE_TYPE) or not isinstance(predicate, dict):
        raise ValueError("its payload is no test result")
    return cast("dict[str, Any]", found) | {"digests": digests}
