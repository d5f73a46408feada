"""The proxy's private certificate authority. Its key stays on this machine, and it can vouch for twilio.com alone."""

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)
_LIFETIME = 365 * _DAY
"""Of everything that is signed here; some clients refuse certificates of more than 398 days."""
_LEFT = 7 * _DAY
"""A kept authority is replaced when it has less time than this."""
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Orchestrator proxy (this machine only)")])


@dataclass
class Authority:
    """Signs a certificate for each host that is asked for."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    @property
    def pem(self) -> bytes:
        """What clients have to trust."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def context(self, host: str) -> ssl.SSLContext:
        """The server side of TLS for a host."""
        if host not in self._contexts:
            self._contexts[host] = self._make_context(host)
        return self._contexts[host]

    def _make_context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory(prefix="orchestrator-proxy-") as folder:  # OpenSSL takes it from files only
            chain = Path(folder) / "chain.pem"
            chain.write_bytes(_pem(key) + self._sign(host, key).public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(chain)
        return context

    def _sign(self, host: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH]
        issuer = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = _builder(
            key, x509.Name([]), self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        )
        return (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def make_authority(now: datetime) -> Authority:
    """A new one, valid for a year, whose key is nowhere but in this process."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(key, _NAME, now - _DAY, now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName("twilio.com")], None), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def kept_authority(folder: Path, now: datetime) -> Authority:
    """The one that is kept in a folder of ours, made where there is none or its time is nearly over."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    path = folder / "ca-with-key.pem"
    authority = _read(path) if path.exists() else None
    if authority is None or authority.certificate.not_valid_after_utc < now + _LEFT:
        authority = make_authority(now)
        _write(path, _pem(authority.key) + authority.pem)
        _write(folder / "ca.pem", authority.pem)  # for those that have to be told of it by hand
    return authority


def _read(path: Path) -> Authority:
    text = path.read_bytes()
    key = serialization.load_pem_private_key(text, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Authority(key, x509.load_pem_x509_certificate(text))


def _write(path: Path, text: bytes) -> None:
    """Wholly or not at all: others may read it meanwhile."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # which nobody else may read
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    Path(draft).replace(path)


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
