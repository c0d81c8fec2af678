//! A certificate authority, as Fulcio's: a root and an intermediate, which issues.

use std::io;

use super::certificate::{CODE_SIGNING, Extension, Template};
use super::ct::{self, Sct};
use super::key::Key;

/// A root and what it signed. Two of them have the same names and other keys.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The name under which it issues.
    pub name: String,
    /// The key with which it issues.
    pub key: Key,
    /// Its certificates as DER: what issues first, the root last.
    pub chain: Vec<Vec<u8>>,
}

impl Authority {
    /// Makes a root and an intermediate for code signing, valid from 2020 to 2045.
    ///
    /// # Errors
    /// If a key cannot be made.
    pub fn fulcio() -> io::Result<Self> {
        let root = Self::root("virtual fulcio root")?;
        let usage = Extension::usage(&[CODE_SIGNING]);
        root.subordinate(&Template::authority("virtual fulcio", BEGIN, END, vec![usage]))
    }

    /// Makes a root of the name `name`.
    ///
    /// # Errors
    /// If its key cannot be made.
    pub fn root(name: &str) -> io::Result<Self> {
        let key = Key::p256()?;
        let certificate = Template::authority(name, BEGIN, END, Vec::new()).sign(&key, name, &key)?;
        Ok(Self { name: name.into(), key, chain: vec![certificate] })
    }

    /// Makes an authority below this one.
    ///
    /// # Errors
    /// If its key cannot be made.
    pub fn subordinate(&self, template: &Template) -> io::Result<Self> {
        let key = Key::p256()?;
        let mut chain = vec![self.issue(template, &key, &[])?];
        chain.extend(self.chain.iter().cloned());
        Ok(Self { name: template.subject.clone(), key, chain })
    }

    /// Signs a certificate for `key`, with `scts` within.
    ///
    /// # Errors
    /// If signing fails.
    pub fn issue(&self, template: &Template, key: &Key, scts: &[Sct]) -> io::Result<Vec<u8>> {
        let before = template.sign(key, &self.name, &self.key)?;
        if scts.is_empty() {
            return Ok(before);
        }
        let mut complete = template.clone();
        complete.extensions.push(ct::extension(scts, &before, &self.key)?);
        complete.sign(key, &self.name, &self.key)
    }
}

/// 2020-01-01.
pub const BEGIN: i64 = 1_577_836_800;
/// 2045-01-01.
pub const END: i64 = 2_366_841_600;
