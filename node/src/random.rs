//! Randomness of the edge: secrets, tokens and invite codes, from the thread's ChaCha generator seeded by the system.

use rand::{Rng, RngExt};

/// Letters and digits of codes that people type: none of them looks like another (no `0 O 1 I l`).
const CODE_ALPHABET: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// `N` random bytes, fit for a secret.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// An id that nobody guesses, of 63 bits: rows keep ids as signed integers.
pub fn id() -> u64 {
    rand::rng().random_range(1..=i64::MAX.cast_unsigned())
}

/// A code of `chars` characters for people, such as that of an invite.
pub fn code(chars: usize) -> String {
    let mut rng = rand::rng();
    let mut one = || char::from(CODE_ALPHABET[rng.random_range(0..CODE_ALPHABET.len())]);
    (0..chars).map(|_| one()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_codes_do_not_repeat() {
        assert_ne!(bytes::<32>(), bytes::<32>());
        let code = code(10);
        assert_eq!(code.len(), 10);
        assert!(code.bytes().all(|b| CODE_ALPHABET.contains(&b)));
        assert_ne!(code, super::code(10));
    }
}
