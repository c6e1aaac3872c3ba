//! What a run has found out so far, on disk: one that is broken off, at any byte, goes on from there.
//!
//! Findings come in an order that depends on nothing but the run's arguments. Each is written as soon as it is known, and
//! ends in a digest of itself; a tail that was not written whole is cut off.
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// Findings of a run, in their order.
pub(crate) struct Journal {
    file: Option<File>,
    /// Found before, the next one last.
    kept: Vec<Vec<u8>>,
}

impl Journal {
    /// None is kept.
    pub fn nowhere() -> Journal {
        Journal { file: None, kept: vec![] }
    }

    /// A new one. Errors: `AlreadyExists`, and others.
    pub fn create(path: &Path, about: &str) -> io::Result<Journal> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let mut journal = Journal { file: Some(file), kept: vec![] };
        journal.write(about.as_bytes())?;
        Ok(journal)
    }

    /// That of a run that was broken off; `None` if it was about something else. Errors: `NotFound`, and others.
    pub fn open(path: &Path, about: &str) -> io::Result<Option<Journal>> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (mut kept, mut at) = (Vec::new(), 0);
        while let Some((finding, length)) = read(&bytes[at..]) {
            kept.push(finding);
            at += length;
        }
        file.set_len(at as u64)?;
        file.seek(SeekFrom::End(0))?;
        if kept.is_empty() || kept.remove(0) != about.as_bytes() {
            return Ok(None);
        }
        kept.reverse();
        Ok(Some(Journal { file: Some(file), kept }))
    }

    /// The next finding, if it was found before.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        self.kept.pop()
    }

    /// Keeps the next finding.
    pub fn write(&mut self, finding: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut entry = (finding.len() as u64).to_le_bytes().to_vec();
        entry.extend_from_slice(finding);
        let digest = blake3::hash(&entry);
        entry.extend_from_slice(&digest.as_bytes()[..8]);
        file.write_all(&entry)
    }
}

/// The first finding of these bytes, and its length there.
fn read(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let finding = rest.get(..length)?;
    let digest = rest.get(length..length.checked_add(8)?)?;
    (blake3::hash(&bytes[..8 + length]).as_bytes()[..8] == *digest).then(|| (finding.to_vec(), 16 + length))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_whole_is_kept_wherever_the_rest_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path, "this").unwrap();
        for n in 0..5u8 {
            journal.write(&vec![n; 20 * usize::from(n)]).unwrap();
        }
        assert!(Journal::create(&path, "this").is_err(), "not overwritten");
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let Some(mut journal) = Journal::open(&path, "this").unwrap() else { continue };
            let mut n = 0u8;
            while let Some(finding) = journal.next() {
                assert_eq!(finding, vec![n; 20 * usize::from(n)]);
                n += 1;
            }
            journal.write(b"more").unwrap();
            drop(journal);
            let mut again = Journal::open(&path, "this").unwrap().unwrap();
            (0..n).for_each(|_| drop(again.next()));
            assert_eq!(again.next().unwrap(), b"more");
        }
        assert!(Journal::open(&path, "that").unwrap().is_none());
    }
}
