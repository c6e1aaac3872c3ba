//! The one place with `unsafe` code: mapping a file into memory.
#![allow(unsafe_code)]
use std::{fs::File, io, ops::Deref};

/// The bytes of a file, mapped or owned.
#[derive(Debug)]
pub(crate) enum Bytes {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    /// Maps a file read-only. An empty file is no mapping but no bytes.
    pub(crate) fn map(file: &File) -> io::Result<Bytes> {
        if file.metadata()?.len() == 0 {
            return Ok(Bytes::Owned(vec![]));
        }
        // SAFETY: the map is private to this value and read-only. Its bytes are read as plain `u8`, for which every bit
        // pattern is valid. Should another process shorten or rewrite the file while it is mapped, reads may fault or
        // see changed bytes; that is why this crate's writers never change a file's existing bytes: they write to a
        // temporary name and rename it, or append past the mapped end.
        let map = unsafe { memmap2::Mmap::map(file)? };
        // Chunks are read one by one: reading ahead of them would fetch what nobody asked for. Only advice.
        #[cfg(unix)]
        let _ = map.advise(memmap2::Advice::Random);
        Ok(Bytes::Mapped(map))
    }

    /// Tells the system, where it can be told, that this range is about to be read.
    #[cfg_attr(not(unix), allow(unused_variables))]
    pub(crate) fn will_need(&self, start: usize, length: usize) {
        #[cfg(unix)]
        if let Bytes::Mapped(m) = self {
            let _ = m.advise_range(memmap2::Advice::WillNeed, start, length);
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(m) => m,
            Bytes::Owned(v) => v,
        }
    }
}
