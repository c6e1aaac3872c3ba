//! Puts checksums right again after damage, so that the damage reaches what lies behind them.
use scicodec::Limits;
use scicodec::format::{ChunkForm, Container};
use std::ops::Range;

/// Where the checksummed parts of a valid file lie.
pub struct Parts {
    /// Records: from tag to the end of the body; the checksum follows.
    pub records: Vec<Range<usize>>,
    /// Payloads: header before its checksum, and body.
    pub payloads: Vec<(Range<usize>, Range<usize>)>,
    /// Bodies of indexes; the checksum follows.
    pub indexes: Vec<Range<usize>>,
}

fn crc_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The checksum of an index, which counts its offset.
fn index_crc(bytes: &[u8], body: &Range<usize>) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[body.clone()]), &(body.start as u64).to_le_bytes())
}

impl Parts {
    /// Finds the parts of a valid file by their checksums.
    pub fn of(bytes: &[u8]) -> Parts {
        let mut parts = Parts { records: vec![], payloads: vec![], indexes: vec![] };
        // Payloads, by what the index says of them; their own checksum lies before the body.
        let Ok(container) = Container::from_bytes(bytes.to_vec(), Limits::default()) else { return parts };
        for (v, variable) in container.variables().iter().enumerate() {
            for (s, segment) in variable.segments.iter().enumerate() {
                for (k, chunk) in segment.chunks.iter().enumerate() {
                    let payload = container.payload(v, s, k);
                    if let (Ok(Some(p)), false) = (payload, matches!(chunk.form, ChunkForm::Inside { .. })) {
                        let at = chunk.offset as usize;
                        let end = at + p.length as usize;
                        // References, one byte each number here, are before what is left of the body.
                        let own = |r: &&scicodec::ChunkRef| r.variable == p.header.variable;
                        let references = &p.header.references;
                        let told = usize::from(!references.is_empty()) + references.len();
                        let body = end - p.body.len() - told - references.iter().filter(own).count();
                        parts.payloads.push((at..body - 4, body..end));
                    }
                }
            }
        }
        for at in 9..bytes.len() {
            let tagged = matches!(bytes[at], b'v' | b'e' | b'm' | b'r');
            let (mut length, mut shift, mut next) = (0usize, 0, at + 1);
            while let Some(&b) = bytes.get(next).filter(|_| tagged && shift < 28) {
                length |= usize::from(b & 127) << shift;
                (shift, next) = (shift + 7, next + 1);
                if b < 128 {
                    break;
                }
            }
            let end = next + length;
            if tagged && end <= bytes.len() && crc_at(bytes, end) == Some(crc32c::crc32c(&bytes[at..end])) {
                parts.records.push(at..end);
            }
            // An index: ends in its checksum, its length (one or two bytes here) and the magic.
            for width in [1, 2] {
                if at >= 6 + width && bytes.get(at..at + 2) == Some(&[0x9d, 0x7a]) {
                    let l = &bytes[at - width..at];
                    let length = l.iter().rev().enumerate().fold(0, |v, (k, &b)| v | usize::from(b & 127) << (7 * k));
                    let Some(start) = (at - width - 4).checked_sub(length) else { continue };
                    let body = start..at - width - 4;
                    if crc_at(bytes, body.end) == Some(index_crc(bytes, &body)) {
                        parts.indexes.push(body);
                    }
                }
            }
        }
        parts
    }

    /// Puts all checksums right in bytes that were damaged without changing their length.
    pub fn repair(&self, bytes: &mut [u8]) {
        for (header, body) in &self.payloads {
            let new = crc32c::crc32c_append(crc32c::crc32c(&bytes[header.clone()]), &bytes[body.clone()]).to_le_bytes();
            let old: [u8; 4] = std::array::from_fn(|k| bytes[header.end + k]);
            bytes[header.end..header.end + 4].copy_from_slice(&new);
            // Tables repeat it.
            for part in self.records.iter().chain(&self.indexes) {
                for at in part.start..part.end.saturating_sub(3) {
                    if bytes[at..at + 4] == old {
                        bytes[at..at + 4].copy_from_slice(&new);
                    }
                }
            }
        }
        for part in &self.records {
            let crc = crc32c::crc32c(&bytes[part.clone()]).to_le_bytes();
            bytes[part.end..part.end + 4].copy_from_slice(&crc);
        }
        for part in &self.indexes {
            let crc = index_crc(bytes, part).to_le_bytes();
            bytes[part.end..part.end + 4].copy_from_slice(&crc);
        }
    }
}
