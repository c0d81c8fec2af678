//! The laws of the decision, over chance policies and evidence that was really signed and verified.
//!
//! An answer is *laxer* than another in the order deny, could not tell, allow. Each law is tried with many seeds, and a
//! seed that breaks one is named.

mod age;
mod exemptions;
mod laws;
mod stock;
mod tree;
mod world;
