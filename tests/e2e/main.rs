//! The main job end to end, on real parts: containerd 1.6 and 2.4 pull through Countersign from two registries images
//! that cosign 2 and cosign 3 signed, or did not. `tests/run` installs the parts and runs this.

mod artifacts;
mod blobs_door;
mod changed_policy;
mod conformance;
mod credentials;
mod differential;
mod elsewhere;
mod explained;
mod fall_through;
mod faults;
mod fixtures;
mod fleet;
mod helm;
mod keyless;
mod keys;
mod loosened;
mod manifests;
mod members;
mod multi_arch;
mod other_clients;
mod platforms;
mod redirected_blobs;
mod redis;
mod refused;
mod released;
mod repeated_pulls;
mod runs;
mod support;
mod tls;
mod warmed;
