//! All pages as files that can be opened from a disk or put below any path of any server.

use crate::{
    format::Format,
    links::{Links, file},
    model::Live,
    site::Site,
};

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path below the folder, with slashes: `errors/KEY_NOT_SET.html`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Site {
    /// The paths of all files of an export, in its order.
    pub fn file_names(&self) -> impl Iterator<Item = String> {
        self.addresses().flat_map(|address| Format::ALL.map(|format| file(&address, format)))
    }

    /// Every page in every form, with relative links, one page after the other.
    pub fn export<'s>(&'s self, live: &'s Live) -> impl Iterator<Item = File> + 's {
        self.addresses().flat_map(move |address| {
            let pages = self.write_all(address, live, &Links::Files);
            Format::ALL
                .into_iter()
                .zip(pages)
                .map(move |(format, text)| File { path: file(&address, format), text })
        })
    }
}
