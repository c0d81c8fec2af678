//! The tree of a log (RFC 6962): hashes, roots and inclusion proofs.

use super::key::sha256;

/// The hash of a leaf.
pub fn leaf(content: &[u8]) -> Vec<u8> {
    sha256(&[&[0], content].concat())
}

/// The root over `leaves`, which are hashes.
pub fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [] => sha256(b""),
        [only] => only.clone(),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            sha256(&[&[1][..], &root(left), &root(right)].concat())
        }
    }
}

/// The path from the leaf at `index` up to the root; nothing if there is no such leaf.
pub fn proof(leaves: &[Vec<u8>], index: usize) -> Vec<Vec<u8>> {
    if leaves.len() < 2 || index >= leaves.len() {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, beside) = match index.checked_sub(left.len()) {
        None => (proof(left, index), root(right)),
        Some(index) => (proof(right, index), root(left)),
    };
    path.push(beside);
    path
}

/// The largest power of two below `count`, which is at least two.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_that_of_the_known_tree() {
        let contents: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves: Vec<_> = contents.iter().map(|content| leaf(content)).collect();
        let known = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
        assert_eq!(crate::demo::sigstore::hex(&root(&leaves)), known);
        // From RFC 6962, 2.1.3: the path of the first leaf among seven.
        let path = proof(&leaves[..7], 0);
        assert_eq!(path, [leaves[1].clone(), root(&leaves[2..4]), root(&leaves[4..7])]);
        assert_eq!(proof(&leaves[..7], 6), [root(&leaves[4..6]), root(&leaves[..4])]);
        assert!(proof(&leaves[..1], 0).is_empty());
    }
}
