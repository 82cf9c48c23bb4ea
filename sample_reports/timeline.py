"""The period that is reported on, and the day of every known event in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

DEFAULT_END = date(2026, 11, 22)
DEFAULT_DAYS = 120


@dataclass(frozen=True)
class Timeline:
    """First and last day, both included. Events hang on the last day, so a short period keeps its end."""

    first: date
    last: date

    def before_end(self, days: int) -> date:
        """The day that lies so many days before the last one."""
        return self.last - timedelta(days=days)

    def days(self) -> list[date]:
        """Every day, oldest first."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def share(self, day: date) -> float:
        """How far the usual 120 days have gone by `day`; the same whatever period is generated."""
        return 1 - (self.last - day).days / DEFAULT_DAYS

    @property
    def mailbox_opened(self) -> date:
        """Reports that arrive from here on are mails; older ones are attachments somebody had saved."""
        quarter = self.first + timedelta(days=(self.last - self.first).days // 4)
        return max(self.before_end(90), quarter)

    @property
    def old_server_off(self) -> date:
        """First day without the old mail server in the office."""
        return self.before_end(79)

    @property
    def slide_starts(self) -> date:
        """First server of the customer database that no longer signs."""
        return self.before_end(76)

    @property
    def slide_ends(self) -> date:
        """Last server of the customer database that stopped signing."""
        return self.before_end(37)

    @property
    def selector_rotated(self) -> date:
        """Office mail goes from selector1 to selector2, as it should."""
        return self.before_end(74)

    @property
    def policy_changed(self) -> date:
        """The main domain goes from p=none to p=quarantine."""
        return self.before_end(62)

    @property
    def pool_changed(self) -> date:
        """The shop's transactional service adds a network, as services do."""
        return self.before_end(54)

    @property
    def step(self) -> date:
        """First day on which the booking service signs with its own domain only."""
        return self.before_end(45)

    @property
    def reporter_silent(self) -> date:
        """First day that one large reporter no longer reports on."""
        return self.before_end(33)

    @property
    def burst_starts(self) -> date:
        """First day of the forged campaign."""
        return self.before_end(26)

    @property
    def burst_ends(self) -> date:
        """Last day of the forged campaign."""
        return self.before_end(22)

    @property
    def new_service(self) -> date:
        """First day of a service that nobody has told the administrator about."""
        return self.before_end(18)

    @property
    def tls_reports_asked(self) -> tuple[date, date]:
        """First days with a TLSRPT record: of the main domain, together with MTA-STS; of the shop, without."""
        return self.before_end(27), self.before_end(13)

    @property
    def certificate_expired(self) -> tuple[date, date]:
        """First and last day on which the backup mail server had an old certificate."""
        return self.before_end(16), self.before_end(14)

    @property
    def policy_unreachable(self) -> date:
        """One sender could not fetch the MTA-STS policy."""
        return self.before_end(6)

    @property
    def provider_blocked(self) -> date:
        """First day on which one provider refuses the booking service's unsigned mail: soon after the step."""
        return self.before_end(42)

    @property
    def provider_refused(self) -> date:
        """First day on which providers refuse mail of the customer database, of which most is unsigned by then."""
        return self.before_end(56)


def timeline(last: date = DEFAULT_END, days: int = DEFAULT_DAYS) -> Timeline:
    """The period of so many days that ends on `last`."""
    if days < 1:
        raise ValueError(f"a period has at least one day, not {days}")
    return Timeline(last - timedelta(days=days - 1), last)
