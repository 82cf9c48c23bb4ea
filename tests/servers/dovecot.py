"""A real IMAP server on loopback: Dovecot in a temporary folder, without a service manager.

    server = Dovecot(tmp_path)
    server.start()
    account = server.account()          # a fresh user with an empty INBOX
    account.deliver(b"Subject: x\\r\\n\\r\\n")
    server.stop()

Works as root (mail belongs to nobody) and as any other user (everything belongs to that user).
A missing Dovecot skips the test on a desk, and fails it where CI is set.
"""

from __future__ import annotations

import contextlib
import grp
import imaplib
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import trustme

_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {run}
state_dir = {run}/state
log_path = {home}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 0
first_valid_gid = 0
mail_uid = {user}
mail_gid = {group}
mail_location = maildir:{home}/mail/%u
mail_max_userip_connections = 50
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
auth_mechanisms = plain login {mechanisms}
{oauth}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""

_OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}
"""
# Asked anew at each login: a token that is revoked at the provider is void at once (RFC 7662).
_OAUTH_CONFIG = """
introspection_mode = post
introspection_url = {url}/introspect
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
"""


_PACKAGES = {"dovecot": "dovecot-imapd"}
PASSWORD = "correct-horse"  # of every user: a list of users is read again only once a second


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port nobody listens on at this moment; whoever uses it retries when it was taken since."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def require(program: str) -> str:
    """Path of an installed server program; without it the test is skipped, in CI it fails."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")  # noqa: TID251  a test may look
    if found:
        return found
    sentence = f"{program} is not installed here: apt install {_PACKAGES.get(program, program)}"
    if os.environ.get("CI"):  # noqa: TID251  a test may look
        pytest.fail(sentence)
    pytest.skip(sentence)


@dataclass(frozen=True)
class Account:
    """One user of the server, with a Maildir of its own."""

    server: Dovecot
    user: str
    password: str

    @property
    def maildir(self) -> Path:
        return self.server.home / "mail" / self.user

    def folder(self, name: str) -> Path:
        return self.maildir if name == "INBOX" else self.maildir / f".{name.replace('/', '.')}"

    def deliver(self, raw: bytes, folder: str = "INBOX", received_at: datetime | None = None) -> None:
        """Put a message into a folder the way a delivery agent does: tmp, then rename into new."""
        home = self.folder(folder)
        for part in ("tmp", "new", "cur"):
            (home / part).mkdir(parents=True, exist_ok=True)
        name = f"{time.time_ns()}.{next(self.server.serial):08d}.test"
        path = home / "tmp" / name
        path.write_bytes(raw)
        if received_at is not None:
            os.utime(path, (received_at.timestamp(), received_at.timestamp()))
        self.server.own(self.maildir, home, home / "tmp", home / "new", home / "cur", path)
        path.rename(home / "new" / name)

    @contextlib.contextmanager
    def imap(self) -> Iterator[imaplib.IMAP4]:
        """A second client, of the standard library, to look from outside and to play the owner."""
        client = imaplib.IMAP4("127.0.0.1", self.server.port, timeout=10)
        try:
            client.login(self.user, self.password)
            yield client
        finally:
            client.logout()

    def state(self, folder: str = "INBOX") -> dict[int, frozenset[bytes]]:
        """UID → flags, without changing anything (\\Recent left out: it belongs to a session)."""
        with self.imap() as client:
            client.select(f'"{folder}"', readonly=True)
            _, lines = client.uid("FETCH", "1:*", "(UID FLAGS)")
        found = {}
        for line in lines:
            if isinstance(line, bytes) and (uid := re.search(rb"UID (\d+)", line)):
                flags = re.findall(rb"\\\w+", line)
                found[int(uid[1])] = frozenset(flag for flag in flags if flag != b"\\Recent")
        return found

    def change_uidvalidity(self, folder: str = "INBOX") -> None:
        """Forget which UID was whose, as a restored or migrated server does."""
        self.server.kill_connections()
        for path in self.folder(folder).glob("dovecot*"):
            path.unlink(missing_ok=True)
        # Dovecot makes UIDVALIDITY from the clock's second; the next one must differ.
        (self.maildir / "dovecot-uidvalidity").unlink(missing_ok=True)
        time.sleep(1.1)


