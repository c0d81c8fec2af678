//! Files are read within a bound, and what goes wrong is told in a few words.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "no permission to read it".to_string(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_string(),
        _ => error.to_string(),
    };
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
