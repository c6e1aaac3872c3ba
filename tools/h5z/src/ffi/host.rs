//! The libhdf5 that is calling, and what it knows of a dataset.
//!
//! A process can hold several: each Python wheel brings its own, with hidden names. So the return addresses on the stack
//! tell which one called, and its functions are looked up in it.
// HDF5's names are kept.
#![allow(non_snake_case)]
use crate::Parameters;
use scicodec::{BoundKind, DType, Error, Fill};
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::{mem, ptr};

/// `hid_t`, since HDF5 1.10.
pub(super) type Hid = i64;

/// The functions of libhdf5 that are used, by their signatures, and pointers to its variables.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) -> $result:ty;)*) => {
        pub(super) struct Host {
            library: *mut c_void,
            $($name: unsafe extern "C" fn($($argument),*) -> $result,)*
        }

        impl Host {
            fn load(library: *mut c_void) -> Result<Host, Error> {
                $(
                    let found = symbol(library, concat!(stringify!($name), "\0"));
                    if found.is_null() {
                        let feature = concat!("an HDF5 library that hides ", stringify!($name));
                        return Err(Error::Unsupported { feature: feature.into() });
                    }
                    // SAFETY: it is the function of this name, whose signature HDF5 has kept since 1.10.
                    let $name = unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) -> $result>(found) };
                )*
                Ok(Host { library, $($name),* })
            }
        }
    };
}

functions! {
    H5Ecreate_stack: fn() -> Hid;
    H5Eset_current_stack: fn(Hid) -> c_int;
    H5Pget_nfilters: fn(Hid) -> c_int;
    H5Pget_filter2: fn(Hid, c_uint, *mut c_uint, *mut usize, *mut c_uint, usize, *mut c_char, *mut c_uint) -> c_int;
    H5Pget_filter_by_id2: fn(Hid, c_int, *mut c_uint, *mut usize, *mut c_uint, usize, *mut c_char, *mut c_uint) -> c_int;
    H5Pmodify_filter: fn(Hid, c_int, c_uint, usize, *const c_uint) -> c_int;
    H5Pfill_value_defined: fn(Hid, *mut c_int) -> c_int;
    H5Pget_fill_value: fn(Hid, Hid, *mut c_void) -> c_int;
    H5Sget_simple_extent_ndims: fn(Hid) -> c_int;
    H5Sget_simple_extent_dims: fn(Hid, *mut u64, *mut u64) -> c_int;
    H5Tget_class: fn(Hid) -> c_int;
    H5Tget_size: fn(Hid) -> usize;
    H5Tget_order: fn(Hid) -> c_int;
    H5Tget_sign: fn(Hid) -> c_int;
    H5Tget_precision: fn(Hid) -> usize;
    H5Tget_offset: fn(Hid) -> c_int;
    H5Tget_fields: fn(Hid, *mut usize, *mut usize, *mut usize, *mut usize, *mut usize) -> c_int;
    H5Tget_ebias: fn(Hid) -> usize;
}

/// `H5Epush2`, which takes its message as `printf` does.
type Push = unsafe extern "C" fn(Hid, *const c_char, *const c_char, c_uint, Hid, Hid, Hid, *const c_char, ...) -> c_int;

/// Element type and byte order.
#[derive(Clone, Copy)]
pub(super) struct Element {
    pub dtype: DType,
    pub big_endian: bool,
}

const ID: c_int = crate::FILTER_ID as c_int;

impl Host {
    /// The libhdf5 that has called this plugin.
    pub fn find() -> Result<Host, Error> {
        Host::load(caller())
    }