class Dovecot:
    """The server: `port` speaks plain and STARTTLS, `tls_port` implicit TLS; `ca_file` signed it."""

    def __init__(
        self,
        parent: Path | None = None,
        names: tuple[str, ...] = ("127.0.0.1", "localhost"),
        oauth: tuple[str, str] | None = None,
    ) -> None:
        """`oauth` is the address of an OAuth2 provider and the SASL mechanisms that are offered for it."""
        self._oauth = oauth
        self._program = require("dovecot")
        # Unix sockets have short names, so the folder must not stand deep.
        self.home = Path(tempfile.mkdtemp(prefix="dovecot-", dir=parent))
        self.serial = itertools.count(1)
        self.ca_file = self.home / "ca.pem"
        self.port = self.tls_port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._certify(names)
        (self.home / "mail").mkdir()
        self.home.chmod(0o755)
        self.own(self.home / "mail")

    def _certify(self, names: tuple[str, ...]) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert(*names)
        authority.cert_pem.write_to_path(str(self.ca_file))
        certificate.private_key_pem.write_to_path(str(self.home / "key.pem"))
        with (self.home / "cert.pem").open("wb") as out:
            out.writelines(blob.bytes() for blob in certificate.cert_chain_pems)

    @property
    def _owner(self) -> tuple[str, str]:
        if os.geteuid() == 0:
            return "nobody", "nogroup"
        return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name

    def own(self, *paths: Path) -> None:
        """Give files to the user the mail belongs to (only root can and must)."""
        if os.geteuid() == 0:
            for path in paths:
                shutil.chown(path, *self._owner)

    def start(self) -> None:
        for _ in range(5):
            if self._start_once():
                return
        raise RuntimeError(f"Dovecot did not start: {self.log()[-2000:]}")

    def _start_once(self) -> bool:
        # A restart keeps its ports, so that a client finds the server again.
        self.port, self.tls_port = self.port or free_port(), self.tls_port or free_port()
        user, group = self._owner
        config = self.home / "dovecot.conf"
        if self._oauth:
            (self.home / "oauth2.conf").write_text(_OAUTH_CONFIG.format(url=self._oauth[0]))
        config.write_text(
            _CONFIG.format(
                password=PASSWORD,
                mechanisms=self._oauth[1] if self._oauth else "",
                oauth=_OAUTH.format(home=self.home) if self._oauth else "",
                home=self.home,
                run=self.home / "run",
                user=user,
                group=group,
                port=self.port,
                tls_port=self.tls_port,
            )
        )
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            if answers(self.port) and answers(self.tls_port):
                return True
            time.sleep(0.02)
        self.stop()
        self.port = self.tls_port = 0
        return False

    def stop(self) -> None:
        if self._process is not None:
            children = self._children()
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            for pid in children:  # sessions outlive the master for a moment
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def log(self) -> str:
        path = self.home / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def account(self) -> Account:
        """A new user; the tests of one server do not see each other's mail."""
        account = Account(self, f"user{next(self.serial)}", PASSWORD)
        account.maildir.mkdir()
        self.own(account.maildir)
        return account

    def _children(self) -> list[int]:
        """Processes of this server, and of no other."""
        assert self._process is not None
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self._process.pid:
                    found.append(int(stat.parent.name))
        return found

    def kill_connections(self) -> int:
        """Cut every session off, as a crash or a broken line does; returns how many there were."""
        killed = 0
        for pid in self._children():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "imap":
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
        return killed


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def dovecot_server() -> Iterator[Dovecot]:
    """One server for all tests of a process; take `dovecot` for a user of one's own."""
    server = Dovecot()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def dovecot(dovecot_server: Dovecot) -> Account:
    """A fresh account on the shared server."""
    return dovecot_server.account()
