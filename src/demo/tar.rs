//! Writes a layer: a tar archive (POSIX.1-1988 ustar) of one file.

/// The archive of a file that everybody may read and execute.
pub(super) fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; BLOCK];
    let mut field = |offset: usize, text: &[u8]| header[offset..offset + text.len()].copy_from_slice(text);
    field(0, &name.as_bytes()[..name.len().min(100)]);
    field(100, b"0000755\0");
    field(108, b"0000000\0");
    field(116, b"0000000\0");
    field(124, format!("{:011o}\0", content.len()).as_bytes());
    field(136, b"00000000000\0");
    // The checksum counts its own field as spaces.
    field(148, b"        ");
    field(156, b"0");
    field(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    archive
}

const BLOCK: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn is_laid_out_in_blocks() {
        let archive = archive("hello.txt", b"hello");
        assert_eq!(archive.len(), 4 * BLOCK);
        assert_eq!(&archive[257..265], b"ustar\x0000");
        assert_eq!(&archive[BLOCK..BLOCK + 6], b"hello\0");
    }

    #[test]
    fn tar_reads_it_where_there_is_a_tar() {
        let Ok(mut tar) = Command::new("tar").args(["-xOf", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
        else {
            return;
        };
        tar.stdin.take().expect("a pipe").write_all(&archive("hello.txt", b"hello")).expect("tar reads");
        let output = tar.wait_with_output().expect("tar ends");
        assert!(output.status.success());
        assert_eq!(output.stdout, b"hello");
    }
}
