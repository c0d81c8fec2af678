//! Who the proxy is to the shared store. The password is read again for every connection, and never shown.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::settings::Settings;

/// What is said before anything else.
pub(super) struct Login<'a> {
    username: Option<&'a str>,
    password: String,
}

impl<'a> Login<'a> {
    /// What the settings say now; nothing where they name no password.
    ///
    /// # Errors
    /// Why the password cannot be had.
    pub(super) fn read(settings: &'a Settings) -> Result<Option<Self>, String> {
        let Some(path) = &settings.password_file else { return Ok(None) };
        Ok(Some(Self { username: settings.username.as_deref(), password: password(path)? }))
    }

    /// The command that says it.
    pub(super) fn command(&self) -> redis::Cmd {
        let mut auth = redis::cmd("AUTH");
        auth.arg(self.username).arg(&self.password);
        auth
    }

    /// What a server answered, without what it repeats of the password: servers quote what they do not understand.
    pub(super) fn hide(&self, said: &str) -> String {
        said.replace(&self.password, "[redacted]")
    }
}

/// The password in the file; the line break at its end is not part of it.
///
/// # Errors
/// Why there is none; never with a part of it.
pub fn password(path: &Path) -> Result<String, String> {
    let wrong = |why: &str| format!("`{}`: {why}", path.display());
    let text = String::from_utf8(read(path)?).map_err(|_| wrong("it is not UTF-8"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err(wrong("it is empty")) } else { Ok(text.to_string()) }
}

/// A file that the configuration names.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
    read.map_err(|error| format!("`{}`: {error}", path.display()))?;
    Ok(bytes)
}

const LONGEST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_quotes_the_password_is_told_without_it() {
        let login = Login { username: Some("proxy"), password: "hunter2".into() };
        let said = "ERR unknown command 'AUTH', with args beginning with: 'proxy' 'hunter2' ";
        assert_eq!(login.hide(said), "ERR unknown command 'AUTH', with args beginning with: 'proxy' '[redacted]' ");
    }

    #[test]
    fn a_password_is_the_file_without_its_line_break() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (content, password) in [("p w\r\n", Ok("p w")), ("p\n\n", Ok("p")), ("\n", Err("it is empty"))] {
            std::fs::write(file.path(), content).expect("written");
            match (super::password(file.path()), password) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected),
                (Err(why), Err(expected)) => assert!(why.ends_with(expected), "{why}"),
                (read, _) => panic!("{content:?}: {read:?}"),
            }
        }
    }
}
