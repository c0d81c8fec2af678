//! Every other client, each in a room of its own: how it pulls, and what it must see.

mod buildah;
mod crane;
mod cri;
mod ctr;
mod docker;
mod oras;
mod podman;
mod skopeo;
