//! Opening a file of any kind that scicodec reads.
use crate::{
    ArrayFile, Attribute, Error, RawLayout, conventions::TextKind, npy, positioned::read_exact_at, spool::spool,
};
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
    /// netCDF-3: classic, with 64-bit offsets, or with 64-bit data.
    NetCdf3,
    /// HDF5, netCDF-4 included.
    Hdf5,
    /// A folder with a Zarr store, version 2 or 3.
    Zarr,
}

impl Format {
    /// Whether files of this format hold named variables, with dimensions and groups.
    pub fn has_variables(self) -> bool {
        matches!(self, Format::NetCdf3 | Format::Hdf5 | Format::Zarr)
    }
}

/// One named array of a [`Dataset`].
pub struct Field {
    /// Its name in the file, where the format has names: the path from the root, without a slash in front.
    pub name: Option<String>,
    /// Its units, empty where unknown.
    pub units: String,
    /// Attributes, units among them where they are one.
    pub attributes: Vec<Attribute>,
    /// Names of its axes, slowest first; empty where unknown.
    pub dimensions: Vec<String>,
    /// How its bytes are text, where they are.
    pub text: Option<TextKind>,
    /// Extents in which its elements are best read; empty where it does not matter.
    pub chunk: Vec<u64>,
    /// Its elements.
    pub source: Box<dyn Source + Send>,
}

/// A group of variables; the root is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Path from the root, without a slash in front: empty for the root.
    pub path: String,
    /// Its attributes: those of the root are netCDF's global ones.
    pub attributes: Vec<Attribute>,
    /// The dimensions declared in it.
    pub dimensions: Vec<DimensionInfo>,
    /// What kind of file the group was in, for the root only (SPEC §6.11).
    pub format: String,
}

/// A named axis that variables share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DimensionInfo {
    /// Its name.
    pub name: String,
    /// Its extent.
    pub size: u64,
    /// Whether it may grow.
    pub unlimited: bool,
}

/// An opened file: its fields, whose elements are still in the file.
pub struct Dataset {
    /// What kind of file it is.
    pub format: Format,
    /// Its fields, in the order of the file.
    pub fields: Vec<Field>,
    /// Its groups, each before those in it; the first is the root. Empty where the format has none.
    pub groups: Vec<Group>,
    /// What cannot be read: variables and attributes with the reason.
    pub left_out: Vec<LeftOut>,
}

impl Dataset {
    pub(crate) fn of_one(format: Format, field: Field) -> Dataset {
        Dataset { format, fields: vec![field], groups: vec![], left_out: vec![] }
    }
}

/// A variable, or an attribute `variable:name`, that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Opens a file, or the folder of a Zarr store. With `raw`, it is taken for raw elements; without, its first bytes say
/// what it is.
///
/// Errors: `Io`; `Corrupt`, `Truncated` where the header cannot be read or the file does not fit it; `Unsupported` for
/// dtypes and formats that are not known; `InvalidArgument` where `raw` does not fit the file's size.
pub fn open(path: &Path, raw: Option<&RawLayout>) -> Result<Dataset, Error> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return open_folder(path);
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
        return Ok(Dataset::of_one(Format::Raw, unnamed(ArrayFile::new(file, layout)?)));
    }
    let mut head = [0u8; 8];
    let n = bytes.min(8) as usize;
    read_exact_at(&file, &mut head[..n], 0)?;
    if head.starts_with(npy::MAGIC) {
        let layout = npy::read_layout(&file)?;
        return Ok(Dataset::of_one(Format::Npy, unnamed(ArrayFile::new(file, layout)?)));
    }
    if head == SCZ_MAGIC {
        let reader = match path {
            Some(path) => Reader::open(path)?,
            None => Reader::from_bytes(read_all(&file, bytes)?)?,
        };
        return Ok(crate::scz::dataset(reader));
    }
    // What is called .npy and is not gets npy's own error.
    if path.is_some_and(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy"))) {
        npy::read_layout(&file)?;
    }
    if head.starts_with(b"CDF") && matches!(head[3], 1 | 2 | 5) {
        return open_netcdf3(file, path);
    }
    if is_hdf5(&file, bytes)? {
        return open_hdf5(file, path);
    }
    let looks_like = match &head {
        [b'P', b'K', 3, 4, ..] => "a zip file, as .npz and zipped Zarr are",
        [b'G', b'R', b'I', b'B', ..] => "a GRIB file",
        [0x1f, 0x8b, ..] => "a gzip file",
        _ => "a file of no known format; for raw elements give --raw TYPE and --shape",
    };
    Err(Error::Unsupported {
        feature: format!("{looks_like} (read are .npy, .scz, netCDF, HDF5, Zarr and raw elements)"),
    })
}

/// HDF5 begins with its signature, at the start of the file or behind 512, 1024, … bytes of the user's.
fn is_hdf5(file: &File, bytes: u64) -> Result<bool, Error> {
    let mut at = 0;
    while at + 8 <= bytes {
        let mut head = [0; 8];
        read_exact_at(file, &mut head, at)?;
        if head == *b"\x89HDF\r\n\x1a\n" {
            return Ok(true);
        }
        at = if at == 0 { 512 } else { at * 2 };
    }
    Ok(false)
}

#[cfg(feature = "netcdf")]
fn open_netcdf3(file: File, path: Option<&Path>) -> Result<Dataset, Error> {
    crate::netcdf3::open(&named(file, path)?)
}

#[cfg(feature = "netcdf")]
fn open_hdf5(file: File, path: Option<&Path>) -> Result<Dataset, Error> {
    crate::hdf5::open(&named(file, path)?)
}

/// netCDF and HDF5 are read by name.
#[cfg(feature = "netcdf")]
fn named(_: File, path: Option<&Path>) -> Result<std::path::PathBuf, Error> {
    path.map(Path::to_owned)
        .ok_or_else(|| Error::Unsupported { feature: "netCDF or HDF5 from a pipe; give it as a file".into() })
}

#[cfg(not(feature = "netcdf"))]
fn open_netcdf3(_: File, _: Option<&Path>) -> Result<Dataset, Error> {
    Err(Error::without("netcdf", "a netCDF-3 file"))
}

#[cfg(not(feature = "netcdf"))]
fn open_hdf5(_: File, _: Option<&Path>) -> Result<Dataset, Error> {
    Err(Error::without("netcdf", "an HDF5 or netCDF-4 file"))
}

/// A folder is a Zarr store, or nothing that is known.
fn open_folder(path: &Path) -> Result<Dataset, Error> {
    let names = ["zarr.json", ".zgroup", ".zarray"];
    if !names.iter().any(|name| path.join(name).is_file()) {
        return Err(Error::Unsupported {
            feature: format!("a folder that is no Zarr store: it has none of {}", names.join(", ")),
        });
    }
    #[cfg(feature = "zarr")]
    return crate::zarr::open(path);
    #[cfg(not(feature = "zarr"))]
    return Err(Error::without("zarr", "a Zarr store"));
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
    Field {
        name: None,
        units: String::new(),
        attributes: vec![],
        dimensions: vec![],
        text: None,
        chunk: vec![],
        source: Box::new(source),
    }
}
