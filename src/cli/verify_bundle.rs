//! `countersign verify-bundle`: whether a Sigstore bundle proves that somebody signed a file. Offline.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Clock;
use crate::limits::Limits;
use crate::policy::{Authority, Keyless, Kind, Name, Pattern, PublicKey, Revoked};
use crate::trust::{Root, Trust};
use crate::verify::{Against, Signing, bundle, file};
use crate::yaml;

/// What the command is told.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("signer").required(true).args(["certificate_identity", "key"]))]
pub(super) struct Arguments {
    /// The bundle.
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Who must have signed: the certificate's subject alternative name, exactly.
    #[arg(long, value_name = "IDENTITY", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,
    /// Who must vouch for the identity: the OIDC issuer, exactly.
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// The public key that must have signed.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The trusted root; without it, Sigstore's public one as of this program's build.
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// What must have been signed: a file, or its digest as `sha256:` or `sha512:` and hex.
    #[arg(value_name = "FILE|DIGEST")]
    artifact: String,
}

/// Says on `err` whether the bundle proves it; 0 if it does, 1 for everything else.
pub(super) fn run(arguments: &Arguments, err: &mut dyn Write) -> u8 {
    let (code, said) = match verify(arguments) {
        Ok(signing) => (0, format!("verified: signed by {}", signing.signer().0)),
        Err(why) => (1, format!("not verified: {why}")),
    };
    if writeln!(err, "{said}").is_ok() { code } else { 1 }
}

fn verify(arguments: &Arguments) -> Result<Signing, String> {
    let limits = Limits::default();
    let root = match &arguments.trusted_root {
        Some(path) => read_text(path)?,
        None => sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT.to_string(),
    };
    let root = Root::parse(&root).map_err(|error| format!("the trusted root: {error}"))?;
    let name = Name::new("the signer").ok_or("no name")?;
    let trust = Trust::of(BTreeMap::from([(name.clone(), Arc::new(root))]));
    let authority = Authority::alone(signer(arguments)?, name);
    let json = yaml::read(&arguments.bundle, bundle::max_size(&limits))
        .map_err(|why| format!("{}: {why}", arguments.bundle.display()))?;
    let against = Against { trust: &trust, revoked: &Revoked::default(), limits: &limits, now: Clock::default().now() };
    let digest = file::Subject::parse_digest(&arguments.artifact);
    // However large: it is the caller's own file, and what was signed is all of it.
    let content = if digest.is_none() { std::fs::read(&arguments.artifact) } else { Ok(Vec::new()) };
    let content = content.map_err(|error| format!("{}: {}", arguments.artifact, yaml::why(&error)))?;
    let subject = digest.unwrap_or(file::Subject::Content(&content));
    file::verify(&json, subject, &authority, against).map_err(|why| format!("{}: {}", why.reason, why.detail))
}

fn signer(arguments: &Arguments) -> Result<Kind, String> {
    if let Some(path) = &arguments.key {
        let key = PublicKey::from_pem(&read_text(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(Kind::Keys(vec![key]));
    }
    match (&arguments.certificate_identity, &arguments.certificate_oidc_issuer) {
        (Some(identity), Some(issuer)) => {
            let identity = Pattern::regex(&regex::escape(identity)).map_err(|error| error.to_string())?;
            Ok(Kind::Keyless(Keyless { issuer: issuer.clone(), identity, pins: Vec::new() }))
        }
        _ => Err("give `--certificate-identity` and `--certificate-oidc-issuer`, or `--key`".into()),
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    yaml::read_text(path).map_err(|why| format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests;
