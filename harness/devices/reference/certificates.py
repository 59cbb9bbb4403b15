"""What a TLS client checks: who signed the certificate, its dates, and whom it names (RFC 5922 section 7)."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Sequence

from cryptography import x509

from .behaviour import Behaviour
from .sip_uri import SipUri, bare

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which Python has no name."""


class Contexts:
    """What TLS needs: a certificate of its own, and the authority of everybody else's (RFC 3261 26.3.1)."""

    def __init__(self, certificate: str, authority: str, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(certificate)
        self.client = ssl.create_default_context(cafile=authority)
        self.client.load_cert_chain(certificate)
        # Whom a certificate names is checked here: OpenSSL knows no SIP domains.
        self.client.check_hostname = False
        if not behaviour.checks_certificate_dates:
            self.client.verify_flags |= _NO_CHECK_TIME
        if not behaviour.checks_certificates:
            self.client.verify_mode = ssl.CERT_NONE

    def trusts(self, agreed: ssl.SSLObject, names: Sequence[str]) -> bool:
        """Say whether the certificate of the other end, which is valid, has one of these ``names``."""
        if not (self._behaviour.checks_certificates and self._behaviour.checks_certificate_names):
            return True
        shown = agreed.getpeercert(binary_form=True)
        known = identities(shown, by_uri=self._behaviour.knows_sip_domains) if shown else frozenset()
        return any(name.lower() in known for name in names)


def identities(shown: bytes, *, by_uri: bool = True) -> frozenset[str]:
    """Return whom a certificate names: SIP domains by URI, and only without any of those, domains and addresses (7.1).

    What a URI with a user names is no domain. ``by_uri``: whether URIs are read at all.
    """
    names = x509.load_der_x509_certificate(shown).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    domains = set()
    for text in names.get_values_for_type(x509.UniformResourceIdentifier) if by_uri else ():
        with contextlib.suppress(ValueError):
            uri = SipUri.parse(text)
            if uri.scheme.lower() == "sip" and uri.user is None:
                domains.add(bare(uri.host).lower())
    if domains:
        return frozenset(domains)
    addresses = map(str, names.get_values_for_type(x509.IPAddress))
    return frozenset((*map(str.lower, names.get_values_for_type(x509.DNSName)), *addresses))
