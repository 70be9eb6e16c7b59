//! The layer: a VFS that passes everything to the one that was the default, and notes what changes files.
//!
//! A file of ours is a [`Shim`] with the real file behind it in the same allocation, which SQLite makes (`szOsFile`).

use crate::{Op, Recorder};
use rusqlite::ffi::{
    self, SQLITE_OK, sqlite3_file, sqlite3_filename, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs,
};
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

/// Name under which SQLite knows it.
const NAME: &CStr = c"roundsman-disk";

static RECORDER: Recorder = Recorder { log: Mutex::new(None) };
static REAL: OnceLock<Real> = OnceLock::new();

/// The VFS that does the work.
struct Real(*mut sqlite3_vfs);

// SAFETY: SQLite's built-in VFS lives as long as the process, its functions may be called from any thread, and nobody
// writes to the structure after it was registered.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

/// An open file: what SQLite looks at first, then ours. The real file follows it.
#[repr(C)]
struct Shim {
    base: sqlite3_file,
    /// Null for a temporary file without a name.
    path: *mut PathBuf,
}

/// Puts the layer under everything that this process opens from now on; the same recorder at every call.
pub fn install() -> &'static Recorder {
    REAL.get_or_init(|| {
        // SAFETY: no arguments; it is the call that makes the built-in VFS known.
        unsafe { ffi::sqlite3_initialize() };
        // SAFETY: a null name asks for the default VFS, which is always there once SQLite is initialized.
        let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        // SAFETY: a registered VFS points at a whole structure that is never freed; a copy of it is plain data.
        let mut ours: sqlite3_vfs = unsafe { std::ptr::read(real) };
        ours.zName = NAME.as_ptr();
        ours.pNext = std::ptr::null_mut();
        ours.szOsFile += size_of::<Shim>() as c_int;
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        // SAFETY: the structure is leaked, so it lives for ever; every other function of it is the built-in VFS's own
        // and gets the same `pAppData` as there.
        unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 1) };
        Real(real)
    });
    &RECORDER
}

fn real_vfs() -> *mut sqlite3_vfs {
    REAL.get().map_or(std::ptr::null_mut(), |real| real.0)
}

/// The real file behind ours.
///
/// # Safety
/// `file` is one of ours.
unsafe fn behind(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite allocated `szOsFile` bytes: a `Shim`, then what the real VFS asks for. Both are
    // structures of pointers, aligned to 8 like every allocation of SQLite, and two pointers keep that alignment.
    unsafe { file.cast::<Shim>().add(1).cast() }
}

/// A function of the real file.
///
/// # Safety
/// `file` is one of ours and open.
unsafe fn methods(file: *mut sqlite3_file) -> &'static sqlite3_io_methods {
    // SAFETY: an open file of the real VFS points at one of its constant tables.
    unsafe { &*(*behind(file)).pMethods }
}

/// Notes an operation on a file that has a name.
///
/// # Safety
/// `file` is one of ours and open.
unsafe fn note(file: *mut sqlite3_file, op: impl FnOnce(String) -> Op) {
    // SAFETY: `open` wrote the field; it is null or a box that only `close` frees.
    if let Some(path) = unsafe { (*file.cast::<Shim>()).path.as_ref() } {
        RECORDER.note(path, op);
    }
}

