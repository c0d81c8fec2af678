//! Files are read within a bound, and what goes wrong is told in a few words.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Reads a file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let failed = |error| why(&error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err("it is not a file".into());
    }
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is longer than {limit} bytes"));
    }
    Ok(bytes)
}

/// Reads a text file of at most 1 MiB.
pub fn read_text(path: &Path) -> Result<String, String> {
    String::from_utf8(read(path, 1 << 20)?).map_err(|_| "it is not UTF-8".into())
}

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