    /// Refuses a pipeline in which another filter comes before: this one must see the values themselves.
    pub fn first_in_pipeline(&self, properties: Hid) -> Result<(), Error> {
        // SAFETY: `properties` is libhdf5's; every pointer is to a value of ours, or null with a length of 0.
        let first = unsafe {
            let (mut flags, mut count, mut config) = (0, 0, 0);
            match (self.H5Pget_nfilters)(properties) {
                0 => ID,
                _ => (self.H5Pget_filter2)(
                    properties,
                    0,
                    &mut flags,
                    &mut count,
                    ptr::null_mut(),
                    0,
                    ptr::null_mut(),
                    &mut config,
                ),
            }
        };
        let name = match first {
            ID => return Ok(()),
            1 => "deflate",
            2 => "shuffle",
            3 => "fletcher32",
            4 => "szip",
            5 => "nbit",
            6 => "scaleoffset",
            _ => "another filter",
        };
        Err(Error::InvalidArgument(format!(
            "{name} comes before scicodec, which must be the first filter of a dataset"
        )))
    }

    /// Whether chunks may stay as they are where the filter does not fit.
    pub fn is_optional(&self, properties: Hid) -> Result<bool, Error> {
        Ok(self.parameters(properties)?.0 & 1 != 0)
    }

    /// Flags and `cd_values`.
    pub fn parameters(&self, properties: Hid) -> Result<(c_uint, Vec<u32>), Error> {
        let mut values = vec![0; 64];
        let (mut flags, mut count, mut config) = (0, values.len(), 0);
        // SAFETY: `count` is the length of `values`; the other pointers are to values of ours, or null with a length of 0.
        let status = unsafe {
            (self.H5Pget_filter_by_id2)(
                properties,
                ID,
                &mut flags,
                &mut count,
                values.as_mut_ptr(),
                0,
                ptr::null_mut(),
                &mut config,
            )
        };
        refuse(status < 0, "H5Pget_filter_by_id")?;
        values.truncate(count);
        Ok((flags, values))
    }

    pub fn set_parameters(&self, properties: Hid, flags: c_uint, values: &[u32]) -> Result<(), Error> {
        // SAFETY: the length is that of `values`.
        let status = unsafe { (self.H5Pmodify_filter)(properties, ID, flags, values.len(), values.as_ptr()) };
        refuse(status < 0, "H5Pmodify_filter")
    }

    /// The dtype that a datatype is. Errors: `Unsupported`, with what is supported.
    pub fn element(&self, datatype: Hid) -> Result<Element, Error> {
        // SAFETY: `datatype` is libhdf5's.
        let (class, size, order) =
            unsafe { ((self.H5Tget_class)(datatype), (self.H5Tget_size)(datatype), (self.H5Tget_order)(datatype)) };
        let dtype = match class {
            0 => self.integer(datatype, size),
            1 => self.float(datatype, size),
            _ => None,
        };
        // 0 is little-endian, 1 big-endian; others are mixed.
        match dtype {
            Some(dtype) if order == 0 || order == 1 => Ok(Element { dtype, big_endian: order == 1 && size > 1 }),
            _ => Err(Error::Unsupported {
                feature: format!(
                    "{} of {size} bytes: scicodec takes IEEE floats of 16, 32 and 64 bits and integers of 8 to 64 bits",
                    class_name(class)
                ),
            }),
        }
    }

    fn integer(&self, datatype: Hid, size: usize) -> Option<DType> {
        // SAFETY: `datatype` is libhdf5's.
        let (sign, precision, offset) = unsafe {
            ((self.H5Tget_sign)(datatype), (self.H5Tget_precision)(datatype), (self.H5Tget_offset)(datatype))
        };
        if precision != size * 8 || offset != 0 {
            return None;
        }
        match (sign, size) {
            (0, 1) => Some(DType::U8),
            (0, 2) => Some(DType::U16),
            (0, 4) => Some(DType::U32),
            (0, 8) => Some(DType::U64),
            (1, 1) => Some(DType::I8),
            (1, 2) => Some(DType::I16),
            (1, 4) => Some(DType::I32),
            (1, 8) => Some(DType::I64),
            _ => None,
        }
    }

