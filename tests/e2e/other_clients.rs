//! Every client that pulls, each in a room of its own: how it asks, and what it keeps. (BuildKit is not among them: it
//! resolves with containerd's library.)

mod buildah;
mod cosign;
mod crane;
mod cri;
mod ctr;
mod docker;
mod oras;
mod podman;
mod skopeo;
