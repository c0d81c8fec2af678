//! Why a text is not a usable public key, and what to do about it.

/// Why a text is not a usable public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key that signs nothing: of another algorithm.
    #[error("a key of the algorithm {0} is not supported, only ECDSA, RSA and Ed25519")]
    Algorithm(String),
    /// A certificate.
    #[error("it is a certificate; `openssl x509 -noout -pubkey -in FILE` writes the public key that is in it")]
    Certificate,
    /// A point given by one coordinate; cosign does not read these either.
    #[error("its point is compressed; `openssl ec -pubin -conv_form uncompressed` writes it in full")]
    CompressedPoint,
    /// A curve that nobody signs images with.
    #[error("a key on the curve {0} is not supported, only P-256, P-384 and P-521")]
    Curve(String),
    /// Not the distinguished encoding of a key, to the last byte.
    #[error("its content is not the DER encoding of a public key")]
    Encoding,
    /// A curve given by its numbers: whoever chooses them can forge.
    #[error("it spells out the parameters of its curve; `openssl ec -pubin -param_enc named_curve` names the curve")]
    ExplicitCurve,
    /// A PEM block of something else.
    #[error("it is a PEM block `{0}`, not `PUBLIC KEY`")]
    Label(String),
    /// No PEM block at all.
    #[error("it is not a PEM public key: no line is `-----BEGIN PUBLIC KEY-----`")]
    NotPem,
    /// A PEM block that was cut, or changed on its way.
    #[error("its PEM block is broken: {0}")]
    Pem(&'static str),
    /// A private key.
    #[error("it is a private key; what verifies is the public one")]
    Private,
    /// An exponent that is even or small; cosign imports no such key.
    #[error("its RSA exponent is even or smaller than 65537")]
    RsaExponent,
    /// A key that says that it is for RSASSA-PSS; cosign reads no such key.
    #[error("it is restricted to RSASSA-PSS by its algorithm; export it as a plain RSA key, which verifies PSS too")]
    RsaPss,
    /// Too small to be safe, or too large to be quick.
    #[error("it is an RSA key of {0} bits; at least 2048 and at most 8192 are supported")]
    RsaSize(usize),
    /// Several PEM blocks, of which all or one could be meant.
    #[error("it holds {0} PEM blocks; put each key into a file of its own, and name the directory")]
    Several(usize),
    /// An Ed25519 point that anyone can sign for.
    #[error("its Ed25519 point is not one that a private key leads to")]
    WeakPoint,
}

impl KeyError {
    /// What a PEM block is if it is not a public key.
    pub(super) fn of_label(label: &str) -> Self {
        match label {
            "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => Self::Certificate,
            _ if label.ends_with("PRIVATE KEY") => Self::Private,
            _ => Self::Label(label.chars().take(60).collect()),
        }
    }
}
