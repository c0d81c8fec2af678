//! The ways to forge, one a row: what it is called, what is done, and which records are found out. Where none is named,
//! there is nothing to be found out: nothing is read from there.

use super::scene::Scene;

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) does: fn(&Scene),
    pub(crate) noticed: &'static str,
}

const fn attack(name: &'static str, noticed: &'static str, does: fn(&Scene)) -> Attack {
    Attack { name, does, noticed }
}

pub(crate) const ATTACKS: &[Attack] = &[
    attack("an Allow moved to another digest", "verdicts", |scene| {
        scene.set(&scene.verdict(&scene.unsigned), scene.stored(&scene.verdict(&scene.signed)));
    }),
    attack("an Allow moved to another repository", "verdicts", |scene| {
        scene.set(&scene.verdict(&scene.copy), scene.stored(&scene.verdict(&scene.signed)));
    }),
    attack("an Allow moved into the place of a Deny of the same image", "verdicts", |scene| {
        // The seal of a record that is truly there, over what another one says.
        let (deny, allow) =
            (scene.stored(&scene.verdict(&scene.unsigned)), scene.stored(&scene.verdict(&scene.signed)));
        scene.set(&scene.verdict(&scene.unsigned), &[&deny[..32], &allow[32..]].concat());
    }),
    attack("an Allow that is made up, without a key", "verdicts", |scene| {
        let body = scene.body_about_the_unsigned();
        scene.set(&scene.verdict(&scene.unsigned), &[&[0; 32][..], &body].concat());
    }),
    attack("an Allow that is made up, with a key of the attacker's", "verdicts", |scene| {
        let record = scene.sealed_by(&[7; 32], &scene.unsigned, &scene.body_about_the_unsigned());
        scene.set(&scene.verdict(&scene.unsigned), &record);
    }),
    attack("an Allow whose end is put off", "verdicts", |scene| {
        let (body, end) = (scene.body(), b"_until\":");
        let late = |at: usize| body[..at].windows(end.len()).any(|words| words == end);
        let later: Vec<_> = body
            .iter()
            .enumerate()
            .map(|(at, &byte)| if late(at) && byte.is_ascii_digit() { b'9' } else { byte })
            .collect();
        assert_ne!(body, later, "a record says until when it holds");
        let seal = &scene.stored(&scene.verdict(&scene.signed))[..32];
        scene.set(&scene.verdict(&scene.signed), &[seal, &later].concat());
    }),
    attack("records cut short", "verdicts", |scene| {
        for (image, length) in [(&scene.unsigned, 31), (&scene.copy, 1), (&scene.signed, 100)] {
            scene.set(&scene.verdict(image), &scene.stored(&scene.verdict(&scene.signed))[..length]);
        }
    }),
    attack("records of a hundred megabytes", "verdicts", |scene| {
        let mut huge = scene.stored(&scene.verdict(&scene.signed)).to_vec();
        huge.resize(100 << 20, b' ');
        for image in [&scene.unsigned, &scene.copy, &scene.signed] {
            scene.set(&scene.verdict(image), &huge);
            scene.set(&Scene::parents(image, &Scene::layer(image)), &huge);
        }
    }),
    attack("evidence of a hundred megabytes, and no verdicts", "evidence", |scene| {
        for (key, value) in scene.all() {
            if key.starts_with(b"countersign:1:verdicts:") {
                redis::cmd("DEL").arg(&key).exec(&mut scene.redis.client()).expect("Redis does it");
            } else if key.starts_with(b"countersign:1:evidence:") {
                let mut huge = value;
                huge.resize(100 << 20, b' ');
                scene.set_bytes(&key, &huge);
            }
        }
    }),
    attack("things of other types in every place", "verdicts", |scene| {
        for (key, _) in scene.all() {
            let mut client = scene.redis.client();
            redis::cmd("DEL").arg(&key).exec(&mut client).expect("Redis does it");
            redis::cmd("HSET").arg(&key).arg("allow").arg("true").exec(&mut client).expect("Redis does it");
        }
    }),
    attack("a layer said to be of a signed image, without a seal", "members", |scene| {
        let mut item = vec![b'b'];
        item.extend(bytes_of(&scene.signed.digest));
        item.resize(65, 0);
        scene.set(&Scene::parents(&scene.unsigned, &Scene::layer(&scene.unsigned)), &item);
    }),
    attack("a layer said to be of a signed image, with the seal of another layer", "members", |scene| {
        let listed = scene.stored(&Scene::parents(&scene.signed, &Scene::layer(&scene.signed)));
        scene.set(&Scene::parents(&scene.unsigned, &Scene::layer(&scene.unsigned)), listed);
    }),
    attack("who lists a layer, copied to another repository", "members", |scene| {
        let layer = Scene::layer(&scene.signed);
        scene.set(&Scene::parents(&scene.copy, &layer), scene.stored(&Scene::parents(&scene.signed, &layer)));
    }),
    attack("a list of parents full of inventions", "members", |scene| {
        let invented: Vec<_> = (0..5000_u32).flat_map(|n| [&b"b"[..], &[n.to_le_bytes()[0]; 64]].concat()).collect();
        for image in [&scene.unsigned, &scene.copy, &scene.signed] {
            scene.set(&Scene::parents(image, &Scene::layer(image)), &invented);
        }
    }),
    attack("everything of the signed image copied to the unsigned one's places", "verdicts", |scene| {
        let (from, to) = (&scene.signed.digest, &scene.unsigned.digest);
        for (key, value) in scene.all() {
            let moved = replaced(&key, from.as_bytes(), to.as_bytes());
            let moved = replaced(&moved, &bytes_of(from), &bytes_of(to));
            if moved != key {
                scene.set_bytes(&moved, &value);
            }
        }
    }),
    attack("evidence of the signed image shown for the unsigned one, and no verdicts", "evidence", |scene| {
        let (from, to) = (&scene.signed.digest, &scene.unsigned.digest);
        for (key, value) in scene.all() {
            if key.starts_with(b"countersign:1:verdicts:") {
                redis::cmd("DEL").arg(&key).exec(&mut scene.redis.client()).expect("Redis does it");
            }
            let moved = replaced(&key, &bytes_of(from), &bytes_of(to));
            if key.starts_with(b"countersign:1:evidence:") && moved != key {
                scene.set_bytes(&moved, &value);
            }
        }
    }),
    attack("leases on all work, held by nobody and for ever", "", |scene| {
        for (key, _) in scene.all() {
            let key = String::from_utf8_lossy(&key).into_owned();
            let name = key.splitn(4, ':').nth(3).unwrap_or_default();
            let lease = format!("countersign:1:leases:{name}");
            redis::cmd("SET").arg(lease).arg(&[9_u8; 16]).exec(&mut scene.redis.client()).expect("Redis does it");
            redis::cmd("DEL").arg(key).exec(&mut scene.redis.client()).expect("Redis does it");
        }
    }),
];

/// The digest itself.
fn bytes_of(digest: &str) -> Vec<u8> {
    let digits = digest.trim_start_matches("sha256:").as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).expect("a digit");
    digits.chunks(2).map(|pair| (digit(pair[0]) << 4) | digit(pair[1])).collect()
}

/// `bytes` with `to` wherever there is `from`, which is as long.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(from.len() - 1) {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}
