//! The command line: what it may say, and which command does it.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

mod colour;

mod config_check;

mod policy_check;

mod policy_schema;

mod policy_exempt;

mod policy_import;

mod policy_test;

mod report;

pub mod serve;

mod verify;

mod verify_bundle;

mod warm;

/// An OCI registry proxy that enforces cosign signatures on pull.
///
/// It stands between containerd and a private registry. Each image is resolved to a digest, its signatures are verified
/// against a policy, and what does not satisfy the policy is answered with 403 and the reason.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Start here:
  countersign demo                        see it refuse an unsigned image, with nothing else installed
  countersign policy check policy.yaml    find the mistakes in a policy before the nodes do
  countersign serve --config FILE         put it in front of your registry
  countersign verify IMAGE --config FILE  see why it would be served or refused

Exit codes: 0 yes, 1 no, 2 could not tell, 64 wrong usage, 78 wrong configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Run a registry, a signer and the proxy in this process, and pull signed and unsigned images through it.
    Demo {
        /// Print the table and exit: 0 only if every image was answered as it must be.
        #[arg(long)]
        once: bool,
        /// Break the demo on purpose, to see that it notices.
        #[arg(long, hide = true, value_enum)]
        sabotage: Option<Sabotage>,
    },
    /// Check, test and explain the policy, or write an exemption into it.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Serve pulls.
    Serve {
        /// The configuration file; `COUNTERSIGN__…` variables override it.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Serve everything, and only log and count what would have been refused. Revoked digests stay refused.
        #[arg(long)]
        audit: bool,
    },
    /// Explain what the proxy would answer: the evidence that was found, and what each authority said of it.
    Verify(verify::Arguments),
    /// Verify a file by its Sigstore bundle, offline.
    VerifyBundle(verify_bundle::Arguments),
    /// Verify ahead what a cluster runs, so that no node waits for it.
    Warm(warm::Arguments),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration is right, and where it is not.
    Check(Check),
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Say whether the policy is right, where it is not, and what in it deserves a look.
    Check(policy_check::Arguments),
    /// Let one image through without policies, for a reason and for a time: write an exemption into the policy.
    Exempt(policy_exempt::Arguments),
    /// Make a policy of another system's.
    #[command(subcommand)]
    Import(policy_import::Import),
    /// Print a JSON Schema of the policy language, for editors and other tools.
    Schema,
    /// Print the tree of each policy that governs an image, what each node of it comes to, and which evidence decides.
    Explain(verify::Arguments),
    /// Judge made-up images by the policy, and say whether it comes to what is expected.
    Test(policy_test::Arguments),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// The file.
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Ways to break the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sabotage {
    /// Nothing is signed.
    Unsigned,
    /// The policy has no policies.
    EmptyPolicy,
}

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { 0 };
            // Nothing can be said if even this cannot be printed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let mut out = io::stdout();
    ExitCode::from(match cli.command {
        Command::Config(ConfigCommand::Check(check)) => {
            config_check::run(&check.path, check.output == Output::Json, &mut out)
        }
        Command::Policy(PolicyCommand::Exempt(arguments)) => policy_exempt::run(&arguments, &mut out),
        Command::Policy(PolicyCommand::Import(from)) => policy_import::run(&from, &mut out, &mut io::stderr()),
        Command::Policy(PolicyCommand::Check(arguments)) => policy_check::run(&arguments, &mut out),
        Command::Policy(PolicyCommand::Schema) => policy_schema::run(&mut out),
        Command::Policy(PolicyCommand::Explain(arguments)) => verify::run(&arguments, verify::Told::Trees, &mut out),
        Command::Policy(PolicyCommand::Test(arguments)) => policy_test::run(&arguments, &mut out),
        Command::Serve { config, audit } => serve::run(&config, audit),
        Command::Verify(arguments) => verify::run(&arguments, verify::Told::Evidence, &mut out),
        Command::VerifyBundle(arguments) => verify_bundle::run(&arguments, &mut io::stderr()),
        Command::Warm(arguments) => warm::run(&arguments, &mut out),
        Command::Demo { once, sabotage } => demo(once, sabotage, &mut out),
    })
}

fn demo(once: bool, sabotage: Option<Sabotage>, out: &mut (impl io::Write + IsTerminal)) -> u8 {
    let sabotage = sabotage.map(|sabotage| match sabotage {
        Sabotage::EmptyPolicy => crate::demo::Sabotage::EmptyPolicy,
        Sabotage::Unsigned => crate::demo::Sabotage::Unsigned,
    });
    let options = crate::demo::Options { colour: out.is_terminal(), once, sabotage };
    match serve::block_on(crate::demo::run(options, out)) {
        Ok(Ok(true)) => 0,
        Ok(Ok(false)) => 1,
        Ok(Err(error)) | Err(error) => serve::complain(&format!("the demo could not run: {error}"), 2),
    }
}

/// `EX_USAGE` of sysexits.h.
const USAGE: u8 = 64;
