"""The mail server that tests of this folder share."""

from tests.servers.dovecot import dovecot, dovecot_server

__all__ = ["dovecot", "dovecot_server"]