/// # Safety
/// `name` is null or ends with a zero byte.
unsafe fn path(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: checked for null here, the zero byte is the caller's promise.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let real = real_vfs();
    // SAFETY: SQLite gives names that end with a zero byte, or null.
    let path = unsafe { path(name) };
    let is_new = path.as_ref().is_some_and(|path| !path.exists());
    // SAFETY: `file` has room for a `Shim` and the real file; the real VFS is called with its own structure and with
    // the arguments that SQLite meant for it.
    let code = unsafe { (*real).xOpen.map_or(SQLITE_OK, |open| open(real, name, behind(file), flags, out)) };
    // SAFETY: as above; without methods SQLite does not close the file.
    unsafe { (*file).pMethods = std::ptr::null() };
    if code != SQLITE_OK {
        return code;
    }
    if let Some(path) = path.as_ref().filter(|_| is_new) {
        RECORDER.note(path, Op::Create);
    }
    let path = path.map_or(std::ptr::null_mut(), |path| Box::into_raw(Box::new(path)));
    // SAFETY: the allocation is large enough and aligned for a `Shim`, and nobody else looks at it yet.
    unsafe { file.cast::<Shim>().write(Shim { base: sqlite3_file { pMethods: &METHODS }, path }) };
    code
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    let real = real_vfs();
    // SAFETY: the real VFS is called with its own structure and the arguments that SQLite meant for it.
    let code = unsafe { (*real).xDelete.map_or(SQLITE_OK, |delete| delete(real, name, sync_dir)) };
    // SAFETY: SQLite gives names that end with a zero byte.
    if let (SQLITE_OK, Some(path)) = (code, unsafe { path(name) }) {
        RECORDER.note(&path, |name| Op::Delete(name, sync_dir != 0));
    }
    code
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file of ours once.
    let code = unsafe { methods(file).xClose.map_or(SQLITE_OK, |close| close(behind(file))) };
    // SAFETY: `open` wrote the field, and nobody uses the file after this call.
    let path = unsafe { (*file.cast::<Shim>()).path };
    if !path.is_null() {
        // SAFETY: the box that `open` made, given back once.
        drop(unsafe { Box::from_raw(path) });
    }
    code
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    data: *const c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: the arguments that SQLite meant for the real file.
    let code = unsafe { methods(file).xWrite.map_or(SQLITE_OK, |w| w(behind(file), data, length, at)) };
    if code == SQLITE_OK {
        // SAFETY: SQLite gives that many readable bytes.
        let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length.unsigned_abs() as usize) };
        // SAFETY: an open file of ours.
        unsafe { note(file, |name| Op::Write(name, at.unsigned_abs(), bytes.to_vec())) };
    }
    code
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: the arguments that SQLite meant for the real file.
    let code = unsafe { methods(file).xTruncate.map_or(SQLITE_OK, |t| t(behind(file), size)) };
    if code == SQLITE_OK {
        // SAFETY: an open file of ours.
        unsafe { note(file, |name| Op::Truncate(name, size.unsigned_abs())) };
    }
    code
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // The real flush is left out: the log decides what is durable here, and tests are faster without.
    let _ = flags;
    // SAFETY: an open file of ours.
    unsafe { note(file, Op::Sync) };
    SQLITE_OK
}

/// Functions that are passed on as they are.
macro_rules! passed_on {
    ($($name:ident = $real:ident($($argument:ident: $kind:ty),*);)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $kind),*) -> c_int {
            // SAFETY: the arguments that SQLite meant for the real file of an open file of ours.
            unsafe { methods(file).$real.map_or(SQLITE_OK, |real| real(behind(file), $($argument),*)) }
        }
    )*};
}

passed_on! {
    read = xRead(data: *mut c_void, length: c_int, at: sqlite3_int64);
    file_size = xFileSize(size: *mut sqlite3_int64);
    lock = xLock(level: c_int);
    unlock = xUnlock(level: c_int);
    check_reserved_lock = xCheckReservedLock(out: *mut c_int);
    file_control = xFileControl(op: c_int, argument: *mut c_void);
    sector_size = xSectorSize();
    device_characteristics = xDeviceCharacteristics();
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int);
    shm_unmap = xShmUnmap(delete: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: an open file of ours.
    if let Some(barrier) = unsafe { methods(file) }.xShmBarrier {
        // SAFETY: the real file of it.
        unsafe { barrier(behind(file)) };
    }
}

/// Version 2: with shared memory, without memory-mapped pages.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