    fn float(&self, datatype: Hid, size: usize) -> Option<DType> {
        let (mut sign, mut exponent, mut exponent_bits, mut mantissa, mut mantissa_bits) = (0, 0, 0, 0, 0);
        // SAFETY: `datatype` is libhdf5's, the pointers are to values of ours.
        let (status, bias) = unsafe {
            let status = (self.H5Tget_fields)(
                datatype,
                &mut sign,
                &mut exponent,
                &mut exponent_bits,
                &mut mantissa,
                &mut mantissa_bits,
            );
            (status, (self.H5Tget_ebias)(datatype))
        };
        let fields = (sign, exponent, exponent_bits, mantissa, mantissa_bits, bias);
        match (status < 0, size, fields) {
            (false, 2, (15, 10, 5, 0, 10, 15)) => Some(DType::F16),
            (false, 4, (31, 23, 8, 0, 23, 127)) => Some(DType::F32),
            (false, 8, (63, 52, 11, 0, 52, 1023)) => Some(DType::F64),
            _ => None,
        }
    }

    /// Extents of a chunk, slowest first: the space that libhdf5 gives to filters is that of a chunk.
    pub fn chunk_shape(&self, space: Hid) -> Result<Vec<u32>, Error> {
        let mut extents = [0u64; 32];
        // SAFETY: HDF5 has no spaces of more than 32 axes.
        let rank = unsafe {
            match (self.H5Sget_simple_extent_ndims)(space) {
                rank @ 1..=32 => {
                    (self.H5Sget_simple_extent_dims)(space, extents.as_mut_ptr(), ptr::null_mut()).min(rank)
                }
                _ => -1,
            }
        };
        refuse(rank < 1, "H5Sget_simple_extent_dims")?;
        let shape: Result<Vec<u32>, _> = extents[..rank as usize].iter().map(|&n| u32::try_from(n)).collect();
        shape.map_err(|_| Error::InvalidArgument(format!("chunks of {extents:?}")))
    }

    /// Bits of the fill value that is kept exactly: the one that the user has given, else the one that the dataset declares.
    ///
    /// Without one HDF5 pads chunks at the far edges with zeros, which are no data. Under bounds that speak of the chunk's
    /// range they must not widen it, so there zeros are the fill value.
    pub fn fill(
        &self,
        properties: Hid,
        datatype: Hid,
        element: Element,
        parameters: &Parameters,
    ) -> Result<Option<u64>, Error> {
        if let Some(value) = parameters.fill {
            return Fill::Value(value).bits(element.dtype).map(Some);
        }
        const DEFAULT: c_int = 1;
        const DECLARED: c_int = 2;
        let mut status = 0;
        // SAFETY: the pointer is to a value of ours.
        let got = unsafe { (self.H5Pfill_value_defined)(properties, &mut status) };
        refuse(got < 0, "H5Pfill_value_defined")?;
        let of_range = matches!(parameters.bound.kind, BoundKind::Rel | BoundKind::Psnr | BoundKind::Nrmse);
        if status == DEFAULT && of_range {
            return Ok(Some(0));
        }
        if status != DECLARED {
            return Ok(None);
        }
        let mut bytes = [0u8; 8];
        // SAFETY: elements of this datatype have `size` bytes, at most 8.
        let got = unsafe { (self.H5Pget_fill_value)(properties, datatype, bytes.as_mut_ptr().cast()) };
        refuse(got < 0, "H5Pget_fill_value")?;
        if element.big_endian {
            bytes[..element.dtype.size()].reverse();
        }
        Ok(Some(u64::from_le_bytes(bytes)))
    }

