//! The keys that records are sealed with: read from files, or made at the first start.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Secret bytes, newest first: the first seals, all open.
pub struct Keys {
    /// The one that seals.
    pub newest: Vec<u8>,
    /// Those that were in use before.
    pub older: Vec<Vec<u8>>,
}

/// Why a key cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("the store's key `{}` {why}", path.display())]
pub struct KeyError {
    path: PathBuf,
    why: String,
}

/// Reads the keys in `paths`, newest first; there is at least one.
///
/// A key is 32 random bytes or more: as they are, or in hexadecimal or base64, with white space around.
///
/// # Errors
/// If one cannot be read, is too short, or may be read by others.
pub fn read(newest: &Path, older: &[PathBuf]) -> Result<Keys, KeyError> {
    let older = older.iter().map(|path| key(path)).collect::<Result<_, _>>()?;
    Ok(Keys { newest: key(newest)?, older })
}

/// Reads the key at `path`, which is made if there is none. Only one process may do this at a time.
///
/// # Errors
/// As [`read`], and if it cannot be made.
pub fn read_or_make(path: &Path) -> Result<Keys, KeyError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(path).map_err(|error| refused(path, &format!("cannot be made: {error}; {MAKE_IT}")))?;
            tracing::info!(path = %path.display(), "the store's key is made");
        }
        _ => {}
    }
    read(path, &[])
}

/// Makes a key: whole, or not at all.
fn make(path: &Path) -> io::Result<()> {
    let mut secret = [0; SHORTEST];
    rand::fill(&mut secret).map_err(|_| io::Error::other("the system has no randomness to give"))?;
    let half_made = path.with_extension("key.new");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&half_made)?;
    file.write_all(format!("{}\n", hexadecimal(&secret)).as_bytes())?;
    file.sync_all()?;
    fs::rename(&half_made, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn key(path: &Path) -> Result<Vec<u8>, KeyError> {
    let unreadable = |error: io::Error| refused(path, &format!("cannot be read: {error}; {MAKE_IT}"));
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(refused(path, "is not a file"));
    }
    if is_exposed(&about) {
        let mode = about.permissions().mode() & 0o7777;
        let why =
            format!("may be read or written by others (mode {mode:04o}), who could make up verdicts; chmod 0600 it");
        return Err(refused(path, &why));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(refused(path, &format!("is longer than {LONGEST} bytes: it is something else")));
    }
    decode(&bytes).map_err(|why| refused(path, &format!("{why}; {MAKE_IT}")))
}

/// The secret in the bytes of a file.
fn decode(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(bytes).ok().map(str::trim).filter(|text| text.bytes().all(is_text));
    let secret = match text {
        None => bytes.to_vec(),
        Some(text) => match from_hexadecimal(text).or_else(|| BASE64_STANDARD.decode(text).ok()) {
            Some(secret) => secret,
            None => return Err("is text, and neither hexadecimal nor base64".into()),
        },
    };
    if secret.len() < SHORTEST {
        return Err(format!("has {} bytes, and needs {SHORTEST}", secret.len()));
    }
    if secret.iter().all(|byte| *byte == secret[0]) {
        return Err("is not random: all its bytes are the same".into());
    }
    Ok(secret)
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Whether others than we may know it: everybody, a group that may change it, or a group that we need not be in. A file of
/// another owner that we read as members of its group is how secrets are mounted.
fn is_exposed(about: &Metadata) -> bool {
    let mode = about.permissions().mode();
    let ours = fs::metadata("/proc/self").is_ok_and(|us| us.uid() == about.uid());
    mode & 0o027 != 0 || (ours && mode & 0o040 != 0)
}

fn refused(path: &Path, why: &str) -> KeyError {
    KeyError { path: path.into(), why: why.into() }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", 1 + self.older.len())
    }
}

/// What SHA-256 makes full use of.
const SHORTEST: usize = 32;

const LONGEST: u64 = 4096;

const MAKE_IT: &str = "a key is 32 random bytes, as `openssl rand -hex 32` prints them, readable by countersign alone";

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &tempfile::TempDir, bytes: &[u8], mode: u32) -> PathBuf {
        let path = folder.path().join("store.key");
        // One that is there keeps its mode.
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        path
    }

    #[test]
    fn a_key_is_bytes_or_hexadecimal_or_base64() {
        let folder = tempfile::tempdir().expect("a folder");
        let secret: Vec<u8> = (100..=140).collect();
        let texts = [hexadecimal(&secret), hexadecimal(&secret).to_uppercase(), BASE64_STANDARD.encode(&secret)];
        let texts = texts.into_iter().flat_map(|text| [format!("{text}\n"), format!("  {text}\r\n"), text]);
        let raw: Vec<u8> = secret.iter().map(|byte| byte ^ 0x80).collect();
        for (bytes, expected) in texts.map(|text| (text.into_bytes(), &secret)).chain([(raw.clone(), &raw)]) {
            let keys = read(&written(&folder, &bytes, 0o600), &[]).expect("a key");
            assert_eq!(keys.newest, *expected, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = hexadecimal(&(1..=32).collect::<Vec<u8>>());
        for (bytes, mode, why) in [
            (&b""[..], 0o600, "has 0 bytes, and needs 32"),
            (&good.as_bytes()[..62], 0o600, "has 31 bytes, and needs 32"),
            (b"correct horse battery staple and some more words", 0o600, "neither hexadecimal nor base64"),
            (&[0; 32], 0o600, "all its bytes are the same"),
            ("00".repeat(32).as_bytes(), 0o600, "all its bytes are the same"),
            (&[200; 5000], 0o600, "longer than 4096 bytes"),
            (good.as_bytes(), 0o604, "may be read or written by others (mode 0604)"),
            (good.as_bytes(), 0o640, "may be read or written by others (mode 0640)"),
            (good.as_bytes(), 0o620, "may be read or written by others (mode 0620)"),
        ] {
            let path = written(&folder, bytes, mode);
            let error = read(&path, &[]).map(drop).expect_err(why).to_string();
            assert!(error.contains(why) && error.contains(&path.display().to_string()), "{error}");
            assert!(!error.contains(&good), "{error}");
        }
        let error = read(folder.path(), &[]).map(drop).expect_err("a folder").to_string();
        assert!(error.contains("is not a file"), "{error}");
    }

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.key");
        let first = read_or_make(&path).expect("it is made").newest;
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(read_or_make(&path).expect("it is there").newest, first);
        fs::remove_file(&path).expect("it is there");
        assert_ne!(read_or_make(&path).expect("it is made").newest, first);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left over");
    }
}
