"""Certificates that name SIP domains by URI (RFC 5922 4): ``trustme`` knows domains and addresses only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)


def naming_uris(signer: trustme.CA, uris: Iterable[str]) -> trustme.LeafCert:
    """A certificate whose subjectAltName has ``uris`` alone, signed by ``signer``; good from yesterday for a year."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.load_pem_x509_certificate(signer.cert_pem.bytes())
    signing = serialization.load_pem_private_key(signer.private_key_pem.bytes(), password=None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "sipverdict")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - _DAY)
        .not_valid_after(datetime.now(UTC) + 365 * _DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(map(x509.UniformResourceIdentifier, uris)), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return trustme.LeafCert(private, made.public_bytes(serialization.Encoding.PEM), [])
