"""SPEC.md §7.6: masks."""
from entropy import LIMIT, SQUASH, Counters, Mixer

# What points nearby say (§7.6.2).
LEFT = [702, 97, 93, 73, 85]
UP = [-112, -50, -164, 127, 460, 473, 186, 116, 76, 82]
UP_2 = [-3, -63, -159, -13, -106, -132, -121]
UP_3 = [-45, 6, -26]


def plane_of_bits(dec, n, mixed):
    """A mask of extents n, as a list of 0 and 1 in C order."""
    modes = Counters(18)
    points = Mixed() if mixed else Template()
    last, modes_before = 0, [0] * n[2]
    planes = []
    for k in range(n[0] * n[1]):
        before = planes[-1] if planes else None
        plane = []
        for j in range(n[2]):
            above = plane[-1] if plane else None
            back = before[j] if before is not None else None
            pair = 2 * (last + 3 * modes_before[j] if mixed else last)
            if back is not None and modes.bit(dec, pair):
                row, mode = list(back), 2
            elif above is not None and modes.bit(dec, pair + 1):
                row, mode = list(above), 1
            else:
                rows = [plane[j - d] if j >= d else None for d in (1, 2, 3)]
                rows += [before[i] if before is not None and 0 <= i < n[2] else None for i in (j, j - 1, j + 1)]
                row, mode = points.row(dec, rows, n[3]), 0
            last = modes_before[j] = mode
            plane.append(row)
        planes.append(plane)
    return [b for plane in planes for row in plane for b in row]


class Template:
    """§7.6.1."""

    def __init__(self):
        self.points = Counters(1024)

    def row(self, dec, rows, width):
        up = [0] + (rows[0] or [0] * width) + [0, 0]
        old = [0] + (rows[3] or [0] * width) + [0]
        done = [0, 0, 0]
        for i in range(width):
            c = 0
            for b in (
                done[i + 2], done[i + 1], up[i + 1], up[i], up[i + 2], up[i + 3],
                old[i + 1], old[i + 2], old[i], done[i],
            ):
                c = c << 1 | b
            done.append(self.points.bit(dec, c))
        return done[3:]


def window(row, i, first, last):
    """The bits of a row from i + first to i + last, the first one highest."""
    bits = 0
    for k in range(i + first, i + last + 1):
        bits = bits << 1 | (row[k] if row is not None and 0 <= k < len(row) else 0)
    return bits


def said(weights, bits):
    top = len(weights) - 1
    return sum(w if bits >> (top - i) & 1 else -w for i, w in enumerate(weights))


class Mixed:
    """§7.6.2."""

    def __init__(self):
        self.uniform = Counters(16)
        self.uniform.p = [64 * (24 if i < 8 else 65512) for i in range(16)]
        self.uniform.n = [20] * 16
        self.tables = [Counters(s) for s in (64, 32, 65536, 1024, 32768, 4096)]
        self.tables[0].p = [64 * SQUASH[LIMIT + 88 * i - 2772] for i in range(64)]
        self.tables[0].n = [100] * 64
        self.mixer = Mixer(6, 13107, 32768)

    def row(self, dec, rows, width):
        done, left = [], 0
        for i in range(width):
            u, u2, u3 = window(rows[0], i, -4, 5), window(rows[1], i, -3, 3), window(rows[2], i, -1, 1)
            b, p, d = window(rows[3], i, -2, 2), window(rows[4], i, -1, 1), window(rows[5], i, -1, 1)
            around = (left, u, u2, u3)
            if around in ((0, 0, 0, 0), (31, 1023, 127, 7)):
                bit = self.uniform.bit(dec, (8 if left else 0) + (b >> 1 & 7))
            else:
                z = said(LEFT[::-1], left) + said(UP, u) + said(UP_2, u2) + said(UP_3, u3)
                near = 8 * (left & 1) + (u >> 4 & 7)
                slots = (
                    min(5631, max(0, z + 2816)) // 88,
                    8 * (left & 2) + near,
                    (left & 15) << 12 | (u >> 2 & 127) << 5 | (u2 >> 1 & 31),
                    (left & 7) << 7 | (u >> 3 & 15) << 3 | (b >> 1 & 7),
                    b << 10 | d << 7 | p << 4 | near,
                    left << 7 | (u & 127),
                )
                weight_set = 4 * near + 2 * (b >> 2 & 1) + (rows[3] is not None)
                bit = self.mixer.bit(dec, weight_set, self.tables, slots)
            done.append(bit)
            left = (left << 1 | bit) & 31
        return done


def masked_bits(dec, mask, width):
    """The bits of the masked points, in C order."""
    recent = [0, 0, 0, 0]
    counters = Counters(8)
    group = 0
    found = []
    for _ in range(sum(mask)):
        for k in range(4):
            if counters.bit(dec, 4 * group + k):
                value = recent.pop(k)
                break
        else:
            k = 4
            value = dec.raw(width)
            recent.pop()
        recent.insert(0, value)
        group = 0 if k == 0 else 1
        found.append(value)
    return found
