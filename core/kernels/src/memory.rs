//! Keeping freed memory for reuse (glibc only).

/// Tells the C library to keep memory that is freed for the next allocation, instead of giving it back to the system.
/// A network allocates and frees the same large tensors over and over, and each time the system would hand out the
/// pages anew, filled with zeros: on two cores that is a third of DenseNet's time, and a sixth of a training step at
/// 224 pixels.
///
/// The price is that the process keeps the most memory that it has ever had. So this is for programs to decide, at
/// their start, and not for a library. Only glibc, Linux' usual C library, is told anything; elsewhere this does
/// nothing.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // Above this size glibc maps each block by itself, and unmaps it when it is freed. No block may be mapped so,
        // and the top of the heap, however much of it is free, stays where it is.
        for (parameter, value) in [(libc::M_MMAP_MAX, 0), (libc::M_TRIM_THRESHOLD, libc::c_int::MAX)] {
            // SAFETY: mallopt takes two plain numbers, may be called at any time and from any thread, and changes
            // nothing about memory that is in use. What it answers (0 for a parameter that it does not know) is of no
            // consequence.
            #[allow(unsafe_code)]
            unsafe {
                libc::mallopt(parameter, value)
            };
        }
    }
}
