//! Files are read within a bound, and what goes wrong is told in a few words.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Reads a file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let failed = |error| why(&error);
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err("it is not a file".into());
    }
    bounded(file, limit)
}

/// Reads a text file of at most 1 MiB.
pub fn read_text(path: &Path) -> Result<String, String> {
    text(read(path, LONGEST_TEXT)?)
}

/// Reads a text that is piped in, of at most 1 MiB.
pub fn read_input(input: impl Read) -> Result<String, String> {
    text(bounded(input, LONGEST_TEXT)?)
}

fn bounded(from: impl Read, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes).map_err(|error| why(&error))?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is longer than {limit} bytes"));
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}

const LONGEST_TEXT: u64 = 1 << 20;

/// What went wrong with a file, in a few words.
pub fn why(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::IsADirectory => "it is a directory".into(),
        ErrorKind::NotADirectory => "it is not a directory".into(),
        ErrorKind::NotFound => "it does not exist".into(),
        ErrorKind::PermissionDenied => "no permission to read it".into(),
        _ => error.to_string(),
    }
}
