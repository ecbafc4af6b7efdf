//! Mapped memory and the system call that writes to it. The only file with unsafe code.

#![allow(unsafe_code)]

use memmap2::{MmapOptions, MmapRaw};
use std::{
    fs::File,
    io,
    mem::{align_of, offset_of, size_of},
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) use std::sync::atomic::AtomicU64;

/// The initial value, which the kernel never writes: no send takes this many bytes (it stops at 2^31 - 4096).
pub(crate) const NOT_TAKEN: u32 = u32::MAX;
/// Words of a cell, see [`Cell`].
pub(crate) const CELL_WORDS: usize = size_of::<Cell>() / 8;
/// Byte offset in a cell where the kernel writes how many bytes it took.
pub(crate) const TAKEN_AT: usize = offset_of!(Cell, message) + offset_of!(libc::mmsghdr, msg_len);

const PAGE_WORDS: usize = 512;

/// The argument of `sendmmsg`, in the mapped memory.
#[repr(C)]
struct Cell {
    slice: libc::iovec,
    message: libc::mmsghdr,
}

const _: () =
    assert!(size_of::<Cell>().is_multiple_of(8) && align_of::<Cell>() <= 8 && TAKEN_AT.is_multiple_of(4));

/// Shared memory: a mapped file, accessed as words by several threads.
#[derive(Debug)]
pub(crate) struct Mapping {
    map: MmapRaw,
    // Its lock marks the memory as in use.
    _file: File,
}

impl Mapping {
    /// Maps the whole file, which must be all zeros, and writes to all of its pages. It must not be
    /// truncated.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let map = MmapOptions::new().populate().map_raw(&file)?;
        // A page that was swapped out would have to be read back while the process exits, and the
        // number that the kernel writes would be lost. Few systems swap; where locking is not
        // permitted, the guarantee depends on that.
        let _ = map.lock();
        let mapping = Self { map, _file: file };
        // Pages that were only read could still fault on a write.
        for word in mapping.words().iter().step_by(PAGE_WORDS) {
            word.store(0, Ordering::Relaxed);
        }
        Ok(mapping)
    }

    /// All of the memory.
    #[inline]
    pub(crate) fn words(&self) -> &[AtomicU64] {
        let start = self.map.as_mut_ptr().cast::<AtomicU64>();
        // SAFETY: the mapping begins at a page, is readable and writable, and lives as long as
        // `self`. Any bytes are valid atomics. All other accesses to this memory are atomic too,
        // except those to cells, which are never accessed through these words (see `send`).
        unsafe { std::slice::from_raw_parts(start, self.map.len() / 8) }
    }

    /// Where the kernel writes how many bytes it took. `cell` counts words.
    ///
    /// None: no cell fits there.
    #[inline]
    fn taken(&self, cell: usize) -> Option<&AtomicU32> {
        let start = self.cell(cell)?.cast::<u8>();
        // SAFETY: `cell` has checked that the whole cell is in the mapping, and `TAKEN_AT` is in the
        // cell and aligned. All other accesses to these four bytes are the kernel's, during `send`.
        Some(unsafe { AtomicU32::from_ptr(start.add(TAKEN_AT).cast()) })
    }

    #[inline]
    fn cell(&self, cell: usize) -> Option<*mut Cell> {
        let place = self.words().get(cell..cell.checked_add(CELL_WORDS)?)?.first()?;
        Some(ptr::from_ref(place).cast_mut().cast())
    }

    /// Marks the cell as not taken. Later `Release` stores are ordered after it.
    #[inline]
    pub(crate) fn clear_taken(&self, cell: usize) {
        if let Some(taken) = self.taken(cell) {
            taken.store(NOT_TAKEN, Ordering::Relaxed);
        }
    }

    /// Sends one message of these bytes without blocking, and lets the kernel write into the cell
    /// how many it took. Only the thread that owns the cell may call this.
    ///
    /// `sendmmsg` writes that number after the send and before it returns to the program, so a
    /// killed process has either sent nothing or left the number.
    #[inline]
    pub(crate) fn send(&self, cell: usize, socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
        let place = self.cell(cell).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let taken = self.taken(cell).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let slice = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        // SAFETY: `place` is a whole cell in the mapping, aligned (like a word), and only this
        // thread uses it. The message is written field by field, because its length belongs to
        // `taken`. An all-zero `msghdr` is valid; the kernel only reads through `iov_base`.
        let sent = unsafe {
            let message = ptr::addr_of_mut!((*place).message.msg_hdr);
            ptr::addr_of_mut!((*place).slice).write(slice);
            (*message).msg_iov = ptr::addr_of_mut!((*place).slice);
            (*message).msg_iovlen = 1;
            libc::sendmmsg(
                socket.as_raw_fd(),
                ptr::addr_of_mut!((*place).message),
                1,
                libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
            )
        };
        if sent == 1 {
            Ok(usize::try_from(taken.load(Ordering::Relaxed)).unwrap_or(0))
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

/// Sends bytes without blocking, if nothing is to be recorded in shared memory.
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: pointer and length belong to one slice, which the kernel only reads.
    let sent = unsafe {
        libc::send(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}
