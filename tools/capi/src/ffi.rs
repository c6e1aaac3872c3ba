//! The boundary to C. Each comment here is a comment of the header.
#![allow(unsafe_code)]
// What a caller must keep to is said in words of C, in the text of each function and at the top of the header.
#![allow(clippy::missing_safety_doc)]
use crate::file::{File, Options};
use crate::status::{Status, note, noted};
use scicodec::{ChunkShape, DType, Effort, EncodeOptions, Error, Fill, ModelChoice, Reader, Region, SliceSource};
use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

/// Most axes of an array.
pub const SCICODEC_MAX_RANK: usize = 6;

/// Element types.
#[repr(C)]
pub enum ElementType {
    /// IEEE 754 half precision
    F16 = 0,
    /// IEEE 754 single precision
    F32 = 1,
    /// IEEE 754 double precision
    F64 = 2,
    /// int8_t
    I8 = 3,
    /// int16_t
    I16 = 4,
    /// int32_t
    I32 = 5,
    /// int64_t
    I64 = 6,
    /// uint8_t
    U8 = 7,
    /// uint16_t
    U16 = 8,
    /// uint32_t
    U32 = 9,
    /// uint64_t
    U64 = 10,
}

/// A variable of a file. Its texts belong to the file and are valid until that is closed.
#[repr(C)]
pub struct VariableInfo {
    /// Its name; a lone array may have an empty one.
    pub name: *const c_char,
    /// Units of its values; may be empty.
    pub units: *const c_char,
    /// The bound as asked: "abs=0.001".
    pub error_bound: *const c_char,
    /// A scicodec_dtype.
    pub dtype: u32,
    /// Number of axes.
    pub rank: usize,
    /// Extents, slowest axis first; 0 from `rank` on.
    pub shape: [u64; SCICODEC_MAX_RANK],
    /// Extents of a chunk: the unit of random access.
    pub chunk_shape: [u64; SCICODEC_MAX_RANK],
    /// Bytes of its values, decoded.
    pub value_bytes: u64,
    /// Bytes of its chunks, encoded.
    pub encoded_bytes: u64,
    /// Number of attributes: see scicodec_attribute.
    pub attributes: usize,
    /// Whether its axes have names: see scicodec_dimension.
    pub named_dimensions: u32,
}

/// The version of the library: "0.1.0". Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn scicodec_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// What went wrong last on the calling thread, in one line. Valid until the next call of this thread that fails; empty
/// before the first. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn scicodec_last_error() -> *const c_char {
    noted()
}

/// Options for a bound: "abs=E", "rel=E", "pw_rel=E", "psnr=DB", "nrmse=E", "l2=E" or "lossless". Free them with
/// scicodec_options_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_new(error_bound: *const c_char, options: *mut *mut Options) -> Status {
    call(|| {
        let options = place(options)?;
        // SAFETY: a text of the caller's.
        let bound = unsafe { text(error_bound) }?.parse()?;
        let new = Options { encode: EncodeOptions::new(bound), meta: Default::default() };
        options.put(Box::into_raw(Box::new(new)));
        Ok(())
    })
}

/// Frees options that scicodec_options_new made; NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_free(options: *mut Options) {
    // SAFETY: it came from there, and is freed once.
    call(|| unsafe { free(options) });
}

/// How hard to try for a smaller file: "fast", "default" or "max".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_set_effort(options: *mut Options, effort: *const c_char) -> Status {
    call(|| {
        // SAFETY: a text of the caller's.
        changed(options)?.encode.effort = match unsafe { text(effort) }? {
            "fast" => Effort::Fast,
            "default" => Effort::Default,
            "max" => Effort::Max,
            other => return invalid(format!("effort {other:?}: expected fast, default or max")),
        };
        Ok(())
    })
}

/// The shape of chunks: `rank` extents, slowest axis first. Without this it is chosen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_set_chunk(options: *mut Options, rank: usize, extents: *const u64) -> Status {
    call(|| {
        // SAFETY: `rank` extents of the caller's.
        let extents = unsafe { axes(rank, extents) }?;
        changed(options)?.encode.chunk = ChunkShape::Fixed(extents.to_vec());
        Ok(())
    })
}

/// A value that stands for "no value": the element nearest to it is kept exactly, as NaN and infinities always are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_set_fill(options: *mut Options, value: f64) -> Status {
    call(|| {
        changed(options)?.encode.fill = Some(Fill::Value(value));
        Ok(())
    })
}

