"""BLAKE3 of bytes, unkeyed, 32 bytes long."""
import struct

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
MIXED = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
MIXED += ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
MASK = 0xFFFFFFFF


def _rotate(v, n):
    return v >> n | v << (32 - n) & MASK


def _compress(chain, block, counter, length, flags):
    words = list(struct.unpack("<16I", block.ljust(64, b"\0")))
    s = list(chain) + list(IV[:4]) + [counter & MASK, counter >> 32, length, flags]
    for _ in range(7):
        for k, (a, b, c, d) in enumerate(MIXED):
            for x, first, second in ((words[2 * k], 16, 12), (words[2 * k + 1], 8, 7)):
                s[a] = s[a] + s[b] + x & MASK
                s[d] = _rotate(s[d] ^ s[a], first)
                s[c] = s[c] + s[d] & MASK
                s[b] = _rotate(s[b] ^ s[c], second)
        words = [words[p] for p in PERMUTATION]
    return [s[i] ^ s[i + 8] for i in range(8)]


def _chunk(data, counter, root):
    chain = IV
    blocks = [data[i : i + 64] for i in range(0, len(data), 64)] or [b""]
    for k, block in enumerate(blocks):
        flags = (CHUNK_START if k == 0 else 0) | (CHUNK_END | root if k == len(blocks) - 1 else 0)
        chain = _compress(chain, block, counter, len(block), flags)
    return chain


def _tree(data, first, root):
    if len(data) <= 1024:
        return _chunk(data, first, root)
    # The left subtree holds the greatest power of two of chunks that leaves something to the right.
    left = 1 << ((len(data) - 1) // 1024).bit_length() - 1
    halves = _tree(data[: left * 1024], first, 0) + _tree(data[left * 1024 :], first + left, 0)
    return _compress(IV, struct.pack("<16I", *halves), 0, 64, PARENT | root)


def blake3(data):
    return struct.pack("<8I", *_tree(data, 0, ROOT))
