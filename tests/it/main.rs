//! The integration tests: the program in this process, over a registry double, asked over real HTTP.

mod support;

mod admin;
mod audit;
mod blobs;
mod catalog;
mod cli;
mod documentation;
mod doubles;
mod elsewhere;
mod evidence;
mod exempt_command;
mod exemptions;
mod explain;
mod flights;
mod import_command;
mod lists;
mod malformed;
mod members;
mod outage;
mod platforms;
mod policy;
mod pull;
mod redirects;
mod refusals;
mod reload;
mod requests;
mod routing;
mod rows;
mod smuggling;
mod trust;
mod verify;
