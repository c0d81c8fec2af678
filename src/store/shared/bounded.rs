//! A stream that lets through replies of a bounded size only: what the server says decides over no memory of ours.
//!
//! It looks at the frames as they pass, before the client's parser does, and breaks the connection at the first that is
//! larger than anything that was asked for.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection on which no reply is longer than it may be.
pub(super) struct Bounded<S> {
    stream: S,
    frames: Frames,
    broke: Arc<OnceLock<String>>,
}

impl<S> Bounded<S> {
    /// Lets replies of at most `most` bytes through, frames counted. If reading comes to a bad end, `broke` says why.
    pub(super) fn new(stream: S, most: usize, broke: Arc<OnceLock<String>>) -> Self {
        Self { stream, frames: Frames::new(most), broke }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut this.stream).poll_read(cx, buffer)).and_then(|()| {
            let passed = this.frames.pass(buffer.filled().get(before..).unwrap_or_default());
            passed.map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))
        });
        if let Err(error) = &read {
            this.broke.get_or_init(|| error.to_string());
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Where in the replies (RESP 2) the stream is.
#[derive(Debug)]
struct Frames {
    /// Bytes that a reply may have.
    most: usize,
    /// Bytes of this reply so far.
    size: usize,
    /// Values of this reply so far, those that are announced counted.
    values: usize,
    /// Values of this reply that are still to come.
    to_come: usize,
    /// Bytes of a string that are still to come, its line break counted.
    string: usize,
    /// The line that has begun.
    line: Vec<u8>,
}

impl Frames {
    fn new(most: usize) -> Self {
        Self { most, size: 0, values: 1, to_come: 1, string: 0, line: Vec::new() }
    }

    /// Takes note of bytes that were read.
    fn pass(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            let taken = if self.string > 0 {
                let taken = self.string.min(bytes.len());
                self.string -= taken;
                taken
            } else {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let taken = end.map_or(bytes.len(), |end| end + 1);
                if self.line.len() + taken > LONGEST_LINE {
                    return Err(format!("a line of more than {LONGEST_LINE} bytes"));
                }
                self.line.extend_from_slice(bytes.get(..taken).unwrap_or_default());
                if end.is_some() {
                    self.frame()?;
                    self.line.clear();
                }
                taken
            };
            self.size = self.size.saturating_add(taken);
            if self.size > self.most {
                return Err(self.too_long());
            }
            if self.string == 0 && self.to_come == 0 {
                (self.size, self.values, self.to_come) = (0, 1, 1);
            }
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes note of the line that is complete: what it is, and what it announces.
    fn frame(&mut self) -> Result<(), String> {
        let (kind, rest) = self.line.split_first().ok_or("an empty line")?;
        self.to_come = self.to_come.saturating_sub(1);
        match kind {
            b'+' | b'-' | b':' => {}
            b'$' => {
                if let Some(length) = announced(rest)? {
                    if length > self.most {
                        return Err(self.too_long());
                    }
                    self.string = length + LINE_BREAK;
                }
            }
            b'*' => {
                if let Some(length) = announced(rest)? {
                    self.values = self.values.saturating_add(length);
                    if self.values > MOST_VALUES {
                        return Err(format!("a reply of more than {MOST_VALUES} values"));
                    }
                    self.to_come += length;
                }
            }
            other => return Err(format!("not Redis's protocol: a line that begins with byte {other}")),
        }
        Ok(())
    }

    fn too_long(&self) -> String {
        format!("a reply of more than {} bytes", self.most)
    }
}

/// The length that a frame announces; `None` is Redis's nil.
fn announced(digits: &[u8]) -> Result<Option<usize>, String> {
    let text = std::str::from_utf8(digits).unwrap_or_default().trim_end_matches(['\r', '\n']);
    match text.parse() {
        Ok(length) => Ok(Some(length)),
        Err(_) if text == "-1" => Ok(None),
        Err(_) => Err("not Redis's protocol: a length that is no number".into()),
    }
}

const LINE_BREAK: usize = 2;
/// Errors are the longest lines.
const LONGEST_LINE: usize = 4096;
/// No command of ours is answered with more, whatever replicas or sentinels there are.
const MOST_VALUES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of `bytes` when they come at once, and when they come one by one.
    fn passed(bytes: &[u8]) -> Result<(), String> {
        let at_once = Frames::new(100).pass(bytes);
        let mut frames = Frames::new(100);
        let one_by_one = bytes.iter().try_for_each(|byte| frames.pass(&[*byte]));
        assert_eq!(at_once, one_by_one);
        at_once
    }

    #[test]
    fn passes_replies_of_every_kind_however_many() {
        let replies =
            "+OK\r\n-ERR no\r\n:12\r\n$5\r\na\r\n\nb\r\n$-1\r\n*2\r\n$1\r\nx\r\n*1\r\n:1\r\n*0\r\n*-1\r\n$0\r\n\r\n";
        assert_eq!(passed(replies.repeat(1000).as_bytes()), Ok(()));
    }

    #[test]
    fn stops_at_the_announcement_of_too_much() {
        let huge = Err("a reply of more than 100 bytes".to_string());
        assert_eq!(passed(b"$2147483648\r\n"), huge);
        assert_eq!(passed(b"$101\r\n"), huge);
        assert_eq!(passed(b"*3\r\n$40\r\n0123456789012345678901234567890123456789\r\n$80\r\n"), Ok(()));
        let many = "$40\r\n0123456789012345678901234567890123456789\r\n".repeat(3);
        assert_eq!(passed(format!("*3\r\n{many}").as_bytes()), huge);
        assert_eq!(passed(b"*2147483648\r\n"), Err("a reply of more than 1024 values".into()));
        let nested = "*30\r\n".repeat(40);
        assert!(passed(nested.as_bytes()).is_err());
        assert_eq!(Frames::new(10_000).pass(&[b'+'; 5000]), Err("a line of more than 4096 bytes".into()));
    }

    #[test]
    fn refuses_what_is_not_the_protocol() {
        for bytes in ["HTTP/1.1 400 Bad Request\r\n", "\n", "$-2\r\n", "$x\r\n", "%1\r\n", "!-1\r\n", ">2\r\n", "\r\n"]
        {
            assert!(passed(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