    /// Makes a message the error stack of this thread.
    ///
    /// It is put on a new stack, which then takes the place of the thread's: from HDF5 1.14.5 on that one takes no messages
    /// while a filter runs.
    pub fn tell(&self, message: &str) {
        let message = CString::new(format!("scicodec: {}", message.replace('\0', " "))).unwrap_or_default();
        let push = symbol(self.library, "H5Epush2\0");
        if push.is_null() {
            return;
        }
        // SAFETY: `H5Epush2` has this signature; the texts end in 0, and the format takes one. The new stack is given away.
        unsafe {
            let push = mem::transmute::<*mut c_void, Push>(push);
            let stack = (self.H5Ecreate_stack)();
            push(
                stack,
                c"h5z".as_ptr(),
                c"scicodec".as_ptr(),
                0,
                self.id("H5E_ERR_CLS_g\0"),
                self.id("H5E_PLINE_g\0"),
                self.id("H5E_CANTFILTER_g\0"),
                c"%s".as_ptr(),
                message.as_ptr(),
            );
            (self.H5Eset_current_stack)(stack);
        }
    }

    /// A variable of libhdf5 that holds an id.
    fn id(&self, name: &str) -> Hid {
        let variable = symbol(self.library, name);
        // SAFETY: it is a variable of this type, set when libhdf5 started.
        if variable.is_null() { -1 } else { unsafe { *variable.cast::<Hid>() } }
    }
}

fn refuse(failed: bool, what: &str) -> Result<(), Error> {
    if failed { Err(Error::InvalidArgument(format!("{what} failed"))) } else { Ok(()) }
}

fn class_name(class: c_int) -> &'static str {
    match class {
        0 => "integers",
        1 => "floats",
        2 => "times",
        3 => "strings",
        4 => "bit fields",
        5 => "opaque elements",
        6 => "compounds",
        7 => "references",
        8 => "enumerations",
        9 => "sequences of any length",
        10 => "arrays",
        11 => "complex numbers",
        _ => "elements",
    }
}

/// `name` ends in 0.
fn symbol(library: *mut c_void, name: &str) -> *mut c_void {
    // SAFETY: the name ends in 0; the handle is that of a library that is loaded.
    unsafe { libc::dlsym(library, name.as_ptr().cast()) }
}

/// What `_Unwind_Backtrace` gives to its callback.
#[repr(C)]
struct Frame {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    // Of the unwinder that Rust's standard library is linked to.
    fn _Unwind_Backtrace(visit: extern "C" fn(*mut Frame, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(frame: *mut Frame) -> usize;
}

/// A handle of the library that has called into this one; the names that all share, where it cannot be told.
fn caller() -> *mut c_void {
    let mut found: libc::Dl_info = nowhere();
    // SAFETY: `visit` takes a `Dl_info` as its data.
    unsafe { _Unwind_Backtrace(visit, (&raw mut found).cast()) };
    if found.dli_fname.is_null() {
        return libc::RTLD_DEFAULT;
    }
    // SAFETY: the name is of a library that is loaded: it has called us. Nothing is loaded here.
    let handle = unsafe { libc::dlopen(CStr::from_ptr(found.dli_fname).as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY) };
    if handle.is_null() {
        return libc::RTLD_DEFAULT;
    }
    // SAFETY: the caller keeps its library loaded; the count that `dlopen` has raised goes back.
    unsafe { libc::dlclose(handle) };
    handle
}

fn nowhere() -> libc::Dl_info {
    libc::Dl_info {
        dli_fname: ptr::null(),
        dli_fbase: ptr::null_mut(),
        dli_sname: ptr::null(),
        dli_saddr: ptr::null_mut(),
    }
}

/// Stops at the first frame that is not in this library.
extern "C" fn visit(frame: *mut Frame, data: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const STOP: c_int = 4;
    let (mut here, mut there) = (nowhere(), nowhere());
    // SAFETY: `frame` is the unwinder's, and `dladdr` takes any address.
    unsafe {
        let address = _Unwind_GetIP(frame) as *const c_void;
        if libc::dladdr(visit as *const c_void, &mut here) == 0 || libc::dladdr(address, &mut there) == 0 {
            return GO_ON;
        }
        if here.dli_fbase == there.dli_fbase {
            return GO_ON;
        }
        *data.cast::<libc::Dl_info>() = there;
    }
    STOP
}
