//! What went wrong, as a number and in words.
use scicodec::Error;
use std::cell::RefCell;
use std::ffi::{CString, c_char};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// As asked.
    Ok = 0,
    /// The operating system refused.
    Io = 1,
    /// The bytes are damaged, cut short, or no .scz file.
    Corrupt = 2,
    /// Valid, but of a kind that this version does not know.
    Unsupported = 3,
    /// More memory would be needed than the library's limits allow.
    Limit = 4,
    /// The arguments make no sense, alone or together.
    InvalidArgument = 5,
    /// A model that the data was coded with is not at hand.
    ModelMissing = 6,
    /// A defect of the library. Nothing was written; objects of the call can still be freed.
    Defect = 7,
}

impl Status {
    pub(crate) fn of(e: &Error) -> Status {
        match e {
            Error::Io(_) => Status::Io,
            Error::Container(_)
            | Error::Corrupt { .. }
            | Error::Truncated { .. }
            | Error::MissingChunk { .. }
            | Error::MissingReference { .. } => Status::Corrupt,
            Error::Unsupported { .. } => Status::Unsupported,
            Error::Limit { .. } => Status::Limit,
            Error::InvalidArgument(_) => Status::InvalidArgument,
            Error::ModelMissing { .. } => Status::ModelMissing,
            _ => Status::Defect,
        }
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

/// Notes what went wrong on this thread.
pub(crate) fn note(message: &str) {
    // Where the thread is ending, nobody will ask.
    let _ = LAST.try_with(|last| *last.borrow_mut() = c_text(message));
}

/// What was noted last. Valid until the next note on this thread.
pub(crate) fn noted() -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// A text for C, which ends at its first 0: those within become U+FFFD.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}
