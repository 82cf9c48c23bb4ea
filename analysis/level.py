"""Since when does a sender's mail come as it comes now, and does it grow? Not one answer, but how likely each is.

A window of four weeks seldom is of one piece: a sender began last week, another was switched off on Thursday, a third
grows by a tenth a week. What was before such a turn tells nothing of the days to come. The turn is a change point of
over-dispersed counts around a weekday profile, with the level on each side integrated out (gamma-Poisson; Barry and
Hartigan 1993 for the idea), and growth is a slope of the logarithm, shrunk towards none.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma

from analysis.numbers import Floats, np

WEEK = 7
CLUMP = 3.0  # messages that come together: what is one of a kind varies as so many times a Poisson count
TURNS = 0.1  # chance that a sender's level turned in the window at all; each day is as likely
VAGUE = 0.5  # shape of the gamma around a level: what it was before says next to nothing about what it is after
BURSTS = 3.0  # counts are so much wilder than from day to day: bursts come in clusters, and are no turns
GROWTH = 0.01  # how far a day moves a level (standard deviation of the logarithm), before any mail is seen
EVEN = 1.0  # weeks of an even profile that are mixed into a sender's own weekdays


@dataclass(frozen=True, slots=True)
class Level:
    """Of each sender (row): how likely its present began on each day (column), and how its level moves by day.

    `slope` and `doubt` are the middle and the standard deviation of the logarithm's change in a day.
    """

    began: Floats
    slope: Floats
    doubt: Floats


def level(messages: Floats) -> Level:
    """The level of each sender (row) from its messages by day (column), the oldest first."""
    units, days = messages.shape
    if days < 2 * WEEK or not units:
        none = np.zeros(units)
        return Level(np.eye(1, days).repeat(units, axis=0), none, np.full(units, GROWTH))
    began = _began(messages, _weekdays(messages))
    middle = (began.cumsum(axis=1) < 0.5).sum(axis=1)
    moves = [_growth(mail[at:]) for mail, at in zip(messages, middle, strict=True)]
    slope, doubt = np.array(moves).T
    return Level(began, slope, doubt)


def _weekdays(messages: Floats) -> Floats:
    """How much of a usual day each day is, by its place in the week."""
    days = messages.shape[1]
    mean = messages.mean(axis=1, keepdims=True)
    place = np.arange(days) % WEEK
    sums = np.stack([messages[:, place == one].sum(axis=1) for one in range(WEEK)], axis=1)
    weeks = np.bincount(place, minlength=WEEK)
    profile = (sums + EVEN * mean) / ((weeks + EVEN) * np.maximum(mean, 1e-9))
    return np.asarray(profile[:, place], np.float64)


def _began(messages: Floats, profile: Floats) -> Floats:
    """The posterior of the day from which on the mail is of one level; the first day where it never turned."""
    days = messages.shape[1]
    mean = messages.mean(axis=1, keepdims=True)
    fit = np.maximum(profile * mean, 1e-9)
    # From day to day (von Neumann 1941), which a turn of the level hardly touches.
    steps = np.diff((messages - fit) / np.sqrt(fit), axis=1)
    scatter = np.maximum(CLUMP, (steps**2).mean(axis=1, keepdims=True) / 2) * BURSTS
    clumps = messages / scatter
    rate = VAGUE / np.maximum(mean / scatter, 1e-9)
    mail, exposed = (np.pad(one.cumsum(axis=1), ((0, 0), (1, 0))) for one in (clumps, profile))
    before = _evidence(mail[:, :-1], exposed[:, :-1], rate)
    after = _evidence(mail[:, -1:] - mail[:, :-1], exposed[:, -1:] - exposed[:, :-1], rate)
    chance = np.full(days, TURNS / (days - 1))
    chance[0] = 1 - TURNS
    odds = before + after + np.log(chance)
    likely = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float64)


def _evidence(mail: Floats, exposed: Floats, rate: Floats) -> Floats:
    """The logarithm of the chance of so much mail on so many usual days, whatever the level: gamma-Poisson."""
    grown = VAGUE + mail
    logs = np.reshape([lgamma(one) for one in grown.ravel().tolist()], grown.shape)
    return np.asarray(logs - lgamma(VAGUE) + VAGUE * np.log(rate) - grown * np.log(rate + exposed), np.float64)


def _growth(mail: Floats) -> tuple[float, float]:
    """The slope of one sender's whole weeks, shrunk by how little they tell; none from fewer than two weeks."""
    days = len(mail) // WEEK * WEEK
    mean = float(mail[len(mail) - days :].mean()) if days else 0.0
    if days < 2 * WEEK or mean <= 0:
        return 0.0, GROWTH
    mail, at = mail[-days:], np.arange(days) - (days - 1) / 2
    told = mean * float(at @ at)
    slope = float(mail @ at) / told
    week = mail.reshape(-1, WEEK).mean(axis=0)
    fit = np.tile(week, days // WEEK) * (1 + np.clip(slope * at, -0.9, 3.0))
    scatter = float(((mail - fit) ** 2 / np.maximum(fit, mean / 10)).sum()) / max(days - WEEK - 1, 4)
    variance, prior = max(CLUMP, scatter) / told, GROWTH**2
    shrunk = prior / (prior + variance)
    return slope * shrunk, float(np.sqrt(variance * shrunk))
