"""The variables that make clients use the proxy and trust its certificates."""

from collections.abc import Mapping
from pathlib import Path
from ssl import DER_cert_to_PEM_cert

import httpx

_DIRECT = "localhost,127.0.0.1,::1"
_OTHERS = ("ALL_PROXY", "all_proxy", "no_proxy", "http_proxy", "https_proxy")
"""What could lead past the proxy, before the small spellings are set anew."""


def write_certificates(folder: Path, authority: bytes) -> tuple[Path, Path]:
    """Our authority alone, for clients that add it to theirs; and with the public ones, for those that take one."""
    alone, bundle = folder / "ca.pem", folder / "ca-bundle.pem"
    alone.write_bytes(authority)
    public = httpx.create_ssl_context().get_ca_certs(binary_form=True)  # or what SSL_CERT_FILE names, in a company
    bundle.write_text("".join([authority.decode(), *map(DER_cert_to_PEM_cert, public)]))
    return alone, bundle


def variables(port: int, alone: Path, bundle: Path) -> dict[str, str]:
    """By name. curl reads `http_proxy` in small letters alone, twilio-node HTTP_PROXY, and that for https too."""
    proxies = dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY"], f"http://127.0.0.1:{port}") | {"NO_PROXY": _DIRECT}
    bundles = dict.fromkeys(["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"], str(bundle))
    return {
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        **bundles,
        "NODE_EXTRA_CA_CERTS": str(alone),
        "NODE_USE_ENV_PROXY": "1",
    }


def environment(inherited: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """What the command gets."""
    return {name: value for name, value in inherited.items() if name not in _OTHERS} | dict(added)
