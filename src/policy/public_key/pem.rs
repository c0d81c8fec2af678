//! The one PEM block of a text (RFC 7468): what stands before and after it is a comment, as in the files that tools write.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::KeyError;

/// A block whose content is any DER.
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) der: Vec<u8>,
}

/// Reads the block. Blanks around a line, a byte order mark and either kind of line end do not matter.
pub(super) fn read(text: &str) -> Result<Block<'_>, KeyError> {
    let blocks = text.matches(BEGIN).count();
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let Some(begin) = lines.find_map(|line| line.strip_prefix(BEGIN)) else {
        return Err(if blocks == 0 { KeyError::NotPem } else { KeyError::Pem("it does not begin a line") });
    };
    let label = begin
        .strip_suffix(DASHES)
        .filter(|label| !label.contains(DASHES))
        .ok_or(KeyError::Pem("its first line goes on; were line ends lost?"))?;
    // A private key beside a public one, or a chain of certificates, is told as what it is.
    if text.contains("PRIVATE KEY-----") {
        return Err(KeyError::Private);
    }
    if blocks > 1 && label != "CERTIFICATE" {
        return Err(KeyError::Several(blocks));
    }
    let mut content = String::new();
    for line in lines {
        if let Some(end) = line.strip_prefix(END) {
            if end.strip_suffix(DASHES) != Some(label) {
                return Err(KeyError::Pem("it ends as something else than it begins"));
            }
            let der = STANDARD.decode(content).map_err(|_| KeyError::Pem("its content is not base64"))?;
            return Ok(Block { label, der });
        }
        content.push_str(line);
    }
    Err(KeyError::Pem("it has no last line"))
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
