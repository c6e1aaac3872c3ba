//! What libhdf5 calls: the plugin's two functions and the filter's three. All `unsafe` of this crate is in this module.
#![allow(unsafe_code)]
mod host;

use crate::{Decoder, FILTER_ID, Layout, Parameters, chunk};
use host::{Hid, Host};
use scicodec::Error;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

/// `H5Z_class2_t`.
#[repr(C)]
pub struct FilterClass {
    version: c_int,
    id: c_int,
    encoder_present: c_uint,
    decoder_present: c_uint,
    name: *const c_char,
    can_apply: extern "C" fn(Hid, Hid, Hid) -> c_int,
    set_local: extern "C" fn(Hid, Hid, Hid) -> c_int,
    filter: extern "C" fn(c_uint, usize, *const c_uint, usize, *mut usize, *mut *mut c_void) -> usize,
}

// SAFETY: it is never changed, and its pointer is to a constant.
unsafe impl Sync for FilterClass {}

const NAME: &CStr = c"scicodec";

static CLASS: FilterClass = FilterClass {
    version: 1,
    id: FILTER_ID as c_int,
    encoder_present: 1,
    decoder_present: 1,
    name: NAME.as_ptr(),
    can_apply,
    set_local,
    filter,
};

/// `H5PL_TYPE_FILTER`: the plugin is a filter.
#[unsafe(no_mangle)]
pub extern "C" fn H5PLget_plugin_type() -> c_int {
    0
}

/// The filter.
#[unsafe(no_mangle)]
pub extern "C" fn H5PLget_plugin_info() -> *const c_void {
    (&raw const CLASS).cast()
}

/// Whether a dataset is one for this filter: 1 yes, 0 no (an optional filter is then left out), below 0 an error.
extern "C" fn can_apply(properties: Hid, datatype: Hid, _space: Hid) -> c_int {
    guarded(-1, || {
        let host = Host::find()?;
        host.first_in_pipeline(properties)?;
        let Err(why) = host.element(datatype) else { return Ok(1) };
        // An optional filter is left out without a word.
        if !host.is_optional(properties)? {
            host.tell(&why.to_string());
        }
        Ok(0)
    })
}

/// Puts what the encoder must know of a dataset behind the user's parameters.
extern "C" fn set_local(properties: Hid, datatype: Hid, space: Hid) -> c_int {
    guarded(-1, || {
        let host = Host::find()?;
        // Where the filter is optional and does not fit, chunks are stored as they are.
        let Ok(element) = host.element(datatype) else { return Ok(0) };
        let (flags, values) = host.parameters(properties)?;
        // Where a dataset is a copy of another, words of that one's layout follow.
        let (parameters, _) = Parameters::from_values(&values)?;
        scicodec::validate_bound(&parameters.bound, element.dtype)?;
        let shape = host.chunk_shape(space)?;
        let fill = host.fill(properties, datatype, element, &parameters)?;
        let mut values = parameters.to_values();
        Layout { dtype: element.dtype, big_endian: element.big_endian, shape, fill }.put(&mut values);
        host.set_parameters(properties, flags, &values)?;
        Ok(0)
    })
}

/// Set in `flags` when reading.
const REVERSE: c_uint = 0x100;

/// Encodes or decodes a chunk in place: `*buf` is replaced. Gives the bytes of the result, or 0 after an error.
extern "C" fn filter(
    flags: c_uint,
    value_count: usize,
    values: *const c_uint,
    bytes: usize,
    buffer_bytes: *mut usize,
    buffer: *mut *mut c_void,
) -> usize {
    guarded(0, || {
        // SAFETY: libhdf5 gives `value_count` parameters, and a buffer whose first `bytes` bytes are the chunk.
        let (values, input) = unsafe {
            if buffer.is_null() || buffer_bytes.is_null() || (*buffer).is_null() {
                return Err(Error::InvalidArgument("no chunk was given".into()));
            }
            let values = if value_count == 0 { &[] } else { slice::from_raw_parts(values, value_count) };
            (values, slice::from_raw_parts((*buffer).cast::<u8>(), bytes))
        };
        let output = if flags & REVERSE != 0 { decode(values, input)? } else { encode(values, input)? };
        let (start, length) = output.release();
        // SAFETY: the buffer came from C's allocator, as the new one does; libhdf5 owns both, and frees the new one.
        unsafe {
            libc::free(*buffer);
            *buffer = start;
            *buffer_bytes = length;
        }
        Ok(length)
    })
}

fn encode(values: &[u32], input: &[u8]) -> Result<Buffer, Error> {
    let (parameters, rest) = Parameters::from_values(values)?;
    let encoded = chunk::encode(input, &parameters, &Layout::from_values(rest)?)?;
    let mut output = Buffer::new(encoded.len())?;
    output.bytes().copy_from_slice(&encoded);
    Ok(output)
}

/// What the parameters say does not matter, but for one thing: libhdf5 does not look at how long the result is.
fn decode(values: &[u32], input: &[u8]) -> Result<Buffer, Error> {
    let decoder = Decoder::new(input)?;
    let layout = Parameters::from_values(values).and_then(|(_, rest)| Layout::from_values(rest));
    if let Some(need) = layout.ok().and_then(|layout| layout.chunk_bytes())
        && need != decoder.bytes() as u64
    {
        let what = format!("a chunk of {need} bytes decodes to {}", decoder.bytes());
        return Err(Error::Corrupt { what, section: "10.1" });
    }
    let mut output = Buffer::new(decoder.bytes())?;
    decoder.decode_into(output.bytes())?;
    Ok(output)
}

/// Memory of C's allocator, which libhdf5 frees.
struct Buffer {
    start: *mut c_void,
    length: usize,
}

impl Buffer {
    fn new(length: usize) -> Result<Buffer, Error> {
        // SAFETY: any size may be asked.
        let start = unsafe { libc::calloc(length.max(1), 1) };
        if start.is_null() {
            return Err(Error::Io(std::io::ErrorKind::OutOfMemory.into()));
        }
        Ok(Buffer { start, length })
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: it is ours alone, of this length, and zeroed.
        unsafe { slice::from_raw_parts_mut(self.start.cast(), self.length) }
    }

    fn release(self) -> (*mut c_void, usize) {
        let released = (self.start, self.length);
        std::mem::forget(self);
        released
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: it was allocated by `new` and not released.
        unsafe { libc::free(self.start) }
    }
}

/// Runs `work`. Errors and panics go to HDF5's error stack, and `failed` to libhdf5.
fn guarded<T>(failed: T, work: impl FnOnce() -> Result<T, Error>) -> T {
    let message = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => return done,
        Ok(Err(e)) => e.to_string(),
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            format!("a defect of scicodec: {}", said.unwrap_or("panic"))
        }
    };
    // Whatever this does, nothing may unwind into C.
    let _ = catch_unwind(|| Host::find().map(|host| host.tell(&message)));
    failed
}