/// Threads of scicodec_encode; 0, the default, is one per core. The bytes do not depend on it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_set_threads(options: *mut Options, threads: usize) -> Status {
    call(|| {
        changed(options)?.encode.threads = threads;
        Ok(())
    })
}

/// The model that may guide prediction: "default", or "none".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_set_model(options: *mut Options, model: *const c_char) -> Status {
    call(|| {
        // SAFETY: a text of the caller's.
        changed(options)?.encode.model = match unsafe { text(model) }? {
            "none" => ModelChoice::None,
            "default" => ModelChoice::Default,
            other => return invalid(format!("model {other:?}: expected default or none")),
        };
        Ok(())
    })
}

/// Name and units of the variable, either of which may be empty. Both are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_set_name(
    options: *mut Options,
    name: *const c_char,
    units: *const c_char,
) -> Status {
    call(|| {
        // SAFETY: texts of the caller's.
        let (name, units) = unsafe { (text(name)?.to_owned(), text(units)?.to_owned()) };
        let meta = &mut changed(options)?.meta;
        (meta.name, meta.units) = (name, units);
        Ok(())
    })
}

/// Adds an attribute to the variable, as two texts. Both are copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_options_add_attribute(
    options: *mut Options,
    name: *const c_char,
    value: *const c_char,
) -> Status {
    call(|| {
        // SAFETY: texts of the caller's.
        let pair = unsafe { (text(name)?.to_owned(), text(value)?.to_owned()) };
        changed(options)?.meta.attributes.push(pair);
        Ok(())
    })
}

/// Encodes an array: `values` are the elements of an array of `rank` axes with the extents `shape`. `*encoded` becomes
/// `*encoded_bytes` bytes of a whole .scz file of one variable: they can be written to a file as they are. Free them with
/// scicodec_bytes_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_encode(
    options: *const Options,
    dtype: u32,
    rank: usize,
    shape: *const u64,
    values: *const c_void,
    encoded: *mut *mut u8,
    encoded_bytes: *mut usize,
) -> Status {
    call(|| {
        let (options, encoded, encoded_bytes) = (handle(options)?, place(encoded)?, place(encoded_bytes)?);
        let Some(dtype) = u8::try_from(dtype).ok().and_then(DType::from_code) else {
            return invalid(format!("dtype {dtype}"));
        };
        // SAFETY: `rank` extents of the caller's.
        let shape = unsafe { axes(rank, shape) }?;
        let bytes = scicodec::format::byte_count(dtype, shape).and_then(|n| usize::try_from(n).ok());
        let Some(bytes) = bytes else { return invalid(format!("an array of shape {shape:?}")) };
        // SAFETY: the array is of this shape and dtype.
        let values = unsafe { elements(values.cast::<u8>(), bytes) }?;
        let source = SliceSource::new(dtype, shape, values)?;
        let file = scicodec::encode_to_vec(&options.meta, &source, &options.encode)?.into_boxed_slice();
        encoded_bytes.put(file.len());
        encoded.put(Box::into_raw(file).cast());
        Ok(())
    })
}

/// Frees what scicodec_encode made, both arguments as it set them; NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_bytes_free(encoded: *mut u8, encoded_bytes: usize) {
    // SAFETY: it came from there, and is freed once.
    call(|| unsafe { free(ptr::slice_from_raw_parts_mut(encoded, encoded_bytes)) });
}

/// Opens a .scz file: its index is checked, no chunk is read. Close it with scicodec_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_open(path: *const c_char, file: *mut *mut File) -> Status {
    call(|| {
        let file = place(file)?;
        // SAFETY: a text of the caller's.
        let reader = Reader::open(unsafe { text(path) }?.as_ref())?;
        file.put(Box::into_raw(Box::new(File::new(reader))));
        Ok(())
    })
}

/// Opens a .scz file that is in memory. The bytes are copied. Close it with scicodec_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_open_bytes(encoded: *const u8, encoded_bytes: usize, file: *mut *mut File) -> Status {
    call(|| {
        let file = place(file)?;
        // SAFETY: as many bytes of the caller's.
        let reader = Reader::from_bytes(unsafe { elements(encoded, encoded_bytes) }?.to_vec())?;
        file.put(Box::into_raw(Box::new(File::new(reader))));
        Ok(())
    })
}

