//! The integration tests: the program in this process, over a registry double, asked over real HTTP.

mod support;

mod admin;
mod cli;
mod doubles;
mod evidence;
mod flights;
mod malformed;
mod members;
mod policy;
mod pull;
mod requests;
