"""The smallest stream of a peer that keeps a bound, over all its settings; and whether it keeps it is measured here."""

import dataclasses
import math

import numpy as np

# A peer that breaks the bound it was asked for is asked for a little less, so often.
TIGHTER = (0.999, 0.99, 0.97, 0.9, 0.7, 0.5)
# Where the error stays below this share of the limit, more tolerance is tried.
FAR_BELOW = 0.95
# At such bounds and looser ones, other ways of a peer to the same end are tried too.
LOOSE = 1e-3
# Settings whose first streams are this much larger than the smallest are not looked at further.
NOT_FAR = 1.15
# Limits that are searched for are met to this share.
CLOSE = 0.005


@dataclasses.dataclass
class Found:
    """One stream, what made it and how far its values are from the field's."""

    stream: bytes
    setting: dict
    tolerance: float
    max_error: float
    rmse: float

    def reached(self, kind):
        return self.max_error if kind == "rel" else self.rmse


class Field:
    """Values as a peer gets them, and where they count: `valid` is None where all do."""

    def __init__(self, stored):
        from fields import fill_nearest

        self.values = fill_nearest(stored)
        finite = np.isfinite(stored)
        self.valid = None if finite.all() else finite.ravel()
        self.missing = int(stored.size - np.count_nonzero(finite))
        counted = stored[finite].astype(np.float64)
        self.range = float(counted.max() - counted.min()) if counted.size else 0.0
        self.counted = counted

    def errors(self, decoded):
        """(max, root mean square) of the difference, over valid points. Infinite where decoded values are not finite."""
        if decoded.dtype != self.values.dtype or decoded.size != self.values.size:
            raise ValueError(f"decoded to {decoded.size} values of {decoded.dtype}")
        flat = decoded.ravel()
        difference = (flat if self.valid is None else flat[self.valid]).astype(np.float64) - self.counted
        if difference.size == 0:
            return 0.0, 0.0
        largest = float(np.abs(difference).max())
        if not math.isfinite(largest):
            return math.inf, math.inf
        return largest, float(np.sqrt(np.mean(difference * difference)))


def once(peer, field, setting, tolerance):
    stream = peer.encode(field.values, setting, tolerance)
    return Found(stream, setting, tolerance, *field.errors(peer.decode(stream, setting, field.values.dtype)))


def best(peer, field, kind, value):
    """The smallest stream that keeps the bound; where there is none, the smallest that breaks it.

    Errors of single settings are passed over as long as one works.
    """
    limit = value * field.range
    if limit == 0.0:
        raise ValueError("a constant field: a bound of 0")
    kept, broken = [], []
    settings, failure = candidates(peer, field, kind, limit)

    def look_at(setting):
        nonlocal failure
        try:
            found = meet(peer, field, setting, kind, limit)
        except Exception as e:
            failure = e
            return
        (kept if found.reached(kind) <= limit else broken).append(found)

    for setting in settings:
        look_at(setting)
    if kept and kind == "rel" and value >= LOOSE:
        first = min(kept, key=lambda found: len(found.stream)).setting
        for setting in getattr(peer, "other_ways", lambda _: [])(first):
            look_at(setting)
    if not kept and not broken:
        raise failure or ValueError("no setting takes this shape")
    return min(kept or broken, key=lambda found: len(found.stream))


def candidates(peer, field, kind, limit):
    """The settings whose streams at a first guess are not far larger than the smallest, and what the others died of."""
    settings = peer.settings(field.values) if kind == "rel" else special(peer, field)
    sizes, failure = [], None
    for setting in settings:
        guess = limit if kind == "rel" else first_guess(setting, limit)
        try:
            sizes.append((len(peer.encode(field.values, setting, guess)), setting))
        except Exception as e:  # whatever a wrapper raises: it may not take this shape, and another setting may do
            failure = e
    # Streams of zfp at one tolerance cannot be held against each other: how far below it they stay depends on the view.
    far = math.inf if getattr(peer, "powers_of_two", False) else getattr(peer, "not_far", NOT_FAR)
    smallest = min((size for size, _ in sizes), default=0)
    return [setting for size, setting in sizes if size <= far * smallest], failure


def special(peer, field):
    """A peer may have a way of its own to meet a root mean square."""
    return getattr(peer, "settings_for_rmse", peer.settings)(field.values)


def first_guess(setting, limit):
    """The tolerance that gives this root mean square if errors are spread evenly."""
    return limit if setting.get("mode") == "psnr" else limit * math.sqrt(3.0)


def meet(peer, field, setting, kind, limit):
    """The largest tolerance under which this setting keeps the limit."""
    if getattr(peer, "powers_of_two", False):
        return climb(peer, field, setting, kind, limit)
    if kind != "rel" or setting.get("mode") == "psnr":
        return approach(peer, field, setting, kind, limit, first_guess(setting, limit))
    first = found = once(peer, field, setting, limit)
    if found.max_error < FAR_BELOW * limit:
        return approach(peer, field, setting, kind, limit, limit)
    for share in TIGHTER:
        if found.max_error <= limit:
            return found
        found = once(peer, field, setting, limit * share)
    return found if found.max_error <= limit else first


def climb(peer, field, setting, kind, limit):
    """Doubles the tolerance for as long as the limit is kept."""
    tolerance = 2.0 ** math.floor(math.log2(limit))
    found = once(peer, field, setting, tolerance)
    while found.reached(kind) > limit and tolerance > limit / 1024.0:
        tolerance /= 2.0
        found = once(peer, field, setting, tolerance)
    while found.reached(kind) <= limit and tolerance < limit * 1e6:
        tolerance *= 2.0
        larger = once(peer, field, setting, tolerance)
        if larger.reached(kind) > limit or len(larger.stream) > len(found.stream):
            break
        found = larger
    return found


def approach(peer, field, setting, kind, limit, tolerance):
    """Bisects the tolerance, in logarithms, until the error is just below the limit."""
    kept = broken = None
    for _ in range(14):
        found = once(peer, field, setting, tolerance)
        error = found.reached(kind)
        if error <= limit:
            kept = found if kept is None or tolerance > kept.tolerance else kept
            if error >= limit * (1.0 - CLOSE):
                break
        else:
            broken = found if broken is None or tolerance < broken.tolerance else broken
        if kept is None or broken is None:
            # Errors follow tolerances roughly in proportion: aim there, and a little further.
            share = limit / error if error > 0.0 else 4.0
            share = min(max(share, 0.25), 4.0)
            tolerance *= share * (1.02 if kept else 0.98)
        else:
            if broken.tolerance / kept.tolerance < 1.0 + CLOSE / 4.0:
                break
            tolerance = math.sqrt(kept.tolerance * broken.tolerance)
    return kept or broken
