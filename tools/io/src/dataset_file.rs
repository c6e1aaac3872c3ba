//! Writing a whole dataset: netCDF or Zarr, which appear under their names only when they are whole.
use crate::{Dataset, Error, Overwrite};
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// What a dataset is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatasetFormat {
    /// netCDF: of the kind that it came from, otherwise netCDF-4.
    NetCdf,
    /// Zarr: of the version that it came from, otherwise 3.
    Zarr,
}

impl DatasetFormat {
    /// What a file's name asks for: `.nc`, `.nc4`, `.cdf`, `.h5` and `.hdf5`, or `.zarr`.
    pub fn of(path: &Path) -> Option<DatasetFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "nc" | "nc4" | "cdf" | "h5" | "hdf5" => Some(DatasetFormat::NetCdf),
            "zarr" => Some(DatasetFormat::Zarr),
            _ => None,
        }
    }
}

/// A file or folder being written under a temporary name next to its destination.
///
/// [`DatasetFile::finish`] gives it its name; dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct DatasetFile {
    temporary: Temporary,
    format: DatasetFormat,
    destination: PathBuf,
    overwrite: Overwrite,
}

#[derive(Debug)]
enum Temporary {
    File(tempfile::TempPath),
    Folder(tempfile::TempDir),
}

impl DatasetFile {
    /// Begins a file or folder. Errors: `Exists` where the destination exists and may not be replaced, `Io`, `Unsupported`
    /// where this program was built without the format.
    pub fn create(destination: &Path, format: DatasetFormat, overwrite: Overwrite) -> Result<DatasetFile, Error> {
        check_built(format)?;
        match std::fs::metadata(destination) {
            Ok(_) if overwrite == Overwrite::Refuse => return Err(Error::Exists(destination.to_owned())),
            Ok(meta) if meta.is_dir() != (format == DatasetFormat::Zarr) => {
                return Err(Error::InvalidArgument(match format {
                    DatasetFormat::Zarr => "is there, and no folder".into(),
                    DatasetFormat::NetCdf => "is a folder".into(),
                }));
            }
            // Only what looks like a store is ever removed.
            Ok(_) if format == DatasetFormat::Zarr && !is_store(destination)? => {
                return Err(Error::InvalidArgument("is a folder, and no Zarr store; not overwritten".into()));
            }
            _ => {}
        }
        let folder = match destination.parent() {
            Some(p) if !p.as_os_str().is_empty() => p,
            _ => Path::new("."),
        };
        let mut prefix = OsString::from(".");
        prefix.push(destination.file_name().unwrap_or_default());
        prefix.push(".");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        let mode = if format == DatasetFormat::Zarr { 0o777 } else { 0o666 };
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
        #[cfg(not(unix))]
        let _ = mode;
        let temporary = match format {
            DatasetFormat::NetCdf => Temporary::File(builder.tempfile_in(folder)?.into_temp_path()),
            DatasetFormat::Zarr => Temporary::Folder(builder.tempdir_in(folder)?),
        };
        Ok(DatasetFile { temporary, format, destination: destination.to_owned(), overwrite })
    }

    /// The temporary name.
    pub fn temporary_path(&self) -> &Path {
        match &self.temporary {
            Temporary::File(path) => path,
            Temporary::Folder(folder) => folder.path(),
        }
    }

    /// Writes everything. `progress` is told of each piece how many bytes of elements it was.
    ///
    /// Elements are read and written in pieces, but text, and all of netCDF-3, in memory. float16, which netCDF lacks,
    /// becomes float32 there.
    pub fn write(&self, dataset: &Dataset, progress: &dyn Fn(u64)) -> Result<(), Error> {
        match self.format {
            DatasetFormat::NetCdf => write_netcdf(self.temporary_path(), dataset, progress),
            DatasetFormat::Zarr => write_zarr(self.temporary_path(), dataset, progress),
        }
    }

    /// Gives it its name.
    pub fn finish(self) -> Result<(), Error> {
        let exists = || Error::Exists(self.destination.clone());
        match self.temporary {
            Temporary::File(path) => match self.overwrite {
                Overwrite::Allow => path.persist(&self.destination).map_err(|e| e.error.into()),
                Overwrite::Refuse => path.persist_noclobber(&self.destination).map_err(|e| match e.error.kind() {
                    io::ErrorKind::AlreadyExists => exists(),
                    _ => e.error.into(),
                }),
            },
            Temporary::Folder(folder) => {
                if self.destination.exists() {
                    if self.overwrite == Overwrite::Refuse {
                        return Err(exists());
                    }
                    std::fs::remove_dir_all(&self.destination)?;
                }
                std::fs::rename(folder.path(), &self.destination)?;
                // It has another name now.
                let _ = folder.keep();
                Ok(())
            }
        }
    }
}

fn is_store(folder: &Path) -> io::Result<bool> {
    let known = ["zarr.json", ".zgroup", ".zarray"].iter().any(|name| folder.join(name).exists());
    Ok(known || std::fs::read_dir(folder)?.next().is_none())
}

fn check_built(format: DatasetFormat) -> Result<(), Error> {
    match format {
        #[cfg(not(feature = "netcdf"))]
        DatasetFormat::NetCdf => Err(Error::without("netcdf", "a netCDF file")),
        #[cfg(not(feature = "zarr"))]
        DatasetFormat::Zarr => Err(Error::without("zarr", "a Zarr store")),
        #[allow(unreachable_patterns)]
        _ => Ok(()),
    }
}

#[cfg(feature = "netcdf")]
fn write_netcdf(path: &Path, dataset: &Dataset, progress: &dyn Fn(u64)) -> Result<(), Error> {
    let classic = dataset.groups.first().is_some_and(|root| root.format.starts_with("netcdf3"));
    if !classic {
        return crate::netcdf4_write::write(path, dataset, progress);
    }
    let mut out = io::BufWriter::new(std::fs::File::create(path)?);
    crate::netcdf3_write::write(&mut out, dataset, progress)?;
    io::Write::flush(&mut out)?;
    Ok(())
}

#[cfg(not(feature = "netcdf"))]
fn write_netcdf(_: &Path, _: &Dataset, _: &dyn Fn(u64)) -> Result<(), Error> {
    Err(Error::without("netcdf", "a netCDF file"))
}

#[cfg(feature = "zarr")]
fn write_zarr(path: &Path, dataset: &Dataset, progress: &dyn Fn(u64)) -> Result<(), Error> {
    crate::zarr_write::write(path, dataset, progress)
}

#[cfg(not(feature = "zarr"))]
fn write_zarr(_: &Path, _: &Dataset, _: &dyn Fn(u64)) -> Result<(), Error> {
    Err(Error::without("zarr", "a Zarr store"))
}
