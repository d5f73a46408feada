"""The variables that make clients use the proxy and trust its certificates."""

import shlex
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from ssl import DER_cert_to_PEM_cert

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
from cryptography.utils import CryptographyDeprecationWarning

_DIRECT = "localhost,127.0.0.1,::1"
_OTHERS = ("ALL_PROXY", "all_proxy", "no_proxy", "http_proxy", "https_proxy")
"""What could lead past the proxy, before the small spellings are set anew."""
_JAVA = "JAVA_TOOL_OPTIONS"
"""Every virtual machine of Java reads it, however it is started, and says so on standard error."""


@dataclass(frozen=True)
class Certificates:
    """Files of authorities for clients to trust."""

    alone: Path
    """Ours, for clients that add it to theirs."""
    bundle: Path
    """Ours and the public ones, for clients that take one file."""
    trust_store: Path
    """The same for Java, in PKCS #12 without a password."""


def write_certificates(folder: Path, authority: bytes) -> Certificates:
    """Write them for our authority, which is given in PEM."""
    written = Certificates(folder / "ca.pem", folder / "ca-bundle.pem", folder / "ca-bundle.p12")
    public = httpx.create_ssl_context().get_ca_certs(binary_form=True)  # or what SSL_CERT_FILE names, in a company
    written.alone.write_bytes(authority)
    written.bundle.write_text("".join([authority.decode(), *map(DER_cert_to_PEM_cert, public)]))
    known = [pkcs12.PKCS12Certificate(one, str(number).encode()) for number, one in enumerate(_read(public))]
    ours = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(authority), b"orchestrator")
    written.trust_store.write_bytes(pkcs12.serialize_java_truststore([ours, *known], NoEncryption()))
    return written


def _read(certificates: Iterable[bytes]) -> Iterator[x509.Certificate]:
    """Those that can be read: old authorities do not keep to every rule."""
    with warnings.catch_warnings(action="ignore", category=CryptographyDeprecationWarning):
        for certificate in certificates:
            with suppress(ValueError):
                yield x509.load_der_x509_certificate(certificate)


def variables(port: int, certificates: Certificates, inherited: Mapping[str, str]) -> dict[str, str]:
    """By name. curl reads `http_proxy` in small letters alone, twilio-node HTTP_PROXY, and that for https too."""
    proxies = dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY"], f"http://127.0.0.1:{port}") | {"NO_PROXY": _DIRECT}
    bundles = dict.fromkeys(["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"], str(certificates.bundle))
    return {
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        **bundles,
        _JAVA: " ".join([*filter(None, [inherited.get(_JAVA)]), *_java(port, certificates.trust_store)]),
        "NODE_EXTRA_CA_CERTS": str(certificates.alone),
        "NODE_USE_ENV_PROXY": "1",
    }


def _java(port: int, trust_store: Path) -> Iterator[str]:
    """Options for what Java reads no variables for. The later of two counts; this machine is reached directly as is."""
    for scheme in ("http", "https"):
        yield f"-D{scheme}.proxyHost=127.0.0.1"
        yield f"-D{scheme}.proxyPort={port}"
    yield shlex.quote(f"-Djavax.net.ssl.trustStore={trust_store}")
    yield "-Djavax.net.ssl.trustStoreType=PKCS12"


def environment(inherited: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """What the command gets."""
    return {name: value for name, value in inherited.items() if name not in _OTHERS} | dict(added)
