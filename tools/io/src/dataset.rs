//! Opening a file of any kind that scicodec reads.
use crate::{ArrayFile, Error, RawLayout, npy, positioned::read_exact_at, spool::spool};
use scicodec::{Reader, Source};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The kinds of file that can be opened. Others come here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// numpy's file of one array.
    Npy,
    /// Elements without a header.
    Raw,
    /// scicodec's own.
    Scz,
}

/// One named array of a [`Dataset`].
pub struct Field {
    /// Its name in the file, where the format has names.
    pub name: Option<String>,
    /// Its units, empty where unknown.
    pub units: String,
    /// Other attributes.
    pub attributes: Vec<(String, String)>,
    /// Names of its axes, slowest first; empty where unknown.
    pub dimensions: Vec<String>,
    /// Its elements.
    pub source: Box<dyn Source + Send>,
}

/// An opened file: its fields, whose elements are still in the file.
pub struct Dataset {
    /// What kind of file it is.
    pub format: Format,
    /// Its fields, in the order of the file.
    pub fields: Vec<Field>,
}

/// Opens a file. With `raw`, it is taken for raw elements; without, its first bytes say what it is.
///
/// Errors: `Io`; `Corrupt`, `Truncated` where the header cannot be read or the file does not fit it; `Unsupported` for
/// dtypes and formats that are not known; `InvalidArgument` where `raw` does not fit the file's size.
pub fn open(path: &Path, raw: Option<&RawLayout>) -> Result<Dataset, Error> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    if !file.metadata()?.is_file() {
        // A pipe or device has no positions: it is read as a stream.
        return from_stream(&mut { file }, raw);
    }
    from_file(file, raw, Some(path))
}

/// Reads standard input to its end into an unnamed temporary file, and opens that.
pub fn open_stdin(raw: Option<&RawLayout>) -> Result<Dataset, Error> {
    from_stream(&mut io::stdin().lock(), raw)
}

fn from_stream(stream: &mut dyn Read, raw: Option<&RawLayout>) -> Result<Dataset, Error> {
    from_file(spool(stream)?, raw, None)
}

fn from_file(file: File, raw: Option<&RawLayout>, path: Option<&Path>) -> Result<Dataset, Error> {
    let bytes = file.metadata()?.len();
    if let Some(raw) = raw {
        let layout = raw.in_file_of(bytes)?;
        return Ok(Dataset { format: Format::Raw, fields: vec![unnamed(ArrayFile::new(file, layout)?)] });
    }
    let mut head = [0u8; 8];
    let n = bytes.min(8) as usize;
    read_exact_at(&file, &mut head[..n], 0)?;
    if head.starts_with(npy::MAGIC) {
        let layout = npy::read_layout(&file)?;
        return Ok(Dataset { format: Format::Npy, fields: vec![unnamed(ArrayFile::new(file, layout)?)] });
    }
    if head == SCZ_MAGIC {
        let reader = match path {
            Some(path) => Reader::open(path)?,
            None => Reader::from_bytes(read_all(&file, bytes)?)?,
        };
        return Ok(Dataset { format: Format::Scz, fields: crate::scz::fields(reader) });
    }
    // What is called .npy and is not gets npy's own error.
    if path.is_some_and(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"))) {
        npy::read_layout(&file)?;
    }
    let looks_like = match &head {
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 or netCDF-4 file",
        [b'C', b'D', b'F', 1 | 2 | 5, ..] => "a netCDF file",
        [b'P', b'K', 3, 4, ..] => "a zip file, as .npz and zipped Zarr are",
        [b'G', b'R', b'I', b'B', ..] => "a GRIB file",
        [0x1f, 0x8b, ..] => "a gzip file",
        _ => "a file of no known format; for raw elements give --raw TYPE and --shape",
    };
    Err(Error::Unsupported { feature: format!("{looks_like} (read are .npy, .scz and raw elements)") })
}

/// The first bytes of a `.scz` file (SPEC §5.1).
const SCZ_MAGIC: [u8; 8] = [0x89, b'S', b'C', b'Z', b'\r', b'\n', 0x1a, b'\n'];

/// A `.scz` file that came as a stream has no name to map it by. What is encoded is small.
fn read_all(file: &File, bytes: u64) -> Result<Vec<u8>, Error> {
    let mut all = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
    read_exact_at(file, &mut all, 0)?;
    Ok(all)
}

fn unnamed(source: ArrayFile) -> Field {
    Field { name: None, units: String::new(), attributes: vec![], dimensions: vec![], source: Box::new(source) }
}