/// Closes a file that scicodec_open or scicodec_open_bytes made, and so ends the life of its texts; NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_close(file: *mut File) {
    // SAFETY: it came from there, and is freed once.
    call(|| unsafe { free(file) });
}

/// The number of variables; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_variable_count(file: *const File) -> usize {
    handle(file).map_or(0, |file| file.texts.len())
}

/// The number of the variable of this name, counted from 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_find_variable(
    file: *const File,
    name: *const c_char,
    variable: *mut usize,
) -> Status {
    call(|| {
        // SAFETY: a text of the caller's.
        let (file, name, variable) = (handle(file)?, unsafe { text(name) }?, place(variable)?);
        let variables = file.reader.variables();
        let Some(found) = variables.iter().position(|v| v.name == name) else {
            let names: Vec<&str> = variables.iter().map(|v| v.name.as_str()).collect();
            return invalid(format!("no variable named {name:?}: there are {names:?}"));
        };
        variable.put(found);
        Ok(())
    })
}

/// What a file says of a variable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_describe(file: *const File, variable: usize, info: *mut VariableInfo) -> Status {
    call(|| {
        let (file, info) = (handle(file)?, place(info)?);
        let (v, texts) = find(file, variable)?;
        let six = |extents: &[u64]| std::array::from_fn(|axis| extents.get(axis).copied().unwrap_or(0));
        info.put(VariableInfo {
            name: texts.name.as_ptr(),
            units: texts.units.as_ptr(),
            error_bound: texts.bound.as_ptr(),
            dtype: v.dtype as u32,
            rank: v.shape.len(),
            shape: six(&v.shape),
            chunk_shape: six(&v.chunk_shape),
            value_bytes: v.raw_bytes(),
            encoded_bytes: v.compressed_bytes(),
            attributes: texts.attributes.len(),
            named_dimensions: u32::from(!texts.dimensions.is_empty()),
        });
        Ok(())
    })
}

/// Name and value of an attribute of a variable, counted from 0. The texts are valid until the file is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_attribute(
    file: *const File,
    variable: usize,
    attribute: usize,
    name: *mut *const c_char,
    value: *mut *const c_char,
) -> Status {
    call(|| {
        let (file, name, value) = (handle(file)?, place(name)?, place(value)?);
        let (_, texts) = find(file, variable)?;
        let Some(pair) = texts.attributes.get(attribute) else {
            return invalid(format!("attribute {attribute} of {}", texts.attributes.len()));
        };
        name.put(pair.0.as_ptr());
        value.put(pair.1.as_ptr());
        Ok(())
    })
}

/// The name of an axis of a variable, counted from 0, slowest first. The text is valid until the file is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_dimension(
    file: *const File,
    variable: usize,
    axis: usize,
    name: *mut *const c_char,
) -> Status {
    call(|| {
        let (file, name) = (handle(file)?, place(name)?);
        let (_, texts) = find(file, variable)?;
        let Some(text) = texts.dimensions.get(axis) else {
            return invalid(format!("axis {axis} of {} that have names", texts.dimensions.len()));
        };
        name.put(text.as_ptr());
        Ok(())
    })
}

/// Decodes a variable into `values`, memory of the caller's of exactly `value_bytes` bytes. `threads`: 0 is one per core;
/// the values do not depend on it. After an error the memory holds anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_decode(
    file: *const File,
    variable: usize,
    threads: usize,
    values: *mut c_void,
    value_bytes: usize,
) -> Status {
    call(|| {
        let file = handle(file)?;
        let region = Region::all(&find(file, variable)?.0.shape);
        // SAFETY: as many bytes of the caller's, for us alone during this call.
        let out = unsafe { elements_mut(values.cast(), value_bytes) }?;
        file.reader.decode_region_into(variable, &region, threads, out)
    })
}

/// Decodes a box: from the index `start[k]` on, `extent[k]` indices along each axis k, slowest axis first; both have as many
/// entries as the variable has axes. Only the chunks that it touches are read. The rest is as with scicodec_decode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn scicodec_decode_region(
    file: *const File,
    variable: usize,
    start: *const u64,
    extent: *const u64,
    threads: usize,
    values: *mut c_void,
    value_bytes: usize,
) -> Status {
    call(|| {
        let file = handle(file)?;
        let shape = &find(file, variable)?.0.shape;
        // SAFETY: as many numbers of the caller's as there are axes.
        let (start, extent) = unsafe { (axes(shape.len(), start)?, axes(shape.len(), extent)?) };
        let mut ranges = vec![];
        for ((&a, &n), &all) in start.iter().zip(extent).zip(shape) {
            match a.checked_add(n) {
                Some(b) if b <= all => ranges.push(a..b),
                _ => return invalid(format!("a box at {start:?} of {extent:?} is not inside {shape:?}")),
            }
        }
        // SAFETY: as many bytes of the caller's, for us alone during this call.
        let out = unsafe { elements_mut(values.cast(), value_bytes) }?;
        file.reader.decode_region_into(variable, &Region(ranges), threads, out)
    })
}

