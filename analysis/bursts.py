"""Days on which a source sent a campaign beside its usual mail: they say nothing of the usual mail."""

from __future__ import annotations

from analysis.numbers import Bools, Floats, np

Mask = Bools

TIMES = 2.5  # so many times the usual mail of such a day is a burst
LEFT = 0.2  # of the usual count, however little mail there may be on a day
LONGEST = 7  # days with mail after which it is no burst any more, but how the source sends now
WEEKS = 4  # on either side, whose same weekday tells what is usual
WEEK = 7


def bursts(messages: Floats, aligned: Floats) -> Mask:
    """Which days are bursts that leave room for the usual mail to have fared as usual; shape (sources, days).

    A campaign with signatures of its own moves a day's rate and changes nothing in the source's usual mail:
    as much of it as usual may have aligned, and as much not. Where hardly any of that is left, the usual
    mail has changed too, and the day counts. Days after a source's last mail are not days without mail.
    """
    told = np.where(np.cumsum(messages[:, ::-1], axis=1)[:, ::-1] > 0, 0.0, np.nan)
    usual = _usual(messages + told)
    high = messages > TIMES * usual
    if not high.any():
        return high
    expected = np.maximum(_usual(aligned + told), 0.0)
    failing = _usual(messages - aligned + told)
    room = (aligned >= LEFT * expected) & (messages - aligned >= LEFT * failing)
    found = high & room & (usual > 0)
    for row in np.flatnonzero(found.any(axis=1)):
        found[row] &= _short(found[row], messages[row] > 0)
    return found


def _usual(values: Floats) -> Floats:
    """What is usual on each day: the median of its weekday around it, or of all days with mail if that is more.

    NaN is no day at all.
    """
    padded = np.pad(values, ((0, 0), (WEEKS * WEEK, WEEKS * WEEK)), constant_values=np.nan)
    days = values.shape[1]
    shifts = [shift for week in range(1, WEEKS + 1) for shift in (-week * WEEK, week * WEEK)]
    around = np.stack([padded[:, WEEKS * WEEK + shift : WEEKS * WEEK + shift + days] for shift in shifts])
    weekday = median(around)
    sent = np.where(values > 0, values, np.nan)
    whole = median(sent.T)[:, None]
    return np.maximum(weekday, whole)


def median(values: Floats) -> Floats:
    """The median along the first axis of what is not NaN; 0 where nothing is left."""
    ordered = np.sort(values, axis=0)
    count = (~np.isnan(ordered)).sum(axis=0)
    low, high = np.maximum(0, (count - 1) // 2), np.maximum(0, count // 2)
    found = (np.take_along_axis(ordered, low[None], 0) + np.take_along_axis(ordered, high[None], 0))[0] / 2
    return np.where(count > 0, found, 0.0)


def _short(found: Mask, active: Mask) -> Mask:
    """Without the bursts that go on for longer than a campaign: counted in days with mail."""
    kept = found.copy()
    days = np.flatnonzero(active)
    flagged = found[days]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flagged.astype(np.int8), [0]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start > LONGEST:
            kept[days[start:end]] = False
    return kept
