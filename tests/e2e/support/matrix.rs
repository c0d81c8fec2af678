//! One test for each combination of real parts in which a behaviour must hold.

/// Both containerds, both registries, both cosigns.
macro_rules! everywhere {
    ($($test:ident)*) => { $(
        mod $test {
            $crate::support::matrix::cell! { containerd1_docker_registry_cosign2: $test V1 Docker Legacy }
            $crate::support::matrix::cell! { containerd1_docker_registry_cosign3: $test V1 Docker Bundle }
            $crate::support::matrix::cell! { containerd1_referrers_registry_cosign2: $test V1 Referrers Legacy }
            $crate::support::matrix::cell! { containerd1_referrers_registry_cosign3: $test V1 Referrers Bundle }
            $crate::support::matrix::cell! { containerd2_docker_registry_cosign2: $test V2 Docker Legacy }
            $crate::support::matrix::cell! { containerd2_docker_registry_cosign3: $test V2 Docker Bundle }
            $crate::support::matrix::cell! { containerd2_referrers_registry_cosign2: $test V2 Referrers Legacy }
            $crate::support::matrix::cell! { containerd2_referrers_registry_cosign3: $test V2 Referrers Bundle }
        }
    )* };
}

/// Both containerds and both registries, where nothing is signed or how makes no difference, or where each two of the
/// parts need to meet but not all three.
macro_rules! on_every_node {
    ($($test:ident)*) => { $(
        mod $test {
            $crate::support::matrix::cell! { containerd1_docker_registry: $test V1 Docker Legacy }
            $crate::support::matrix::cell! { containerd1_referrers_registry: $test V1 Referrers Bundle }
            $crate::support::matrix::cell! { containerd2_docker_registry: $test V2 Docker Bundle }
            $crate::support::matrix::cell! { containerd2_referrers_registry: $test V2 Referrers Legacy }
        }
    )* };
}

/// Both containerds, where the registry makes no difference.
macro_rules! on_both_nodes {
    ($($test:ident)*) => { $(
        mod $test {
            $crate::support::matrix::cell! { containerd1: $test V1 Docker Legacy }
            $crate::support::matrix::cell! { containerd2: $test V2 Docker Bundle }
        }
    )* };
}

/// What containerd 1.6 does, and 2.4 no longer does, with the blobs of docker-registry.
macro_rules! on_the_old_node {
    ($($test:ident)*) => { $(
        mod $test {
            $crate::support::matrix::cell! { containerd1_docker_registry: $test V1 Docker Legacy }
        }
    )* };
}

/// Both registries and both cosigns, where no node takes part.
macro_rules! for_every_signature {
    ($($test:ident)*) => { $(
        mod $test {
            $crate::support::matrix::cell! { docker_registry_cosign2: $test V2 Docker Legacy }
            $crate::support::matrix::cell! { docker_registry_cosign3: $test V2 Docker Bundle }
            $crate::support::matrix::cell! { referrers_registry_cosign2: $test V2 Referrers Legacy }
            $crate::support::matrix::cell! { referrers_registry_cosign3: $test V2 Referrers Bundle }
        }
    )* };
}

/// Both registries, where neither a node nor the version of cosign makes a difference.
macro_rules! on_every_registry {
    ($($test:ident)*) => { $(
        mod $test {
            $crate::support::matrix::cell! { docker_registry: $test V2 Docker Legacy }
            $crate::support::matrix::cell! { referrers_registry: $test V2 Referrers Legacy }
        }
    )* };
}

macro_rules! cell {
    ($name:ident: $test:ident $containerd:ident $registry:ident $cosign:ident) => {
        #[test]
        fn $name() {
            super::$test($crate::support::lab::Cell {
                containerd: $crate::support::containerd::Version::$containerd,
                registry: $crate::support::registry::Kind::$registry,
                cosign: $crate::support::cosign::Cosign::$cosign,
            });
        }
    };
}

pub(crate) use {
    cell, everywhere, for_every_signature, on_both_nodes, on_every_node, on_every_registry, on_the_old_node,
};
