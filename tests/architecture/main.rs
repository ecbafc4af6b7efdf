//! What the compiler does not hold the architecture to: modules form no circles, and the crates that compute know no runtime.

mod circles;
mod modules;
mod runtimes;
