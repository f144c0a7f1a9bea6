//! Ids of runs, short, sortable by time, readable over a telephone; and keys that nobody can guess.

use std::io::Read as _;

use jiff::Timestamp;
use runbook_core::fault::{Code, Fault};

/// Crockford's base 32: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The ids to try for a run that begins at a moment, best first: the first eight digits of a ULID made then, which
/// change once in 1.024 s, and the ones after it.
pub(crate) fn candidates(at: Timestamp) -> impl Iterator<Item = String> {
    // A ULID's ten digits of time hold 48 bits of milliseconds; eight of them leave out the last ten bits.
    let first = u64::try_from(at.as_millisecond()).unwrap_or_default() >> 10;
    (first..).take(64).map(digits)
}

/// A key for digests.
///
/// Faults: `RB050` where there are no random numbers.
pub(crate) fn key() -> Result<[u8; 32], Fault> {
    let mut key = [0; 32];
    fs_err::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut key))
        .map_err(|error| Fault::new(Code::JournalFailed, format!("there is no key: no random numbers: {error}")))?;
    Ok(key)
}

fn digits(number: u64) -> String {
    (0..8)
        .rev()
        .map(|place| char::from(DIGITS[usize::try_from(number >> (5 * place) & 31).expect("five bits")]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_beginning_of_a_ulid_and_later_ids_sort_after_it() {
        // The ULID specification's own example, 01ARZ3NDEKTSV4RRFFQ69G5FAV, was made at this moment.
        let at = Timestamp::from_millisecond(1_469_922_850_259).unwrap();
        let ids: Vec<_> = candidates(at).take(3).collect();
        assert_eq!(ids[0], "01ARZ3ND");
        assert!(ids.is_sorted());
    }
}
