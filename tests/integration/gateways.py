"""Gateways in front of a bridge: nginx and haproxy as they are installed on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

# The host, and the path if it is not `/`, that clients use; and the rest of the server block of nginx.
NGINX = {
    "the defaults": ("", "location / { proxy_pass http://{bridge}; }"),
    "another Host": ("", "location / { proxy_pass http://{bridge}; proxy_set_header Host internal.example; }"),
    "a prefix taken off": (
        "/ins/v1",
        "location /ins/v1/ { proxy_pass http://{bridge}/; proxy_set_header Host $http_host; }",
    ),
    "a hidden context path": ("", "location / { proxy_pass http://{context}/context/; }"),
    "the end of TLS": ("", "location / { proxy_pass http://{bridge}; proxy_set_header Host $http_host; }"),
}

# A bridge below /context, which its links name.
CONTEXT = """
server {
  listen {context};
  location /context/ {
    proxy_pass http://{bridge}/;
    sub_filter_types application/json;
    sub_filter_once off;
    sub_filter /BillingInfoAPI /context/BillingInfoAPI;
  }
}
"""

HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend gateway
  bind {listen} ssl crt {pem}
  default_backend bridge
backend bridge
  server bridge {bridge}
"""


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, and a file with it and its key, as gateways read it."""
    key, certificate, pem = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *names]
    subprocess.run([*command, "-days", "1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    pem.write_text(certificate.read_text() + key.read_text())
    return certificate, pem


def free_address() -> str:
    """An address on loopback that no server listens at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{unused.getsockname()[1]}"


def require(program: str) -> None:
    """Skip the test without this program; in CI, fail."""
    if shutil.which(program) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"needs {program} (Debian: nginx-light, haproxy, squid, tinyproxy, nodejs, npm)"
        )


def listening(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as tried:
        return tried.connect_ex((host, int(port))) == 0


@contextmanager
def running(command: list[str], *addresses: str, **options: Any) -> Iterator[None]:
    """Run a server until the block ends; it must listen at the addresses within 60 s. The options are those of Popen."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    try:
        end = time.monotonic() + 60
        while not all(map(listening, addresses)):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < end, command
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def nginx(bridge: str, pem: Path, folder: Path) -> Iterator[dict[str, str]]:
    """The URL of each gateway in NGINX in front of a bridge, which is given as host and port."""
    require("nginx")
    context, urls, blocks, addresses = free_address(), {}, [CONTEXT], []
    for name, (path, block) in NGINX.items():
        tls = name == "the end of TLS"
        addresses.append(address := free_address())
        urls[name] = f"{'https' if tls else 'http'}://{address}{path}"
        listen = (
            f"listen {address} ssl; ssl_certificate {pem}; ssl_certificate_key {pem};" if tls else f"listen {address};"
        )
        blocks.append(f"server {{ {listen} {block} }}")
    paths = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    servers = "\n".join(blocks).replace("{bridge}", bridge).replace("{context}", context)
    user = "user root;\n" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"{user}daemon off; pid {folder}/pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off;\n{paths}{servers}\n}}\n"
    )
    with running(["nginx", "-p", str(folder), "-c", str(configuration)], context, *addresses):
        yield urls


@contextmanager
def haproxy(bridge: str, pem: Path, folder: Path) -> Iterator[dict[str, str]]:
    """The URL of haproxy in front of a bridge, where TLS ends."""
    require("haproxy")
    address = free_address()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(HAPROXY.format(listen=address, pem=pem, bridge=bridge))
    with running(["haproxy", "-db", "-f", str(configuration)], address):
        yield {"haproxy": f"https://{address}"}


@contextmanager
def all_gateways(bridge: str, pem: Path, folder: Path) -> Iterator[dict[str, str]]:
    """The URLs of all of them."""
    with ExitStack() as stack:
        found = stack.enter_context(nginx(bridge, pem, folder))
        yield found | stack.enter_context(haproxy(bridge, pem, folder))
