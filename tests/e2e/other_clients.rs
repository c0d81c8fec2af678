//! Every client that pulls, each in a room of its own: how it asks, and what it keeps. (`BuildKit` is not among them: it
//! resolves with containerd's library.)

/// The pulls of both versions of containerd, each in a module of its own.
macro_rules! by_both_versions {
    ($pull_to:ident) => {
        mod containerd1 {
            use super::*;

            pulls! { super::pull }

            fn pull(wanted: &Wanted) -> Pulled {
                $pull_to(Version::V1, wanted)
            }
        }

        mod containerd2 {
            use super::*;

            pulls! { super::pull }

            fn pull(wanted: &Wanted) -> Pulled {
                $pull_to(Version::V2, wanted)
            }
        }
    };
}

mod buildah;
mod cosign;
mod crane;
mod cri;
mod ctr;
mod docker;
mod oras;
mod podman;
mod skopeo;