/// Runs the work of a call. Nothing unwinds into C.
fn call(work: impl FnOnce() -> Result<(), Error>) -> Status {
    let (status, message) = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return Status::Ok,
        Ok(Err(e)) => (Status::of(&e), e.to_string()),
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            (Status::Defect, format!("a defect of scicodec: {}", said.unwrap_or("panic")))
        }
    };
    note(&message);
    status
}

fn invalid<T>(what: String) -> Result<T, Error> {
    Err(Error::InvalidArgument(what))
}

fn null<T>() -> Result<T, Error> {
    invalid("a pointer is NULL".into())
}

fn find(file: &File, variable: usize) -> Result<(&scicodec::Variable, &crate::file::Texts), Error> {
    match (file.reader.variables().get(variable), file.texts.get(variable)) {
        (Some(v), Some(texts)) => Ok((v, texts)),
        _ => invalid(format!("variable {variable} of {}", file.texts.len())),
    }
}

/// A handle that the caller has lent for the call.
fn handle<'a, T>(pointer: *const T) -> Result<&'a T, Error> {
    // SAFETY: handles come from this library and are valid until they are freed.
    unsafe { pointer.as_ref() }.map_or_else(null, Ok)
}

/// Options that the caller has lent for changing.
fn changed<'a>(options: *mut Options) -> Result<&'a mut Options, Error> {
    // SAFETY: they came from this library, are not freed, and nobody else uses them during the call.
    unsafe { options.as_mut() }.map_or_else(null, Ok)
}

/// Where a result goes. What is there need not be initialised.
struct Place<T>(ptr::NonNull<T>);

fn place<T>(pointer: *mut T) -> Result<Place<T>, Error> {
    ptr::NonNull::new(pointer).map_or_else(null, |p| Ok(Place(p)))
}

impl<T> Place<T> {
    fn put(self, value: T) {
        // SAFETY: the caller points to memory for such a value.
        unsafe { self.0.write(value) }
    }
}

/// SAFETY: `text` is NULL, or ends in a 0 and lives as long as the call.
unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Error> {
    if text.is_null() {
        return null();
    }
    // SAFETY: see above.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Error::InvalidArgument(format!("{text:?} is not UTF-8")))
}

/// SAFETY: `extents` is NULL, or `rank` numbers that live as long as the call.
unsafe fn axes<'a>(rank: usize, extents: *const u64) -> Result<&'a [u64], Error> {
    if rank > SCICODEC_MAX_RANK {
        return invalid(format!("{rank} axes: {SCICODEC_MAX_RANK} are the most"));
    }
    // SAFETY: see above.
    unsafe { elements(extents, rank) }
}

/// SAFETY: `first` is NULL, or `count` elements that live as long as the call.
unsafe fn elements<'a, T>(first: *const T, count: usize) -> Result<&'a [T], Error> {
    match (first.is_null(), count) {
        (_, 0) => Ok(&[]),
        (true, _) => null(),
        // SAFETY: see above.
        _ => Ok(unsafe { slice::from_raw_parts(first, count) }),
    }
}

/// SAFETY: `first` is NULL, or `count` bytes that live as long as the call, and that nobody else uses.
unsafe fn elements_mut<'a>(first: *mut u8, count: usize) -> Result<&'a mut [u8], Error> {
    match (first.is_null(), count) {
        (_, 0) => Ok(&mut []),
        (true, _) => null(),
        // SAFETY: see above.
        _ => Ok(unsafe { slice::from_raw_parts_mut(first, count) }),
    }
}

/// SAFETY: `made` is NULL, or came from `Box::into_raw` and is not used again.
unsafe fn free<T: ?Sized>(made: *mut T) -> Result<(), Error> {
    if !made.is_null() {
        // SAFETY: see above.
        drop(unsafe { Box::from_raw(made) });
    }
    Ok(())
}
