//! Documents, from text to places.

pub(crate) mod hostile;
mod places;
mod syntax;

use super::{Documents, Files, Place};
use crate::fault::Faults;
use std::{cell::RefCell, collections::HashMap};

/// Files in memory, and how often each was read.
#[derive(Default)]
pub(crate) struct Folder {
    files: HashMap<String, Vec<u8>>,
    pub(crate) read: RefCell<Vec<String>>,
}

impl Folder {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        Self { files, read: RefCell::default() }
    }
}

impl Files for Folder {
    fn read(&self, location: &str) -> Result<Vec<u8>, String> {
        self.read.borrow_mut().push(location.to_owned());
        self.files.get(location).cloned().ok_or_else(|| "There is no such file.".to_owned())
    }
}

pub(crate) fn read(files: &[(&str, &str)]) -> Result<Documents, Faults> {
    Documents::read(files[0].0, &Folder::of(files))
}

pub(crate) fn read_bytes(name: &str, bytes: &[u8]) -> Result<Documents, Faults> {
    let files = HashMap::from([(name.to_owned(), bytes.to_vec())]);
    Documents::read(name, &Folder { files, read: RefCell::default() })
}

fn root(pointer: &str) -> Place {
    Place { file: super::FileId(0), pointer: pointer.to_owned() }
}

/// Every fault as one line of text.
fn faults(result: Result<Documents, Faults>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(|fault| format!("{}: {}", fault.spot, fault.message)).collect(),
    }
}
